import type { Item } from '@polyrun/core';
import type { Reading } from './corpus.ts';

type Fields = { readonly [field: string]: unknown };
type Problems = string[];
/** Says what is wrong with a value; nothing when it is right. `where` names it. */
type Rule = (value: unknown, where: string) => Problems;

/**
 * What Mistral's chat completions demand of a request, as https://docs.mistral.ai/api/endpoint/chat and its OpenAPI description have it
 * (unknown fields are refused with 422), and of the order of messages, as the provider's own mistral-common checks it (refused with
 * 400, code 3230). System messages are wanted at the start, where all of the provider's examples have them.
 */
export function grammarProblems(body: unknown): string[] {
  if (!isObject(body)) return ['the body is no object'];
  const messages = Array.isArray(body['messages']) ? (body['messages'] as unknown[]).map(fieldsOf) : [];
  return [
    ...fields(bodyRules, ['model', 'messages'])(body, 'body'),
    ...messages.flatMap((message, index) => messageProblems(message, `messages[${index}]`)),
    ...orderProblems(messages),
    ...callProblems(messages),
    ...toolProblems(body),
  ];
}

const text: Rule = (value, where) => (typeof value === 'string' ? [] : [`${where} is no text`]);
const filled: Rule = (value, where) =>
  typeof value === 'string' && value !== '' ? [] : [`${where} is no text, or empty`];
const flag: Rule = (value, where) => (typeof value === 'boolean' ? [] : [`${where} is neither true nor false`]);
const object: Rule = (value, where) => (isObject(value) ? [] : [`${where} is no object`]);
const oneOf =
  (...values: readonly unknown[]): Rule =>
  (value, where) =>
    values.includes(value) ? [] : [`${where} is none of ${values.join(', ')}`];
const between =
  (least: number, most: number): Rule =>
  (value, where) =>
    typeof value === 'number' && value >= least && value <= most
      ? []
      : [`${where} is not between ${least} and ${most}`];
const whole =
  (least: number): Rule =>
  (value, where) =>
    Number.isInteger(value) && (value as number) >= least ? [] : [`${where} is no whole number from ${least}`];
const listOf =
  (rule: Rule, least = 0): Rule =>
  (value, where) => {
    if (!Array.isArray(value)) return [`${where} is no list`];
    if (value.length < least) return [`${where} is empty`];
    return value.flatMap((entry, index) => rule(entry, `${where}[${index}]`));
  };
const either =
  (...rules: readonly Rule[]): Rule =>
  (value, where) => {
    const found = rules.map((rule) => rule(value, where));
    return found.some((problems) => problems.length === 0) ? [] : (found.at(-1) ?? []);
  };
const orNull =
  (rule: Rule): Rule =>
  (value, where) =>
    value === null ? [] : rule(value, where);
/** An object with these fields and no others, and without none of the needed ones. */
const fields =
  (rules: { readonly [field: string]: Rule }, needed: readonly string[]): Rule =>
  (value, where) => {
    if (!isObject(value)) return [`${where} is no object`];
    const known = Object.entries(value).filter(([, entry]) => entry !== undefined);
    return [
      ...needed.filter((name) => value[name] === undefined).map((name) => `${where}.${name} is missing`),
      ...known.flatMap(([name, entry]) =>
        Object.hasOwn(rules, name)
          ? (rules[name]?.(entry, `${where}.${name}`) ?? [])
          : [`${where}.${name} is not known`],
      ),
    ];
  };
/** An object whose `type` says which fields it has. */
const kinds =
  (rules: { readonly [type: string]: Rule }): Rule =>
  (value, where) => {
    const type = String(fieldsOf(value)['type']);
    return Object.hasOwn(rules, type) ? (rules[type]?.(value, where) ?? []) : [`${where}.type '${type}' is not known`];
  };
const kind = (rules: { readonly [field: string]: Rule }, needed: readonly string[]): Rule =>
  fields({ type: text, ...rules }, ['type', ...needed]);

const name: Rule = (value, where) =>
  typeof value === 'string' && /^[a-zA-Z0-9_-]{1,64}$/.test(value) ? [] : [`${where} is no legal name of a function`];
const callId: Rule = (value, where) =>
  typeof value === 'string' && /^[a-zA-Z0-9]{9}$/.test(value) ? [] : [`${where} is not nine letters or digits`];
