import { ModelError } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { completion, decoded, delta, finish, streamed } from './support/endpoint.ts';
import { flattened, folded, json, sse, sseText } from '@polyrun/wires/endpoint';

type Piece = { [field: string]: unknown };
const call = (...pieces: Piece[]) => pieces.map((piece) => delta({ tool_calls: [piece] }));
const named = (name: string, args: unknown, more: Piece = {}): Piece => ({
  ...more,
  function: { name, arguments: args },
});

describe('how a stream ends', () => {
  const text = [delta({ role: 'assistant', content: '' }), delta({ content: 'Hi' })];

  test.each([
    ['stop', 'end'],
    ['length', 'length'],
    ['content_filter', 'content_filter'],
    ['tool_calls', 'end'],
    ['eos', 'end'],
    ['whatever', 'end'],
  ])('finish reason %s of a text is %s', async (raw, type) => {
    expect((await streamed(sse([...text, finish(raw)]))).response.stop).toEqual({ type, raw });
  });

  test.each(['stop', 'tool_calls', 'function_call', 'whatever'])(
    'calls are calls, whatever finish reason %s says',
    async (raw) => {
      const { response } = await streamed(sse([...call(named('f', '{}', { index: 0, id: 'a' })), finish(raw)]));
      expect(response.stop).toEqual({ type: 'tool_calls', raw });
    },
  );

  test(verifies('T2', '[DONE] is an end without a finish reason, which stays null'), async () => {
    const { response } = await streamed(sse(text));
    expect(response.stop).toEqual({ type: 'end', raw: null });
    expect(flattened(response)).toEqual([{ type: 'message', text: 'Hi', refusal: '' }]);
  });

  test(verifies('T2', 'a finish reason is an end without [DONE]'), async () => {
    const { response } = await streamed(sse([...text, finish('stop')], { done: false }));
    expect(response.stop.raw).toBe('stop');
  });

  test(verifies('T2', 'neither is a protocol error that may be retried'), async () => {
    await expect(streamed(sse(text, { done: false }))).rejects.toMatchObject({ kind: 'protocol', retryable: true });
  });

  test('a call cut off by length is incomplete; one that is closed is not', async () => {
    const open = await streamed(sse([...call(named('f', '{"a":', { index: 0, id: 'a' })), finish('length')]));
    const empty = await streamed(sse([...call(named('f', '', { index: 0, id: 'a' })), finish('length')]));
    const closed = await streamed(sse([...call(named('f', '{"a":1}', { index: 0, id: 'a' })), finish('length')]));
    const statuses = [open, empty, closed].map(({ response }) => response.output[0]?.status);
    expect(statuses).toEqual(['incomplete', 'incomplete', 'completed']);
  });

  test.each(['error', 'insufficient_system_resource', 'network_error'])(
    '%s means that the provider broke off',
    async (raw) => {
      await expect(streamed(sse([...text, finish(raw)]))).rejects.toMatchObject({ kind: 'server', retryable: true });
    },
  );

  test('a message that is only a refusal is a refusal', async () => {
    const { events, response } = await streamed(
      sse([delta({ refusal: 'I can' }), delta({ refusal: 'not.' }), finish('stop')]),
    );
    expect(response.stop).toEqual({ type: 'refusal', raw: 'stop' });
    expect(folded(events)).toEqual([{ type: 'message', text: '', refusal: 'I cannot.' }]);
    expect(events.at(-2)?.type).toBe('response.completed');
  });
});

