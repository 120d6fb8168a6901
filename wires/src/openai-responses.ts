import type { Item } from '@polyrun/core';
import { errorKind, type Reading } from './corpus.ts';

/** How recordings of responses are read. */
export const reading: Reading = {
  hosted: hostedIn,
  errorKind: (error) => (error.code === 'insufficient_quota' ? 'quota' : errorKind(error)),
};

/** What the provider runs, and what only this wire asks its client to run, by the names that recordings use. */
function hostedIn(item: Item): string[] {
  const type = item.type.slice(item.type.indexOf(':') + 1);
  // xAI tells what its own search did as custom tool calls.
  if (item.type === 'xai:custom_tool_call') return [`custom_tool_call:${String(item['name'])}`];
  const isOther = /^(?:message|reasoning|function_call|custom_tool_call|compaction|.*_output)$/.test(type);
  return isOther ? [] : [type];
}

type Fields = { readonly [field: string]: unknown };
type Problem = (text: string) => void;

/**
 * What a request breaks of the API's grammar, as https://platform.openai.com/docs/api-reference/responses/create has it and refusals
 * tell it, and what is known of `provider` beyond; an empty list when it breaks none.
 */
export function grammarProblems(body: Fields, provider = ''): string[] {
  const problems: string[] = [];
  const problem: Problem = (text) => void problems.push(text);
  for (const field of Object.keys(body)) if (!fields.has(field)) problem(`${field} is no field of a request`);
  if (!isText(body['model']) && body['prompt'] === undefined) problem('model: neither it nor a prompt');
  checkInput(body, provider, problem);
  checkTools(body, problem);
  checkText(body['text'], problem);
  checkSettings(body, problem);
  return problems;
}

const fields: ReadonlySet<string> = new Set(
  (
    'access_programs background context_management conversation include input instructions max_output_tokens max_tool_calls metadata model moderation ' +
    'parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention reasoning ' +
    'safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p truncation user'
  ).split(' '),
);

// ── input ────────────────────────────────────────────────────────────────────────────────────────────────────────────

// oxlint-disable-next-line complexity -- one rule after the other
function checkInput(body: Fields, provider: string, problem: Problem): void {
  const { input } = body;
  const delta = (body['previous_response_id'] ?? body['conversation'] ?? body['prompt'] ?? null) !== null;
  if (typeof input === 'string') return void (input === '' && problem('input is empty'));
  if (!Array.isArray(input)) return void (delta || problem('input: neither text nor items'));
  if (input.length === 0 && !delta) problem('input is empty');
  const items = input.map(fieldsOf);
  for (const [index, item] of items.entries()) checkItem(item, body, (text) => problem(`input[${index}] ${text}`));
  checkPairs(items, delta, problem);
  checkIds(items, problem);
  if (!delta) checkApprovals(items, problem);
  checkReasoning(items, problem);
  if (provider === 'deepseek') checkTogether(items, problem);
}

type Field = 'text' | 'object' | 'list' | 'boolean' | 'call_id' | 'any';
/** The fields that each kind of item must have, beside messages. */
const required: { readonly [kind: string]: { readonly [field: string]: Field } } = {
  function_call: { call_id: 'call_id', name: 'text', arguments: 'any' },
  function_call_output: { call_id: 'call_id', output: 'any' },
  custom_tool_call: { call_id: 'call_id', name: 'text', input: 'any' },
  custom_tool_call_output: { call_id: 'call_id', output: 'any' },
  computer_call: { id: 'text', call_id: 'call_id' },
  computer_call_output: { call_id: 'call_id', output: 'object' },
  local_shell_call: { id: 'text', call_id: 'call_id', action: 'object' },
  local_shell_call_output: { output: 'any' },
  shell_call: { call_id: 'call_id', action: 'object' },
  shell_call_output: { call_id: 'call_id', output: 'list' },
  apply_patch_call: { call_id: 'call_id', operation: 'object' },
  apply_patch_call_output: { call_id: 'call_id', status: 'text' },
  reasoning: { summary: 'list' },
  web_search_call: { id: 'text' },
  file_search_call: { id: 'text', queries: 'list' },
  code_interpreter_call: { id: 'text', container_id: 'text' },
  image_generation_call: { id: 'text' },
  mcp_list_tools: { id: 'text', server_label: 'text', tools: 'list' },
  mcp_approval_request: { id: 'text', server_label: 'text', name: 'text', arguments: 'any' },
  mcp_approval_response: { approval_request_id: 'text', approve: 'boolean' },
  mcp_call: { id: 'text', server_label: 'text', name: 'text', arguments: 'any' },
  tool_search_call: { arguments: 'any' },
  tool_search_output: { tools: 'list' },
  additional_tools: { role: 'text', tools: 'list' },
  program: { id: 'text', call_id: 'call_id', code: 'any' },
  program_output: { id: 'text', call_id: 'call_id', result: 'any' },
  compaction: { encrypted_content: 'text' },
  item_reference: { id: 'text' },
};

