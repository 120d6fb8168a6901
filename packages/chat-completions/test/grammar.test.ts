import type { Item } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { corpusMissing } from '@polyrun/wires/corpus';
import { ask } from '@polyrun/wires/endpoint';
import { damaged, history, issuers, log, numbers, secretOf, turnOf } from '@polyrun/wires/logs';
import { grammarProblems } from '@polyrun/wires/chat-completions';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';
import { chatCassettes, providerName } from './support/wire.ts';

type Fields = { readonly [field: string]: unknown };
type Body = Fields & { readonly messages: readonly Fields[]; readonly tools: readonly Fields[] };
type Mutate = (body: Body) => Fields;

const places = [
  ['openai', 'gpt-4.1'],
  ['openai', 'gpt-5'],
  ['mistral', 'mistral-small-latest'],
  ['deepseek', 'deepseek-reasoner'],
  ['perplexity', 'sonar'],
  ['groq', 'llama'],
  ['some-endpoint', 'm'],
] as const;
const optionsOf = (name: string) => ({ name, baseURL: 'https://example.test/v1' });

describe('whatever the log holds, the request obeys the wire', () => {
  test.each(places)(verifies('X1', '%s %s, of generated logs'), async (name, model) => {
    const next = numbers(7);
    for (let round = 0; round < 600; round++) {
      const input = log(next);
      const { body, response } = await encoded(ask({ input }), { model, options: optionsOf(name) });
      expect([...grammarProblems(body, name), ...idProblems(body, name)], JSON.stringify(input)).toEqual([]);
      expect(response.adaptations.every(({ detail }) => detail !== '')).toBe(true);
    }
  });

  test.each(places)(verifies('X1', '%s %s, of conversations damaged at every place'), async (name, model) => {
    for (const issuer of Object.values(issuers)) {
      for (const { name: damage, items: input } of damaged(history(issuer))) {
        const { body } = await encoded(ask({ input }), { model, options: optionsOf(name) });
        expect([...grammarProblems(body, name), ...idProblems(body, name)], `${issuer.api} ${damage}`).toEqual([]);
      }
    }
  });

  test(verifies('X2', 'what another provider left for itself is not in any request'), async () => {
    for (const issuer of Object.values(issuers)) {
      const { body } = await encoded(ask({ input: history(issuer) }), { options: optionsOf('groq') });
      expect(JSON.stringify(body)).not.toContain(secretOf(issuer));
    }
  });
});

describe('a request is the beginning of the next one', () => {
  const all = [undefined, ...Object.values(issuers)];

  test.each(places)(verifies('X4', '%s %s, turn by turn, so that prompt caches live'), async (name, model) => {
    const next = numbers(3);
    for (let round = 0; round < 40; round++) {
      const input: Item[] = [{ type: 'message', role: 'user', content: 'go' }];
      let earlier: unknown[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const asked = ask({ instructions: 'Be brief.', input: [...input] });
        const { messages, response } = await encoded(asked, { model, options: optionsOf(name) });
        expect(messages.slice(0, earlier.length)).toEqual(earlier);
        // A message that only the end of this request needed is named, and is not in the next one.
        const closed = response.adaptations.some(({ type, name: role }) => type === 'added_message' && role === 'user');
        earlier = closed ? messages.slice(0, -1) : messages;
        input.push(...turnOf(turn, next, all[round % all.length]));
      }
    }
  });
});

describe('the grammar itself', () => {
  const cassettes = corpusMissing === undefined ? chatCassettes() : [];
  const exchanges = cassettes.flatMap((cassette) =>
    cassette.exchanges.flatMap(({ index, request, response }) =>
      request && Array.isArray(request.body?.['messages'])
        ? [{ id: `${cassette.id}/${index}`, body: request.body, name: providerName(cassette), status: response.status }]
        : [],
    ),
  );
  const accepted = exchanges.filter(({ status }) => status < 400);

  test.skipIf(corpusMissing !== undefined)('takes every recorded request that was accepted', () => {
    const refused = accepted.map(({ id, body, name }) => [id, ...grammarProblems(body, name)]);
    expect(refused.filter((found) => found.length > 1)).toEqual([]);
    expect(accepted.length).toBeGreaterThan(280);
  });

  test.skipIf(corpusMissing !== undefined)('sees what is wrong with every one that was refused for its form', () => {
    // Others were refused for a limit, a model that is gone, or what the model did.
    const forms = exchanges.filter(({ status, id }) => status === 400 && !id.includes('tool_use_failed'));
    expect(forms.map(({ body, name }) => grammarProblems(body, name).length)).toEqual([1, 1, 1, 1]);
  });

  test.each(mutations())('sees %s', (_, mutate, provider) => {
    expect(grammarProblems(whole(provider), provider)).toEqual([]);
    expect(grammarProblems({ ...whole(provider), ...mutate(whole(provider)) }, provider)).not.toEqual([]);
  });

  test.skipIf(corpusMissing !== undefined)(
    'sees a message too many, too few or out of place in recorded requests',
    () => {
      let checked = 0;
      for (const { body, name } of accepted) {
        const messages = body['messages'] as Fields[];
        const at = messages.findIndex(({ tool_calls }) => Array.isArray(tool_calls) && tool_calls.length > 0);
        if (at < 0 || messages[at]?.['role'] !== 'assistant') continue;
        checked++;
        const wait = { role: 'user', content: 'wait' };
        for (const broken of [
          messages.toSpliced(at, 1),
          messages.toSpliced(at + 1, 1),
          messages.toSpliced(at + 1, 0, wait),
          messages.toSpliced(at + 1, 0, ...messages.slice(at + 1, at + 2)),
          messages.slice(0, at + 1),
          messages.toSpliced(at, 2, ...messages.slice(at, at + 2).toReversed()),
        ])
          expect(grammarProblems({ ...body, messages: broken }, name)).not.toEqual([]);
      }
      expect(checked).toBeGreaterThan(20);
    },
  );
});