describe('usage', () => {
  test('the last word wins, field by field', async () => {
    const { response } = await streamed(
      sse([
        {
          ...delta({ content: 'a' }),
          usage: { prompt_tokens: 7, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 3 } },
        },
        { ...delta({ content: 'b' }), usage: { completion_tokens: 2, prompt_tokens: null } },
        finish('stop'),
        { choices: [], usage: { completion_tokens: 5, total_tokens: 12 } },
      ]),
    );
    expect(response.usage).toMatchObject({ inputTokens: 7, outputTokens: 5, totalTokens: 12, source: 'reported' });
    expect(response.usage.inputTokensDetails.cachedTokens).toBe(3);
  });

  test('none is an estimate', async () => {
    const { response } = await streamed(sse([delta({ content: 'a' }), finish('stop')]));
    expect(response.usage).toMatchObject({ inputTokens: 0, source: 'estimated' });
  });

  test.each([
    ['DeepSeek', { prompt_cache_hit_tokens: 4 }],
    ['Moonshot', { cached_tokens: 4 }],
    ['OpenAI', { prompt_tokens_details: { cached_tokens: 4 } }],
  ])('cached tokens as %s tells them', async (_, fields) => {
    const usage = { prompt_tokens: 9, completion_tokens: 1, ...fields };
    const response = await decoded(json(completion({ content: 'x' }, 'stop', { usage })));
    expect(response.usage.inputTokensDetails.cachedTokens).toBe(4);
    expect(response.usage.inputTokens).toBe(9);
  });
});