/** Fields that the API documents as `null` where nothing is in them. */
const nullable =
  /^(?:id|status|phase|error|outputs?|results?|encrypted_content|call_id|approval_request_id|caller|namespace|action|code|reason|environment|max_output_length|acknowledged_safety_checks|revised_prompt)$/;

// oxlint-disable-next-line complexity -- one rule after the other
function checkItem(item: Fields, body: Fields, problem: Problem): void {
  const { type, role } = item;
  for (const field of ['origin', 'provider_data']) if (field in item) problem(`has ${field}, which is ours`);
  for (const [field, value] of Object.entries(item))
    if (value === null && !nullable.test(field)) problem(`has ${field}: null`);
  if (body['store'] === false) checkUnkept(item, problem);
  if (type === 'message' || (type === undefined && role !== undefined)) return checkMessage(item, problem);
  if (typeof type !== 'string' || type.includes(':')) return problem(`is of no kind that the API knows: ${say(type)}`);
  for (const [field, kind] of Object.entries(required[type] ?? {}))
    if (!has(item[field], kind)) problem(`(${type}) lacks ${field}`);
  if (isText(item['id']) && item['id'].length > 64) problem('has an id of more than 64 characters');
  if (type === 'function_call') checkCall(item, problem);
  if (/^(?:function|custom_tool)_call_output$/.test(type)) checkOutput(item['output'], problem);
  if (type === 'computer_call_output') checkScreenshot(fieldsOf(item['output']), problem);
  if (type === 'local_shell_call_output' && typeof item['output'] !== 'string') problem('output is no text');
  if (type === 'apply_patch_call_output' && !matches(item['status'], /^(?:completed|failed)$/))
    problem('has another status');
  if (type === 'reasoning') checkThought(item, problem);
}

/** What a server that keeps nothing cannot look up. */
function checkUnkept(item: Fields, problem: Problem): void {
  const { type, id, encrypted_content, content } = item;
  if (type === 'reasoning' && !encrypted_content && !Array.isArray(content))
    problem('is reasoning that nobody can read');
  if (
    id !== undefined &&
    (type === 'message' || type === 'function_call' || (type === 'reasoning' && encrypted_content))
  )
    problem('has an id that the server has not kept');
}

const inputParts = ['input_text', 'input_image', 'input_file'];

function checkMessage({ role, content, id }: Fields, problem: Problem): void {
  if (!matches(role, /^(?:user|assistant|system|developer)$/)) return problem(`has the role ${say(role)}`);
  if (typeof content === 'string') return;
  if (!Array.isArray(content) || content.length === 0) return problem('has no content');
  const allowed = role === 'assistant' ? ['output_text', 'refusal'] : inputParts;
  for (const part of content.map(fieldsOf)) checkPart(part, allowed, problem);
  if (role === 'assistant' && id !== undefined && !isText(id)) problem('has an id that is no text');
}

function checkPart(part: Fields, allowed: readonly string[], problem: Problem): void {
  const { type } = part;
  if (typeof type !== 'string' || !allowed.includes(type)) return problem(`has a part of kind ${say(type)}`);
  const text = type === 'refusal' ? part['refusal'] : part['text'];
  if (/text|refusal/.test(type) && typeof text !== 'string') problem(`has a ${type} without its text`);
  const places = { input_image: ['image_url', 'file_id'], input_file: ['file_data', 'file_url', 'file_id'] }[type];
  if (places && !places.some((place) => isText(part[place]))) problem(`has an ${type} without a place`);
}

function checkCall({ name, arguments: args }: Fields, problem: Problem): void {
  if (!matches(name, /^[\w-]{1,128}$/)) problem(`calls ${say(name)}, which is no name`);
  if (!isObjectText(args)) problem('has arguments that are no JSON object');
}

function checkOutput(output: unknown, problem: Problem): void {
  if (typeof output === 'string') return;
  if (!Array.isArray(output) || output.length === 0) return problem('output is neither text nor parts');
  for (const part of output.map(fieldsOf)) checkPart(part, inputParts, problem);
}