const jsonObject: Rule = (value, where) => {
  if (isObject(value)) return [];
  try {
    return isObject(JSON.parse(value as string)) ? [] : [`${where} is no JSON object`];
  } catch {
    return [`${where} is no JSON`];
  }
};

const textChunk = kind({ text: filled }, ['text']);
const reference = kind({ reference_ids: listOf(either(whole(0), text)) }, ['reference_ids']);
const toolReference = kind(
  { tool: text, title: text, url: orNull(text), favicon: orNull(text), description: orNull(text) },
  ['tool', 'title'],
);
const thinking = kind(
  {
    thinking: listOf(kinds({ text: kind({ text }, ['text']), reference, tool_reference: toolReference })),
    signature: orNull(text),
    closed: flag,
  },
  ['thinking'],
);
const image = either(filled, fields({ url: filled, detail: orNull(oneOf('low', 'auto', 'high')) }, ['url']));
const chunks: { readonly [type: string]: Rule } = {
  text: textChunk,
  reference,
  thinking,
  tool_reference: toolReference,
  image_url: kind({ image_url: image }, ['image_url']),
  document_url: kind({ document_url: filled, document_name: orNull(text) }, ['document_url']),
  file: kind({ file_id: filled }, ['file_id']),
  input_audio: kind({ input_audio: filled }, ['input_audio']),
};
const content = either(text, listOf(kinds(chunks)));
const call = fields(
  {
    id: callId,
    type: oneOf('function'),
    function: fields({ name, arguments: jsonObject }, ['name', 'arguments']),
    index: whole(0),
  },
  ['id', 'function'],
);

const roles: { readonly [role: string]: Rule } = {
  system: fields({ role: text, content: either(filled, listOf(kinds({ text: textChunk, thinking }), 1)) }, ['content']),
  user: fields({ role: text, content: either(filled, listOf(kinds(chunks), 1)) }, ['content']),
  assistant: fields({ role: text, content: orNull(content), tool_calls: orNull(listOf(call)), prefix: flag }, []),
  tool: fields(
    { role: text, content: either(filled, listOf(kinds(chunks), 1)), tool_call_id: callId, name: orNull(name) },
    ['content', 'tool_call_id'],
  ),
};

const configured = kind({ tool_configuration: orNull(object) }, []);
const tools: { readonly [type: string]: Rule } = {
  function: kind(
    {
      function: fields({ name, description: text, strict: flag, parameters: object }, ['name', 'parameters']),
    },
    ['function'],
  ),
  web_search: configured,
  web_search_premium: configured,
  code_interpreter: configured,
  image_generation: configured,
  document_library: kind({ tool_configuration: orNull(object), library_ids: listOf(text, 1) }, ['library_ids']),
  connector: kind({ tool_configuration: orNull(object), connector_id: text, authorization: orNull(object) }, [
    'connector_id',
  ]),
};
/** What recordings of older clients leave out. */
const tool: Rule = (value, where) => kinds(tools)({ type: 'function', ...fieldsOf(value) }, where);