describe('what servers send beside the rule', () => {
  test('comments, events without data, CRLF and a missing last blank line', async () => {
    const lines = [
      ': ping',
      '',
      'event: message',
      `data:${JSON.stringify(delta({ content: 'Hé' }))}`,
      '',
      'data:',
      '',
      `data: ${JSON.stringify(finish('stop'))}`,
    ];
    const { response } = await streamed(sseText(lines.filter((line) => line !== 'data:').join('\r\n')));
    expect(flattened(response)).toEqual([{ type: 'message', text: 'Hé', refusal: '' }]);
  });

  test('other choices than the first are left alone', async () => {
    const other = { choices: [{ index: 1, delta: { content: 'other' }, finish_reason: null }] };
    const { response } = await streamed(sse([delta({ content: 'first' }), other, finish('stop')]));
    expect(flattened(response)[0]?.text).toBe('first');
  });

  test('the whole message beside each delta is not read twice', async () => {
    const both = (text: string, soFar: string) => ({
      choices: [{ index: 0, delta: { content: text }, message: { content: soFar } }],
    });
    const { response } = await streamed(sse([both('a', 'a'), both('b', 'ab'), finish('stop')]));
    expect(flattened(response)[0]?.text).toBe('ab');
  });

  test('the whole completion behind the deltas is not read twice, but for its usage', async () => {
    const whole = { choices: [{ index: 0, message: { content: 'ab' }, finish_reason: 'stop' }] };
    const { events, response } = await streamed(
      sse([
        { ...delta({ content: 'a' }), usage: { total_tokens: 0 } },
        delta({ content: 'b' }),
        { ...whole, usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 } },
      ]),
    );
    expect(folded(events)).toEqual([{ type: 'message', text: 'ab', refusal: '' }]);
    expect(flattened(response)).toEqual(folded(events));
    expect(response.usage).toMatchObject({ inputTokens: 4, outputTokens: 2, totalTokens: 6 });
  });

  test.each(['application/json', 'text/plain; charset=utf-8', 'Text/Event-Stream', ''])(
    'a stream that is called %j is read all the same',
    async (type) => {
      const text = `: working\n\ndata: ${JSON.stringify(delta({ content: 'Hi' }))}\n\ndata: [DONE]\n\n`;
      const reply = () => new Response(new TextEncoder().encode(text), { headers: { 'content-type': type } });
      expect(flattened((await streamed(reply())).response)[0]?.text).toBe('Hi');
      expect(flattened(await decoded(reply()))[0]?.text).toBe('Hi');
    },
  );

  test.each([
    ['in a field of its own, as llama.cpp tells it', 'error: {"code":500,"message":"No memory"}', 'No memory'],
    ['that is no JSON', 'event: error\ndata: No memory', 'No memory'],
  ])('an error event %s is an error', async (_, event, words) => {
    const going = streamed(sse([delta({ content: 'a' }), `${event}\n\n`]));
    await expect(going).rejects.toMatchObject({ kind: 'server', message: expect.stringContaining(words) });
  });

  test('a server that does not stream when asked is read all the same', async () => {
    const { events, response } = await streamed(json(completion({ content: 'whole' })));
    expect(folded(events)).toEqual([{ type: 'message', text: 'whole', refusal: '' }]);
    expect(response.stop.raw).toBe('stop');
  });

  test('a server that streams unasked is read all the same', async () => {
    const response = await decoded(sse([delta({ content: 'streamed' }), finish('stop')]));
    expect(flattened(response)[0]?.text).toBe('streamed');
  });

  test.each([
    ['an error object', { error: { message: 'Upstream failed', code: 502 } }, 'server'],
    ['an error text', { error: 'overloaded, come back' }, 'overloaded'],
    ['an error without a status', { error: { message: 'slow down', type: 'rate_limit_error' } }, 'rate_limit'],
    ['an error in vLLM’s manner', { object: 'error', message: 'bad', code: 400 }, 'invalid_request'],
    ['an error of Groq’s own', { id: 'c1', choices: [], x_groq: { id: 'r', error: 'over_capacity' } }, 'overloaded'],
    ['a code and a message', { code: 500, message: 'Internal error', request_id: 'r' }, 'server'],
    ['a detail', { detail: [{ loc: ['body'], msg: 'Rate limit exceeded' }] }, 'rate_limit'],
    ['words in Z.AI’s manner', { code: 401, msg: 'token expired or incorrect', success: false }, 'auth'],
    [
      'words in MiniMax’s manner',
      { choices: null, base_resp: { status_code: 1008, status_msg: 'insufficient balance' } },
      'quota',
    ],
    [
      'words in Cloudflare’s manner',
      { success: false, errors: [{ code: 5006, message: 'Error: bad request' }], result: null },
      'invalid_request',
    ],
  ])('%s in mid-stream is a typed error', async (_, chunk, kind) => {
    await expect(streamed(sse([delta({ content: 'a' }), chunk, finish('stop')]))).rejects.toMatchObject({ kind });
    await expect(decoded(json(chunk))).rejects.toMatchObject({ kind });
  });

  test.each([
    ['an event that is no JSON', () => sse(['data: {"choices": [\n\n'])],
    ['a page', () => new Response('<html>', { headers: { 'content-type': 'text/html' } })],
    ['nothing', () => new Response('')],
    ['another JSON', () => json({ hello: 'world' })],
    ['no choice', () => json({ choices: [] })],
  ])('%s is a protocol error', async (_, reply) => {
    await expect(decoded(reply())).rejects.toMatchObject({ kind: 'protocol' });
    await expect(decoded(reply())).rejects.toThrow(ModelError);
  });

  test('citations come in the shape of Open Responses', async () => {
    const annotations = [
      { type: 'url_citation', url_citation: { url: 'https://a.test', title: 'A', start_index: 0, end_index: 2 } },
    ];
    const cited = await decoded(json(completion({ content: 'ok', annotations })));
    expect(cited.output[0]).toMatchObject({
      content: [
        { annotations: [{ type: 'url_citation', url: 'https://a.test', title: 'A', start_index: 0, end_index: 2 }] },
      ],
    });
    const listed = await decoded(json(completion({ content: 'ok' }, 'stop', { citations: ['https://b.test'] })));
    expect(listed.output[0]).toMatchObject({
      content: [{ annotations: [{ type: 'url_citation', url: 'https://b.test' }] }],
    });
  });

  test('images that the model made are kept as an item', async () => {
    const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
    const response = await decoded(json(completion({ content: 'here', images: [image] })), { name: 'openrouter' });
    expect(response.output[1]).toMatchObject({ type: 'openrouter:image', data: image });
  });
});

