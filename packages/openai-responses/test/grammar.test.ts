import type { Item } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { corpusMissing } from '@polyrun/wires/corpus';
import { ask } from '@polyrun/wires/endpoint';
import { damaged, history, issuers, log, numbers, secretOf, turnOf } from '@polyrun/wires/logs';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';
import { providerName, recorded } from './support/wire.ts';

type Fields = { readonly [field: string]: unknown };
type Body = Fields & { readonly input: readonly Fields[]; readonly tools: readonly Fields[] };
type Mutate = (body: Body) => Fields;

const places = [
  ['openai', 'gpt-5.6'],
  ['openai', 'gpt-4.1'],
  ['azure', 'my-deployment'],
  ['xai', 'grok-4'],
  ['deepseek', 'deepseek-v4'],
  ['some-endpoint', 'm'],
] as const;
const optionsOf = (name: string) => ({ name, baseURL: 'https://example.test/v1' });

describe('whatever the log holds, the request obeys the wire', () => {
  test.each(places)(verifies('X1', '%s %s, of generated logs'), async (name, model) => {
    const next = numbers(7);
    for (let round = 0; round < 600; round++) {
      const input = log(next);
      const { body, response } = await encoded(ask({ input }), { model, options: optionsOf(name) });
      expect([...grammarProblems(body, name), ...idProblems(body)], JSON.stringify(input)).toEqual([]);
      expect(response.adaptations.every(({ detail }) => detail !== '')).toBe(true);
    }
  });

  test.each(places)(verifies('X1', '%s %s, of conversations damaged at every place'), async (name, model) => {
    for (const issuer of Object.values(issuers)) {
      for (const { name: damage, items: input } of damaged(history(issuer))) {
        const { body } = await encoded(ask({ input }), { model, options: optionsOf(name) });
        expect([...grammarProblems(body, name), ...idProblems(body)], `${issuer.api} ${damage}`).toEqual([]);
      }
    }
  });

  test(verifies('X2', 'what another provider left for itself is not in any request'), async () => {
    for (const issuer of Object.values(issuers)) {
      const { body } = await encoded(ask({ input: history(issuer) }), { options: optionsOf('lmstudio') });
      expect(JSON.stringify(body)).not.toContain(secretOf(issuer));
    }
  });

  test(verifies('X2', 'what OpenAI left for itself goes back to it byte for byte'), async () => {
    const issuer = issuers['openai-responses'];
    const { input } = await encoded(ask({ input: history(issuer) }));
    const thoughts = input.filter(({ type }) => type === 'reasoning');
    expect(thoughts).toHaveLength(3);
    for (const thought of thoughts) expect(thought['encrypted_content']).toBe(secretOf(issuer));
    expect(JSON.stringify(input)).toContain('"encrypted_index"');
  });
});

describe('a request is the beginning of the next one', () => {
  const all = [undefined, ...Object.values(issuers)];

  test.each(places)(verifies('X4', '%s %s, turn by turn, so that prompt caches live'), async (name, model) => {
    const next = numbers(3);
    for (let round = 0; round < 40; round++) {
      const log: Item[] = [{ type: 'message', role: 'user', content: 'go' }];
      let earlier: readonly unknown[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const asked = ask({ instructions: 'Be brief.', input: [...log] });
        const { input } = await encoded(asked, { model, options: optionsOf(name) });
        expect(input.slice(0, earlier.length)).toEqual(earlier);
        earlier = input;
        log.push(...turnOf(turn, next, all[round % all.length]));
      }
    }
  });
});

function idProblems({ input }: Fields): string[] {
  const calls = (input as Fields[]).filter(({ type }) => String(type).endsWith('_call') && type !== 'mcp_call');
  const ids = calls.flatMap(({ call_id }) => (typeof call_id === 'string' ? [call_id] : []));
  const twice = ids.length === new Set(ids).size ? [] : [`ids are used twice: ${ids.join(', ')}`];
  return [...twice, ...ids.filter((id) => !/^[\w.:-]{1,40}$/.test(id)).map((id) => `illegal id ${id}`)];
}

