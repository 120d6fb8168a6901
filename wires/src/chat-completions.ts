import type { Reading } from './corpus.ts';

type Fields = { readonly [field: string]: unknown };
type Report = (problem: string) => void;

/** What one endpoint demands beyond the common wire. */
type Strictness = {
  readonly provider: string;
  readonly models?: RegExp;
  readonly callIds?: RegExp;
  readonly parts?: readonly string[];
  readonly roles?: readonly string[];
  readonly toolChoices?: readonly string[];
  /** Body fields that are refused. */
  readonly refused?: readonly string[];
  readonly emptyTools?: true;
  /** No user behind a tool. */
  readonly assistantAfterTool?: true;
  /** The last message is the user's or a tool's. */
  readonly userLast?: true;
  /** Past calls come with the reasoning that led to them, unless this field says that the model does not think. */
  readonly reasoningWithCalls?: (body: Fields) => boolean;
};

type Rules = Partial<Strictness>;

/** Documented and recorded strictness, by endpoint. */
const strictness: readonly Strictness[] = [
  // Recorded: "Content blocks are expected to be either text or image_url type."; audio is for the models of that name alone.
  { provider: 'openai', models: /^(?!.*audio)/, parts: ['text', 'image_url', 'file', 'refusal'] },
  // Recorded: 'messages[0].role' does not support 'system' (nor 'developer') with this model.
  { provider: 'openai', models: /^o1-(mini|preview)/, roles: ['user', 'assistant', 'tool'] },
  // https://platform.openai.com/docs/guides/reasoning: sampling is fixed, `max_tokens` is refused.
  {
    provider: 'openai',
    models: /^(o\d|gpt-[5-9](?!.*chat))/,
    refused: ['max_tokens', 'presence_penalty', 'frequency_penalty', 'logprobs'],
  },
  // "Not supported with latest reasoning models"; o3-mini is recorded to take it.
  { provider: 'openai', models: /^(o3(?!-mini)|o4|gpt-[5-9](?!.*chat))/, refused: ['stop'] },
  // Recorded: an empty list of tools passes.
  { provider: 'together', emptyTools: true },
  { provider: 'huggingface', emptyTools: true },
  // https://docs.mistral.ai/api: fields that it does not know are refused, ids are nine letters or digits; "Unexpected role 'user' after
  // role 'tool'"; "Expected last role User or Tool (or Assistant with prefix True)".
  {
    provider: 'mistral',
    callIds: /^[a-zA-Z0-9]{9}$/,
    toolChoices: ['auto', 'none', 'any', 'required'],
    refused: [
      'stream_options',
      'seed',
      'store',
      'service_tier',
      'verbosity',
      'max_completion_tokens',
      'top_k',
      'top_logprobs',
    ],
    assistantAfterTool: true,
    userLast: true,
  },
  // https://docs.perplexity.ai: the last message is the user's or a tool's; no functions.
  { provider: 'perplexity', refused: ['tools', 'stream_options', 'seed'], userLast: true },
  // https://api-docs.deepseek.com/guides/thinking_mode: a missing `reasoning_content` within a tool loop is answered with 400.
  {
    provider: 'deepseek',
    parts: ['text'],
    refused: ['top_k', 'seed', 'parallel_tool_calls', 'store', 'metadata', 'service_tier', 'verbosity'],
    reasoningWithCalls: ({ thinking }) => fieldsOf(thinking)['type'] !== 'disabled',
  },
  // https://inference-docs.cerebras.ai/resources/openai
  { provider: 'cerebras', refused: ['frequency_penalty', 'presence_penalty', 'logit_bias'] },
];

/**
 * Every way in which a body breaks the grammar of Chat Completions, as https://platform.openai.com/docs/api-reference/chat/create has it, and
 * what is known of `provider` beyond; an empty list when it breaks none.
 */
export function grammarProblems(body: Fields, provider = ''): string[] {
  const problems: string[] = [];
  const report: Report = (problem) => void problems.push(problem);
  const model = typeof body['model'] === 'string' ? body['model'] : '';
  const rows = strictness.filter((row) => row.provider === provider && row.models?.test(model) !== false);
  const refused = rows.flatMap((row) => row.refused ?? []);
  const rules: Rules = Object.assign({}, ...rows);
  if (model === '') report('model: missing');
  for (const field of refused) if (field in body) report(`${field}: ${provider} refuses it`);
  const messages = body['messages'];
  if (!Array.isArray(messages) || messages.length === 0) report('messages: none');
  else checkMessages(messages.map(fieldsOf), rules, { body, report });
  checkTools(body, rules, report);
  checkFormat(body['response_format'], report);
  checkNumbers(body, report);
  if (body['stream_options'] !== undefined && body['stream'] !== true) report('stream_options: without stream');
  return problems;
}