function checkScreenshot({ type, image_url, file_id }: Fields, problem: Problem): void {
  if (type !== 'computer_screenshot' || !(isText(image_url) || isText(file_id))) problem('output is no screenshot');
}

function checkThought({ summary, content }: Fields, problem: Problem): void {
  for (const part of listOf(summary))
    if (part['type'] !== 'summary_text' || !isString(part['text'])) problem('summary has another part');
  for (const part of listOf(content))
    if (part['type'] !== 'reasoning_text' || !isString(part['text'])) problem('content has another part');
}

/** The kinds that must be answered, each by its own kind of output. */
const answers: { readonly [call: string]: string } = {
  function_call: 'function_call_output',
  custom_tool_call: 'custom_tool_call_output',
  computer_call: 'computer_call_output',
  local_shell_call: 'local_shell_call_output',
  shell_call: 'shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
  tool_search_call: 'tool_search_output',
};

// oxlint-disable-next-line complexity -- one rule after the other
function checkPairs(items: readonly Fields[], delta: boolean, problem: Problem): void {
  const calls = new Map<string, { index: number; answer: string; open: boolean }>();
  for (const [index, item] of items.entries()) {
    const type = say(item['type']);
    const id = item['call_id'];
    // What the server ran by itself needs no answer of the client.
    if (typeof id !== 'string' || item['execution'] === 'server') continue;
    const answer = Object.hasOwn(answers, type) ? answers[type] : undefined;
    const call = calls.get(id);
    if (answer !== undefined) {
      if (call) problem(`input[${index}] uses ${id} again`);
      calls.set(id, { index, answer, open: true });
    } else if (Object.values(answers).includes(type)) {
      if (call ? !call.open || call.answer !== type : !delta) problem(`input[${index}] answers no open call`);
      if (call) call.open = false;
    }
  }
  for (const { index, open } of calls.values()) if (open) problem(`input[${index}] is not answered`);
}

/** 400 "Duplicate item found with id … Remove duplicate items from your input and try again." */
function checkIds(items: readonly Fields[], problem: Problem): void {
  const seen = new Set<unknown>();
  for (const [index, { id }] of items.entries()) {
    if (isText(id) && seen.has(id)) problem(`input[${index}] has the id ${id} of another item`);
    seen.add(id);
  }
}

function checkApprovals(items: readonly Fields[], problem: Problem): void {
  const asked = new Set(items.filter(({ type }) => type === 'mcp_approval_request').map(({ id }) => id));
  for (const [index, { type, approval_request_id }] of items.entries())
    if (type === 'mcp_approval_response' && !asked.has(approval_request_id))
      problem(`input[${index}] answers no request for approval`);
}

/** 400 "Item 'rs_…' of type 'reasoning' was provided without its required following item." */
function checkReasoning(items: readonly Fields[], problem: Problem): void {
  for (const [index, item] of items.entries()) {
    if (item['type'] !== 'reasoning') continue;
    const next = items.slice(index + 1).find(({ type }) => type !== 'reasoning');
    const isMessage = next?.['role'] !== undefined && next['type'] !== 'additional_tools';
    const isRewritten =
      isMessage && next['id'] === undefined && item['id'] !== undefined && isText(item['encrypted_content']);
    const isModels =
      next && (isMessage ? next['role'] === 'assistant' : !/_output$|_response$/.test(say(next['type'])));
    if (!isModels || isRewritten) problem(`input[${index}] is reasoning without the item that followed it`);
  }
}

/** 400 "No tool output found for tool call …": DeepSeek takes a message for the end of the turn. */
function checkTogether(items: readonly Fields[], problem: Problem): void {
  const isCall = (item: Fields | undefined) =>
    typeof item?.['type'] === 'string' && Object.hasOwn(answers, item['type']);
  for (const [index, item] of items.entries())
    if (isCall(items[index - 1]) && !isCall(item) && !say(item['type']).endsWith('_output'))
      problem(`input[${index}] stands between calls and their outputs`);
}

// ── what stands beside the input ─────────────────────────────────────────────────────────────────────────────────────

function checkTools({ tools, tool_choice, parallel_tool_calls }: Fields, problem: Problem): void {
  const specs = listOf(tools);
  if (tools !== undefined && !Array.isArray(tools)) problem('tools is no list');
  const names = specs.map(({ name, type }) =>
    type === 'function' || type === 'custom' ? say(name) : `${say(type)} ${specs.length}`,
  );
  const functions = names.filter((_, index) => /^(?:function|custom)$/.test(say(specs[index]?.['type'])));
  if (new Set(functions).size < functions.length) problem('two tools have one name');
  for (const [index, tool] of specs.entries()) checkTool(tool, (text) => problem(`tools[${index}] ${text}`));
  if (tool_choice !== undefined) checkChoice(tool_choice, specs, problem);
  if (typeof (parallel_tool_calls ?? true) !== 'boolean') problem('parallel_tool_calls is no boolean');
}