describe('the grammar itself', () => {
  const cassettes = corpusMissing === undefined ? recorded() : [];
  const exchanges = cassettes.flatMap((cassette) =>
    cassette.exchanges.flatMap(({ index, request, response }) =>
      request?.body
        ? [{ id: `${cassette.id}/${index}`, body: request.body, name: providerName(cassette), status: response.status }]
        : [],
    ),
  );
  const accepted = exchanges.filter(({ status }) => status < 400);

  test.skipIf(corpusMissing !== undefined)('takes every recorded request that was accepted', () => {
    const refused = accepted.map(({ id, body, name }) => [id, ...grammarProblems(body, name)]);
    expect(refused.filter((found) => found.length > 1)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(170);
  });

  test.skipIf(corpusMissing !== undefined)('sees what is wrong with every one that was refused for its form', () => {
    // One was refused for the kind of a file behind an address.
    const forms = exchanges.filter(({ status, id }) => status === 400 && !id.includes('url-audio'));
    expect(forms.map(({ body, name }) => grammarProblems(body, name))).toEqual([
      ['input[2] stands between calls and their outputs'],
      ['temperature is out of range'],
      ['input[1] is reasoning without the item that followed it'],
    ]);
  });

  test.skipIf(corpusMissing !== undefined)(
    'sees an item too many, too few or out of place in recorded requests',
    () => {
      let checked = 0;
      for (const { body, name } of accepted) {
        const input = body['input'];
        if (!Array.isArray(input) || (body['previous_response_id'] ?? body['conversation'])) continue;
        const items = input as Fields[];
        const at = items.findIndex(({ type }) => type === 'function_call');
        const output = items.findIndex(
          ({ type, call_id }) => type === 'function_call_output' && call_id === items[at]?.['call_id'],
        );
        if (at < 0 || output < 0) continue;
        checked++;
        for (const broken of [
          items.toSpliced(at, 1),
          items.toSpliced(output, 1),
          items.toSpliced(at, 0, ...items.slice(at, at + 1)),
          items.toSpliced(output, 0, ...items.slice(output, output + 1)),
          items.slice(0, at + 1),
          items.toSpliced(output, 1).toSpliced(at, 0, ...items.slice(output, output + 1)),
        ])
          expect(grammarProblems({ ...body, input: broken }, name)).not.toEqual([]);
      }
      expect(checked).toBeGreaterThan(20);
    },
  );

  test.each(mutations())('sees %s', (_, mutate, provider) => {
    expect(grammarProblems(whole(), provider)).toEqual([]);
    expect(grammarProblems({ ...whole(), ...mutate(whole()) }, provider)).not.toEqual([]);
  });
});

const image = { type: 'input_image', image_url: 'https://example.test/a.png' };

/** A body with something of everything. */
function whole(): Body {
  return {
    model: 'm',
    store: false,
    include: ['reasoning.encrypted_content'],
    input: [
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'go' }, image] },
      { type: 'reasoning', summary: [], encrypted_content: 'x' },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'done' },
      { type: 'mcp_approval_request', id: 'mcpr_1', server_label: 's', name: 'n', arguments: '{}' },
      { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
      { type: 'computer_call', id: 'cu_1', call_id: 'cc', action: { type: 'wait' }, status: 'completed' },
      { type: 'computer_call_output', call_id: 'cc', output: { type: 'computer_screenshot', image_url: 'data:,' } },
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hi', annotations: [] }] },
    ],
    tools: [
      { type: 'function', name: 'f', description: 'F', parameters: { type: 'object' }, strict: false },
      { type: 'mcp', server_label: 's', server_url: 'https://example.test' },
    ],
    tool_choice: 'auto',
    text: { format: { type: 'json_schema', name: 'o', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
    reasoning: { effort: 'low', summary: 'auto' },
    temperature: 1,
  };
}