function checkMessages(
  messages: readonly Fields[],
  rules: Rules,
  { body, report }: { body: Fields; report: Report },
): void {
  checkPairing(messages, report);
  const thinks = rules.reasoningWithCalls?.(body) === true;
  for (const [index, message] of messages.entries()) {
    const tell: Report = (problem) => report(`messages[${index}]: ${problem}`);
    checkMessage(message, rules, tell);
    const silent = callsIn(message).length > 0 && !message['reasoning_content'];
    if (thinks && silent) tell('a call without the reasoning that led to it');
  }
  checkOrder(messages, rules, report);
}

function checkOrder(messages: readonly Fields[], rules: Rules, report: Report): void {
  if (rules.assistantAfterTool && messages.some(({ role }, index) => role === 'user' && isTool(messages[index - 1])))
    report('a user stands behind a tool');
  const last = messages.at(-1);
  const waits = last?.['role'] === 'user' || isTool(last) || last?.['prefix'] === true;
  if (rules.userLast && !waits) report('nothing to answer at the end');
}

function isTool(message: Fields | undefined): boolean {
  return message?.['role'] === 'tool';
}

/** Tool messages stand right behind the calls that they answer, one for each. */
function checkPairing(messages: readonly Fields[], report: Report): void {
  let open: unknown[] = [];
  for (const [index, message] of messages.entries()) {
    const answers = isTool(message);
    const id = message['tool_call_id'];
    if (answers && !open.includes(id)) report(`messages[${index}]: it answers no open call`);
    if (!answers && open.length > 0) report(`messages[${index}]: calls before it are not answered: ${open.join(', ')}`);
    open = answers ? open.filter((other) => other !== id) : callsIn(message).map((call) => call['id']);
  }
  if (open.length > 0) report(`calls are not answered: ${open.join(', ')}`);
}

const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function'];
const partsOf: { readonly [role: string]: readonly string[] } = {
  user: ['text', 'image_url', 'input_audio', 'file', 'video_url'],
  assistant: ['text', 'refusal', 'thinking'],
};
/** Fields that are text where they are there at all. */
const texts = ['name', 'reasoning_content', 'reasoning', 'refusal'] as const;

function checkMessage(message: Fields, rules: Rules, tell: Report): void {
  const { role, tool_call_id } = message;
  if (typeof role !== 'string' || !(rules.roles ?? roles).includes(role))
    return tell(`the role ${JSON.stringify(role)}`);
  for (const field of texts) if (!isTextOrNone(message[field])) tell(`${field}: no text`);
  if (role === 'tool' && (!isTextOrNone(tool_call_id) || !tool_call_id)) tell('tool_call_id: none');
  if (role === 'assistant') checkCalls(message, rules, tell);
  else if (callsIn(message).length > 0) tell(`calls of a ${role}`);
  checkContent(message, role, { rules, tell });
}

function checkContent(message: Fields, role: string, { rules, tell }: { rules: Rules; tell: Report }): void {
  const { content } = message;
  if (Array.isArray(content)) checkParts(content.map(fieldsOf), role, { rules, tell });
  else if (!isTextOrNone(content)) tell('content: neither text nor parts');
  else if (!content && !mayBeEmpty(message)) tell('content: none');
}

/** A call or a refusal says enough. */
function mayBeEmpty(message: Fields): boolean {
  const { role, refusal, function_call } = message;
  return role === 'assistant' && (callsIn(message).length > 0 || isPlain(function_call) || Boolean(refusal));
}

function checkParts(parts: readonly Fields[], role: string, { rules, tell }: { rules: Rules; tell: Report }): void {
  if (parts.length === 0) tell('content: an empty list');
  const allowed = (partsOf[role] ?? ['text']).filter((type) => rules.parts?.includes(type) !== false);
  for (const [index, part] of parts.entries()) {
    const type = String(part['type']);
    if (!allowed.includes(type)) tell(`content[${index}]: a part of type ${type}`);
    else if (!isWholePart(type, part)) tell(`content[${index}]: an incomplete ${type}`);
  }
}

function isWholePart(type: string, part: Fields): boolean {
  const inner = fieldsOf(part[type]);
  const text = (value: unknown) => typeof value === 'string' && value !== '';
  switch (type) {
    case 'image_url':
      return text(inner['url']) && [undefined, 'auto', 'low', 'high'].includes(inner['detail'] as string | undefined);
    case 'input_audio':
      return text(inner['data']) && text(inner['format']);
    case 'file':
      return text(inner['file_data']) || text(inner['file_id']);
    case 'video_url':
      return text(inner['url']);
    case 'thinking':
      return part[type] !== undefined;
    default:
      return text(part[type]);
  }
}

function checkCalls(message: Fields, { callIds = /^[\s\S]{1,64}$/ }: Rules, tell: Report): void {
  const { tool_calls } = message;
  if (Array.isArray(tool_calls) ? tool_calls.length === 0 : (tool_calls ?? undefined) !== undefined)
    tell('tool_calls: an empty list or none');
  const ids = new Set<unknown>();
  for (const call of callsIn(message)) {
    const { id } = call;
    if (typeof id !== 'string' || !callIds.test(id)) tell(`the id ${String(id)}`);
    if (ids.has(id)) tell(`the id ${String(id)} a second time`);
    ids.add(id);
    checkCall(call, tell);
  }
}