const bodyRules: { readonly [field: string]: Rule } = {
  model: filled,
  messages: listOf(object, 1),
  temperature: orNull(between(0, 1.5)),
  top_p: orNull(between(0, 1)),
  max_tokens: orNull(whole(0)),
  stream: flag,
  stop: orNull(either(text, listOf(text))),
  random_seed: orNull(whole(0)),
  metadata: orNull(object),
  response_format: kinds({
    text: kind({}, []),
    json_object: kind({}, []),
    json_schema: kind(
      {
        json_schema: fields({ name: filled, description: orNull(text), schema: object, strict: flag }, [
          'name',
          'schema',
        ]),
      },
      ['json_schema'],
    ),
  }),
  tools: orNull(listOf(tool)),
  tool_choice: either(
    oneOf('auto', 'none', 'any', 'required'),
    fields({ type: oneOf('function'), function: fields({ name }, ['name']) }, ['function']),
  ),
  presence_penalty: orNull(between(-2, 2)),
  frequency_penalty: orNull(between(-2, 2)),
  n: orNull(whole(1)),
  prediction: object,
  parallel_tool_calls: flag,
  reasoning_effort: orNull(oneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh')),
  prompt_mode: orNull(oneOf('reasoning')),
  guardrails: orNull(listOf(object)),
  prompt_cache_key: orNull(text),
  service_tier: orNull(oneOf('auto', 'standard_only')),
  safe_prompt: flag,
};

function messageProblems(message: Fields, where: string): Problems {
  const role = String(message['role']);
  const rule = Object.hasOwn(roles, role) ? roles[role] : undefined;
  if (!rule) return [`${where}.role '${role}' is not known`];
  return [...rule(message, where), ...(role === 'assistant' ? saidProblems(message, where) : [])];
}

function saidProblems({ content: said, tool_calls: calls }: Fields, where: string): Problems {
  const empty = (value: unknown) => !(typeof value === 'string' || Array.isArray(value)) || value.length === 0;
  return empty(said) && empty(calls) ? [`${where} has neither content nor calls`] : [];
}

/** The roles that may follow a role. */
const followers: { readonly [role: string]: readonly string[] } = {
  system: ['system', 'user', 'assistant'],
  user: ['user', 'assistant'],
  assistant: ['user', 'assistant', 'tool'],
  tool: ['tool', 'assistant'],
};

function orderProblems(messages: readonly Fields[]): Problems {
  const roleAt = (index: number) => String(messages[index]?.['role']);
  const misplaced = messages.flatMap((message, index): Problems => {
    const [before, role] = [index === 0 ? 'system' : roleAt(index - 1), roleAt(index)];
    const right = !Object.hasOwn(roles, role) || (followers[before] ?? [role]).includes(role);
    const late = message['prefix'] === true && index < messages.length - 1;
    return [
      ...(right ? [] : [`messages[${index}]: unexpected role '${role}' after role '${before}'`]),
      ...(late ? [`messages[${index}] is a prefix, but not the last`] : []),
    ];
  });
  const last = messages.at(-1);
  const answerable = !last || last['role'] === 'user' || last['role'] === 'tool' || last['prefix'] === true;
  return answerable ? misplaced : [...misplaced, `the last message is the ${String(last['role'])}'s`];
}

function callProblems(messages: readonly Fields[]): Problems {
  const problems: Problems = [];
  const seen = new Set<unknown>();
  let open: unknown[] = [];
  for (const [index, message] of messages.entries()) {
    const where = `messages[${index}]`;
    if (message['role'] === 'tool') {
      const id = message['tool_call_id'];
      if (!open.includes(id)) problems.push(`${where} answers no open call`);
      open = open.filter((each) => each !== id);
      continue;
    }
    if (open.length > 0) problems.push(`${where} stands before the answer to a call`);
    const calls = Array.isArray(message['tool_calls']) ? (message['tool_calls'] as unknown[]).map(fieldsOf) : [];
    open = calls.map(({ id }) => id);
    for (const id of open) {
      if (seen.has(id)) problems.push(`${where} uses the id ${String(id)} again`);
      seen.add(id);
    }
  }
  return open.length > 0 ? [...problems, 'calls are left without an answer'] : problems;
}

function toolProblems(body: Fields): Problems {
  const offered = Array.isArray(body['tools']) ? (body['tools'] as unknown[]).map(fieldsOf) : [];
  const choice = fieldsOf(fieldsOf(body['tool_choice'])['function'])['name'];
  const names = offered.map((each) => fieldsOf(each['function'])['name']);
  const format = String(fieldsOf(body['response_format'])['type']);
  const forced = body['tool_choice'] === 'any' || body['tool_choice'] === 'required' || choice !== undefined;
  return [
    ...(forced && offered.length === 0 ? ['body.tool_choice wants a tool, but there is none'] : []),
    ...(choice !== undefined && !names.includes(choice) ? ['body.tool_choice names a tool that is not there'] : []),
    ...(offered.length > 0 && format.startsWith('json')
      ? ['body.response_format: no JSON format together with tools']
      : []),
    ...(new Set(names.filter(Boolean)).size < names.filter(Boolean).length ? ['body.tools has a name twice'] : []),
  ];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isObject(value) ? value : {};
}

/** How recordings of Mistral are read. */
export const reading: Reading = {
  hosted: (item: Item) => (item.type.endsWith(':tool_execution') && 'name' in item ? [String(item.name)] : []),
};