/** Ways to spoil that body, each against one rule. */
function mutations(): [string, Mutate, string?][] {
  const item =
    (index: number, change: Fields): Mutate =>
    (body) => ({ input: body.input.with(index, { ...body.input[index], ...change }) });
  const added =
    (...more: Fields[]): Mutate =>
    (body) => ({ input: [...body.input, ...more] });
  const without =
    (index: number): Mutate =>
    (body) => ({ input: body.input.toSpliced(index, 1) });
  const tool =
    (change: Fields): Mutate =>
    (body) => ({ tools: [{ ...body.tools[0], ...change }] });
  const call = (fields: Fields) => ({ type: 'function_call', call_id: 'c2', name: 'f', arguments: '{}', ...fields });
  return [
    ['no model', () => ({ model: '' })],
    ['an unknown field', () => ({ messages: [] })],
    ['a setting that this wire lacks', () => ({ top_k: 4 })],
    ['no input', () => ({ input: [] })],
    ['an empty text as input', () => ({ input: '' })],
    ['an unknown role', item(0, { role: 'human' })],
    ['no content', item(0, { content: [] })],
    ['content that is missing', item(0, { content: null })],
    ['a part of the model said by a user', item(0, { content: [{ type: 'output_text', text: 'a' }] })],
    ['a part of a user said by the model', item(8, { content: [{ type: 'input_text', text: 'a' }] })],
    ['sound', item(0, { content: [{ type: 'input_audio', input_audio: {} }] })],
    ['an image without an address', item(0, { content: [{ type: 'input_image' }] })],
    ['a text part without its text', item(0, { content: [{ type: 'input_text' }] })],
    ['a kind of another provider', item(0, { type: 'mistral:thing' })],
    ['our own fields', item(8, { origin: { provider: 'openai' } })],
    ['ours too', item(8, { provider_data: {} })],
    ['a null', item(8, { annotations: null })],
    ['an id that the server has not kept', item(8, { id: 'msg_1' })],
    ['the id of encrypted reasoning', item(1, { id: 'rs_1' })],
    ['the id of a call', item(2, { id: 'fc_1' })],
    ['an id twice', added({ type: 'item_reference', id: 'cu_1' })],
    ['reasoning that nobody can read', item(1, { encrypted_content: undefined })],
    ['reasoning without a summary', item(1, { summary: undefined })],
    ['reasoning whose content is something else', item(1, { content: [{ type: 'output_text', text: '' }] })],
    ['reasoning without what followed it', without(2)],
    ['reasoning at the end', added({ type: 'reasoning', summary: [], encrypted_content: 'x' })],
    ['a call without an answer', without(3)],
    ['an answer without a call', item(3, { call_id: 'other' })],
    ['an answer of another kind', item(3, { type: 'custom_tool_call_output' })],
    ['an id of a call twice', added(call({ call_id: 'call_1' }))],
    ['a long id of a call', added(call({ call_id: 'x'.repeat(65) }))],
    ['arguments that are cut', item(2, { arguments: '{"a' })],
    ['arguments that are no object', item(2, { arguments: '[]' })],
    ['an illegal name', item(2, { name: 'f g' })],
    ['an output that is missing', item(3, { output: undefined })],
    ['an empty list as output', item(3, { output: [] })],
    ['an approval of nothing', item(5, { approval_request_id: 'other' })],
    ['an approval that does not decide', item(5, { approve: 'yes' })],
    ['a request for approval without an id', item(4, { id: undefined })],
    ['a picture that is none', item(7, { output: { type: 'input_image' } })],
    ['a picture that is a text', item(7, { output: 'failed' })],
    ['a hosted call without an id', added({ type: 'web_search_call', status: 'completed' })],
    [
      'a message between calls',
      added(call({}), { role: 'assistant', content: 'a' }, { type: 'function_call_output', call_id: 'c2', output: '' }),
      'deepseek',
    ],
    ['a tool without a name', tool({ name: undefined })],
    ['parameters that are no schema', tool({ parameters: 'object' })],
    ['a tool of another provider', tool({ type: 'anthropic:web_fetch' })],
    ['two tools of one name', (body) => ({ tools: [body.tools[0] ?? {}, body.tools[0] ?? {}] })],
    ['a choice of nothing', () => ({ tool_choice: { type: 'function', name: 'other' } })],
    ['an unknown choice', () => ({ tool_choice: 'any' })],
    ['a format without a name', () => ({ text: { format: { type: 'json_schema', schema: {} } } })],
    ['a format without a schema', () => ({ text: { format: { type: 'json_schema', name: 'a' } } })],
    ['an unknown verbosity', () => ({ text: { verbosity: 'loud' } })],
    ['an unknown effort', () => ({ reasoning: { effort: 'huge' } })],
    ['a temperature out of range', () => ({ temperature: 3 })],
    ['an unknown truncation', () => ({ truncation: 'always' })],
    ['two kinds of state', () => ({ conversation: 'c', previous_response_id: 'r' })],
    ['work in the background that is not kept', () => ({ background: true })],
    ['names that are none', () => ({ include: [1] })],
  ];
}