function checkCall({ type, function: called, custom }: Fields, tell: Report): void {
  if (type !== 'function' && type !== 'custom') tell(`a call of type ${String(type)}`);
  const { name, arguments: args, input } = fieldsOf(type === 'custom' ? custom : called);
  if (!isName(name)) tell(`a call of ${String(name)}`);
  if (type === 'custom' && typeof input !== 'string') tell('an input that is no text');
  if (type === 'function' && !isObject(args)) tell(`arguments that are no JSON object: ${String(args)}`);
}

function checkTools(body: Fields, rules: Rules, report: Report): void {
  const { tools, parallel_tool_calls } = body;
  const specs = listOf(tools);
  const wrong =
    tools !== undefined && tools !== null && (!Array.isArray(tools) || (tools.length === 0 && !rules.emptyTools));
  if (wrong || specs.length > 128) report('tools: none or too many');
  const names = new Set<unknown>();
  for (const [index, spec] of specs.entries())
    checkTool(spec, names, (problem) => report(`tools[${index}]: ${problem}`));
  checkChoice(body['tool_choice'], { names, rules, report });
  if (parallel_tool_calls !== undefined && specs.length === 0) report('parallel_tool_calls: without tools');
}

function checkTool(tool: Fields, names: Set<unknown>, tell: Report): void {
  const { type } = tool;
  if (type === 'function' || type === 'custom') checkSpec(fieldsOf(tool[type]), names, tell);
  else if (typeof type !== 'string') tell('no type');
}

function checkSpec({ name, description, parameters, strict }: Fields, names: Set<unknown>, tell: Report): void {
  if (!isName(name) || names.has(name)) tell(`the name ${String(name)}`);
  names.add(name);
  if (description !== undefined && typeof description !== 'string') tell('the description');
  if (parameters !== undefined && !isPlain(parameters)) tell('the parameters');
  if (strict !== undefined && strict !== null && typeof strict !== 'boolean') tell('strict');
}

function checkChoice(
  choice: unknown,
  { names, rules, report }: { names: ReadonlySet<unknown>; rules: Rules; report: Report },
): void {
  if (choice === undefined || choice === null) return;
  const { toolChoices = ['auto', 'none', 'required'] } = rules;
  const { type, function: called, custom } = fieldsOf(choice);
  const wanted = type === 'custom' ? custom : called;
  const known =
    typeof choice === 'string'
      ? toolChoices.includes(choice)
      : (type === 'function' || type === 'custom') && names.has(fieldsOf(wanted)['name']);
  if (!known) report(`tool_choice: ${JSON.stringify(choice)}`);
  if (names.size === 0 && choice !== 'none' && choice !== 'auto') report('tool_choice: without tools');
}

function checkFormat(format: unknown, report: Report): void {
  if (format === undefined || format === null) return;
  const { type, json_schema } = fieldsOf(format);
  if (type === 'text' || type === 'json_object') return;
  if (type !== 'json_schema') return report(`response_format: ${String(type)}`);
  const { name, schema } = fieldsOf(json_schema);
  if (!isName(name)) report(`response_format: the name ${String(name)}`);
  if (schema !== undefined && !isPlain(schema)) report('response_format: the schema');
}

const ranges: { readonly [field: string]: readonly [number, number] } = {
  temperature: [0, 2],
  top_p: [0, 1],
  presence_penalty: [-2, 2],
  frequency_penalty: [-2, 2],
  n: [1, 128],
  max_tokens: [1, 1e7],
  max_completion_tokens: [1, 1e7],
};

function checkNumbers(body: Fields, report: Report): void {
  for (const [field, [least, most]] of Object.entries(ranges)) {
    const value = body[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !(value >= least && value <= most)) report(`${field}: ${JSON.stringify(value)}`);
  }
  const { stop } = body;
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  if (!Array.isArray(stops) || stops.length > 4 || stops.some((text) => typeof text !== 'string' || text === ''))
    report(`stop: ${JSON.stringify(stop)}`);
}

function callsIn({ tool_calls }: Fields): readonly Fields[] {
  return listOf(tool_calls);
}

function isTextOrNone(value: unknown): boolean {
  return value === undefined || value === null || typeof value === 'string';
}

function isName(name: unknown): boolean {
  return typeof name === 'string' && /^[\w-]{1,64}$/.test(name);
}

function isObject(json: unknown): boolean {
  try {
    return isPlain(JSON.parse(String(json)));
  } catch {
    return false;
  }
}

function isPlain(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isPlain(value) ? (value as Fields) : {};
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

/** How recordings of chat completions are read. */
export const reading: Reading = {
  hosted: (item) =>
    item.type.endsWith(':executed_tool') && 'data' in item
      ? [`executed_tool:${(item['data'] as { type: string }).type}`]
      : [],
  isHosted: (call) => call.startsWith('executed_tool'),
};