function checkTool(tool: Fields, problem: Problem): void {
  const { type, name, parameters, strict, description } = tool;
  if (typeof type !== 'string' || type.includes(':')) return problem('is of no kind that the API knows');
  if (type !== 'function') return;
  if (!matches(name, /^[\w-]{1,128}$/)) problem('has no legal name');
  if (!isObject(parameters)) problem('has no schema');
  if (strict !== undefined && strict !== null && typeof strict !== 'boolean') problem('strict is no boolean');
  if (description !== undefined && description !== null && typeof description !== 'string')
    problem('description is no text');
}

function checkChoice(choice: unknown, tools: readonly Fields[], problem: Problem): void {
  if (typeof choice === 'string') {
    if (!/^(?:auto|none|required)$/.test(choice)) problem(`tool_choice: ${choice}`);
    if (choice === 'required' && tools.length === 0) problem('tool_choice: there are no tools');
    return;
  }
  const { type, name } = fieldsOf(choice);
  const isThere =
    type === 'allowed_tools' ||
    tools.some((tool) => tool['type'] === type && (type !== 'function' || tool['name'] === name));
  if (!isThere) problem('tool_choice: there is no such tool');
}

function checkText(text: unknown, problem: Problem): void {
  if (text === undefined) return;
  const { format, verbosity } = fieldsOf(text);
  if (verbosity !== undefined && !matches(verbosity, /^(?:low|medium|high)$/)) problem('text.verbosity');
  if (format === undefined) return;
  const { type, name, schema } = fieldsOf(format);
  if (!matches(type, /^(?:text|json_object|json_schema)$/)) problem('text.format.type');
  if (type === 'json_schema' && !matches(name, /^[\w-]{1,64}$/)) problem('text.format.name');
  if (type === 'json_schema' && !isObject(schema)) problem('text.format.schema');
}

const ranges: { readonly [field: string]: readonly [number, number] } = {
  temperature: [0, 2],
  top_p: [0, 1],
  max_output_tokens: [16, Infinity],
  max_tool_calls: [1, Infinity],
  top_logprobs: [0, 20],
};
const words: { readonly [field: string]: RegExp } = {
  truncation: /^(?:auto|disabled)$/,
  service_tier: /^(?:auto|default|flex|scale|priority|fast)$/,
  prompt_cache_retention: /^(?:in_memory|in-memory|24h)$/,
};

function checkSettings(body: Fields, problem: Problem): void {
  for (const [field, [least, most]] of Object.entries(ranges)) {
    const value = body[field];
    if (value !== undefined && value !== null && !(typeof value === 'number' && value >= least && value <= most))
      problem(`${field} is out of range`);
  }
  for (const [field, allowed] of Object.entries(words))
    if (body[field] !== undefined && !matches(body[field], allowed)) problem(`${field}: ${say(body[field])}`);
  checkState(body, problem);
}

// oxlint-disable-next-line complexity -- one rule after the other
function checkState(body: Fields, problem: Problem): void {
  const { reasoning, include, background, store, stream, conversation, previous_response_id } = body;
  const { effort } = fieldsOf(reasoning);
  if (effort && !matches(effort, /^(?:none|minimal|low|medium|high|xhigh|max)$/))
    problem(`reasoning.effort: ${say(effort)}`);
  if (include !== undefined && !(Array.isArray(include) && include.every(isText)))
    problem('include is no list of names');
  for (const [field, value] of Object.entries({ background, store, stream }))
    if (value !== undefined && typeof value !== 'boolean') problem(`${field} is no boolean`);
  if (background === true && store === false) problem('background: the response is not kept');
  if (conversation !== undefined && previous_response_id !== undefined)
    problem('conversation and previous_response_id together');
}

// ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────

function has(value: unknown, kind: Field): boolean {
  switch (kind) {
    case 'text':
      return isText(value);
    case 'call_id':
      return isText(value) && value.length <= 64;
    case 'object':
      return isObject(value);
    case 'list':
      return Array.isArray(value);
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return value !== undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}

/** A value in words. */
function say(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
}

function isString(value: unknown): boolean {
  return typeof value === 'string';
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectText(text: unknown): boolean {
  try {
    return isObject(JSON.parse(say(text)));
  } catch {
    return false;
  }
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