describe('reasoning', () => {
  test.each([
    ['reasoning_content', { reasoning_content: 'Hm' }],
    ['reasoning', { reasoning: 'Hm' }],
    ['reasoning_details', { reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }] }],
    [
      'both reasoning and reasoning_details',
      { reasoning: 'Hm', reasoning_details: [{ type: 'reasoning.text', text: 'Hm', index: 0 }] },
    ],
    ['thinking parts', { content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'Hm' }] }] }],
    ['reasoning parts', { content: [{ type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] }] }],
    ['reasoning_text', { reasoning_text: 'Hm' }],
    ['reasoning_content as an object', { reasoning_content: { text: 'Hm' } }],
    ['reasoning_content as an object of objects', { reasoning_content: { reasoningText: { text: 'Hm' } } }],
    ['reasoning_content as parts', { reasoning_content: [{ type: 'text', text: 'Hm' }] }],
  ])('in %s is one item before the message', async (_, fields) => {
    const { events, response } = await streamed(sse([delta(fields), delta({ content: 'Yes' }), finish('stop')]));
    const wanted = [
      { type: 'reasoning', text: 'Hm', refusal: '' },
      { type: 'message', text: 'Yes', refusal: '' },
    ];
    expect(folded(events)).toEqual(wanted);
    expect(flattened(response)).toEqual(wanted);
  });

  test('details that come in pieces are put together as an unstreamed answer holds them', async () => {
    const piece = (fields: object) =>
      delta({ reasoning_details: [{ type: 'reasoning.text', index: 0, format: null, ...fields }] });
    const encrypted = { type: 'reasoning.encrypted', index: 0, id: 'e1', data: 'AAAA' };
    const { response } = await streamed(
      sse([
        piece({ text: 'To ' }),
        piece({ text: 'be' }),
        piece({ text: '', signature: 'sig' }),
        delta({ reasoning_details: [encrypted] }),
        finish('stop'),
      ]),
      { name: 'openrouter' },
    );
    expect(response.output[0]).toMatchObject({
      type: 'reasoning',
      content: [{ text: 'To be' }],
      provider_data: {
        openrouter: {
          reasoning_details: [{ type: 'reasoning.text', index: 0, text: 'To be', signature: 'sig' }, encrypted],
        },
      },
    });
  });

  test('signed blocks of thinking that LiteLLM passes on come in pieces and go back whole', async () => {
    const piece = (thinking: string, signature?: string) =>
      delta({ reasoning_content: thinking, thinking_blocks: [{ type: 'thinking', thinking, signature }] });
    const redacted = { type: 'redacted_thinking', data: 'AAAA' };
    const { response } = await streamed(
      sse([
        piece('To '),
        piece('be'),
        piece('', 's1'),
        piece('or', 's2'),
        delta({ thinking_blocks: [redacted, redacted] }),
        delta({ content: 'Yes' }),
        finish('stop'),
      ]),
      { name: 'litellm' },
    );
    expect(response.output[0]).toMatchObject({
      content: [{ text: 'To beor' }],
      provider_data: {
        litellm_proxy: {
          thinking_blocks: [
            { type: 'thinking', thinking: 'To be', signature: 's1' },
            { type: 'thinking', thinking: 'or', signature: 's2' },
            redacted,
            redacted,
          ],
        },
      },
    });
  });

  test('reasoning of GitHub Copilot keeps what is opaque', async () => {
    const whole = completion({ content: 'Yes', reasoning_text: 'Hm', reasoning_opaque: 'blob' });
    const chunks = [{ reasoning_text: 'Hm' }, { content: 'Yes' }, { reasoning_opaque: 'blob' }].map((each) =>
      delta(each),
    );
    const { response } = await streamed(sse([...chunks, finish('stop')]));
    expect(response.output).toEqual((await decoded(json(whole))).output);
    expect(response.output[0]).toMatchObject({
      provider_data: { 'example.test': { field: 'reasoning_text', reasoning_opaque: 'blob' } },
    });
  });

  test('reasoning that is only opaque is an item without words', async () => {
    const data = [{ type: 'reasoning.encrypted', data: 'AAAA', id: 'e1' }];
    const response = await decoded(json(completion({ content: 'ok', reasoning_details: data })), {
      name: 'openrouter',
    });
    expect(response.output[0]).toEqual(
      expect.objectContaining({
        type: 'reasoning',
        summary: [],
        provider_data: { openrouter: { reasoning_details: data } },
      }),
    );
    expect(response.output[0]).not.toHaveProperty('content');
  });

  test('<think> tags stay in the text', async () => {
    const response = await decoded(json(completion({ content: '<think>x</think>y' })));
    expect(flattened(response)).toEqual([{ type: 'message', text: '<think>x</think>y', refusal: '' }]);
  });
});