/** A body with something of everything. */
function whole(provider = ''): Body {
  const id = provider === 'mistral' ? 'abcdefgh1' : 'call_1';
  const called = { name: 'f', arguments: '{}' };
  return {
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'go' }, ...(provider === 'deepseek' ? [] : [image])] },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id, type: 'function', function: called }],
        reasoning_content: 'x',
      },
      { role: 'tool', tool_call_id: id, content: 'done' },
    ],
    tools: [{ type: 'function', function: { name: 'f', description: 'F', parameters: { type: 'object' } } }],
    temperature: 1,
  };
}

const image = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } };

/** Ways to spoil that body, each against one rule. */
function mutations(): [string, Mutate, string?][] {
  const message =
    (index: number, change: Fields): Mutate =>
    (body) => ({
      messages: body.messages.with(index, { ...body.messages[index], ...change }),
    });
  const call =
    (change: Fields): Mutate =>
    (body) => {
      const [first] = callsOf(body);
      return message(2, { tool_calls: [{ ...first, ...change }] })(body);
    };
  const added =
    (...more: Fields[]) =>
    (body: Body) => ({ messages: [...body.messages, ...more] });
  const tool =
    (change: Fields): Mutate =>
    () => ({
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' }, ...change } }],
    });
  const format =
    (json_schema: Fields): Mutate =>
    () => ({ response_format: { type: 'json_schema', json_schema } });
  return [
    ['no model', () => ({ model: '' })],
    ['no messages', () => ({ messages: [] })],
    ['an unknown role', message(1, { role: 'human' })],
    ['an empty text', message(1, { content: '' })],
    ['content that is missing', message(1, { content: null })],
    ['an empty list of parts', message(1, { content: [] })],
    ['an empty part', message(1, { content: [{ type: 'text', text: '' }] })],
    ['a part of another wire', message(1, { content: [{ type: 'input_text', text: 'a' }] })],
    ['media of a tool', message(3, { content: [image] })],
    ['an image without an address', message(1, { content: [{ type: 'image_url', image_url: {} }] })],
    ['an assistant who says nothing', added({ role: 'assistant', content: null })],
    ['calls of the user', (body) => added({ role: 'user', content: 'a', tool_calls: callsOf(body) })(body)],
    ['an answer to nothing', message(3, { tool_call_id: 'other' })],
    ['an answer without an id', message(3, { tool_call_id: undefined })],
    ['no calls in the list', message(2, { tool_calls: [] })],
    ['a call without an id', call({ id: '' })],
    ['a call without a type', call({ type: undefined })],
    ['arguments that are cut', call({ function: { name: 'f', arguments: '{"a' } })],
    ['arguments that are no object', call({ function: { name: 'f', arguments: '[]' } })],
    ['an illegal name', call({ function: { name: 'f g', arguments: '{}' } })],
    ['an id twice', (body) => message(2, { tool_calls: [...callsOf(body), ...callsOf(body)] })(body)],
    ['a tool without a name', tool({ name: undefined })],
    ['a tool with a long name', tool({ name: 'x'.repeat(65) })],
    ['parameters that are no schema', tool({ parameters: 'object' })],
    ['a tool twice', (body) => ({ tools: [...body.tools, ...body.tools] })],
    ['an empty list of tools', () => ({ tools: [] })],
    ['a choice of no tool', () => ({ tool_choice: { type: 'function', function: { name: 'g' } } })],
    ['an unknown choice', () => ({ tool_choice: 'any' })],
    ['a choice without tools', () => ({ tools: undefined, tool_choice: 'required' })],
    ['a schema without a name', format({ schema: {} })],
    ['a schema with an illegal name', format({ name: 'my output', schema: {} })],
    ['an unknown format', () => ({ response_format: { type: 'json' } })],
    ['a temperature too high', () => ({ temperature: 3 })],
    ['too many stops', () => ({ stop: ['a', 'b', 'c', 'd', 'e'] })],
    ['no tokens', () => ({ max_tokens: 0 })],
    ['stream options without a stream', () => ({ stream_options: {} })],
    ['a long id', call({ id: 'call_1' }), 'mistral'],
    ['a user behind a tool', added({ role: 'user', content: 'a' }), 'mistral'],
    ['the model’s last word', added({ role: 'assistant', content: 'a' }), 'mistral'],
    ['a field of another', () => ({ seed: 1 }), 'mistral'],
    ['a call without reasoning', message(2, { reasoning_content: undefined }), 'deepseek'],
  ];
}

function callsOf({ messages }: Body): readonly Fields[] {
  return (messages[2] ?? {})['tool_calls'] as Fields[];
}

/** Ids are legal and nowhere used twice. */
function idProblems(body: Fields, name: string): string[] {
  const legal = name === 'mistral' ? /^[a-zA-Z0-9]{9}$/ : /^[\w.:-]{1,40}$/;
  const ids = (body['messages'] as Fields[]).flatMap(({ tool_calls }) =>
    ((tool_calls ?? []) as { id: string }[]).map(({ id }) => id),
  );
  const twice = ids.length === new Set(ids).size ? [] : [`ids are used twice: ${ids.join(', ')}`];
  return [...twice, ...ids.filter((id) => !legal.test(id)).map((id) => `illegal id ${id}`)];
}
