import { Anthropic } from '@anthropic-ai/sdk';
import { Agent, Runner, tool, UserError, type Item } from '@polyrun/core';
import { ask, endpoint, json } from '@polyrun/wires/endpoint';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { anthropic } from '../src/index.ts';
import { encoded, message, type Message } from './support/endpoint.ts';

const ok = () => json(message([{ type: 'text', text: 'ok' }]));

afterEach(() => vi.unstubAllEnvs());

describe('configuration', () => {
  test(verifies('E2', 'no key is a UserError when a call is made, with option and variable'), async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', '');
    vi.stubEnv('ANTHROPIC_AUTH_TOKEN', '');
    const { sent, fetch } = endpoint(ok);
    const asked = anthropic({ fetch }).getModel('m').getResponse(ask());
    await expect(asked).rejects.toThrow(UserError);
    await expect(asked).rejects.toThrow(/ANTHROPIC_API_KEY.*apiKey/);
    expect(sent).toEqual([]);
  });

  test('the key comes from the option, a function, or the environment, at each call', async () => {
    const { sent, fetch } = endpoint(ok);
    let n = 0;
    const model = anthropic({ fetch, apiKey: () => `key-${++n}` }).getModel('m');
    await model.getResponse(ask());
    await model.getResponse(ask());
    vi.stubEnv('ANTHROPIC_API_KEY', 'from-env');
    await anthropic({ fetch }).getModel('m').getResponse(ask());
    expect(sent.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer key-1',
      'Bearer key-2',
      'Bearer from-env',
    ]);
  });

  test('a header may take the place of a key', async () => {
    vi.stubEnv('ANTHROPIC_API_KEY', '');
    const { sent, fetch } = endpoint(ok);
    await anthropic({ fetch, headers: { 'x-api-key': 'mine' } })
      .getModel('m')
      .getResponse(ask());
    expect(sent[0]?.headers.get('x-api-key')).toBe('mine');
    expect(sent[0]?.headers.has('authorization')).toBe(false);
  });

  test.each([
    [{}, 'https://api.anthropic.com/v1/messages'],
    [{ baseURL: 'https://a.test/anthropic/' }, 'https://a.test/anthropic/v1/messages'],
    [{ baseURL: 'https://a.test/v1' }, 'https://a.test/v1/messages'],
  ])('%j calls %s', async (options, url) => {
    vi.stubEnv('ANTHROPIC_BASE_URL', '');
    expect((await encoded({}, { options })).sent.url).toBe(url);
  });

  test('a ready client keeps its own address and key', async () => {
    const { sent, fetch } = endpoint(ok);
    const client = new Anthropic({ apiKey: 'own', baseURL: 'https://own.test', fetch });
    await anthropic({ client }).getModel('m').getResponse(ask());
    expect(sent[0]?.url).toBe('https://own.test/v1/messages');
    expect(sent[0]?.headers.get('authorization')).toBe('Bearer own');
  });

  test.each([
    [{ baseURL: 'a.test' }, /baseURL: a.test/],
    [{ baseURL: 'localhost:8080' }, /baseURL/],
  ])('%j is refused', async (options, words) => {
    await expect(encoded({}, { options })).rejects.toThrow(words);
  });

  test('models are named or have a default, and a provider can be rebuilt from what can travel', () => {
    expect(() => anthropic().getModel()).toThrow(/defaultModel/);
    expect(anthropic({ defaultModel: 'm' }).getModel().name).toBe('m');
    expect(anthropic({ name: 'mine', apiKey: 'k' })).toMatchObject({
      name: 'mine',
      reference: { module: '@polyrun/anthropic', export: 'anthropic', options: { name: 'mine', apiKey: 'k' } },
    });
    expect(anthropic({ apiKey: () => 'k' }).reference).toBeUndefined();
    expect(anthropic({ capabilities: { tools: false } }).getModel('m').capabilities.tools).toBe(false);
  });
});

describe('runs', () => {
  test(verifies('L5', 'a paused turn is gone on with as the same turn'), async () => {
    const use = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} };
    const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] };
    const replies = [
      message([use], { stop_reason: 'pause_turn' }),
      message([result, { type: 'text', text: 'Found.' }]),
    ];
    const { sent, fetch } = endpoint(() => json(replies.shift()));
    const agent = new Agent({ name: 'A', model: 'claude-opus-4-8', tools: [{ type: 'web_search' }] });
    const run = await Runner.run(agent, 'go', {
      maxTurns: 1,
      runConfig: { modelProvider: anthropic({ apiKey: 'k', fetch }) },
    });
    expect(run.finalOutput).toBe('Found.');
    const messages = sent[1]?.body['messages'] as Message[] | undefined;
    expect(messages?.at(-1)).toEqual({ role: 'assistant', content: [use] });
    const after = await encoded(
      { input: [...run.toInputList(), { type: 'message', role: 'user', content: 'and?' }] as Item[] },
      { model: 'claude-opus-4-8' },
    );
    expect(after.messages[1]?.content).toEqual([use, result, { type: 'text', text: 'Found.' }]);
  });

  test('a tool that the provider defines is run by the function of its name', async () => {
    const call = { type: 'tool_use', id: 'toolu_1', name: 'bash', input: { command: 'ls' } };
    const replies = [message([call], { stop_reason: 'tool_use' }), message([{ type: 'text', text: 'Done.' }])];
    const { sent, fetch } = endpoint(() => json(replies.shift()));
    const ran: unknown[] = [];
    const bash = tool({
      name: 'bash',
      description: '',
      parameters: { type: 'object', properties: { command: { type: 'string' } } },
      execute: (args) => {
        ran.push(args);
        return 'a b';
      },
    });
    const agent = new Agent({
      name: 'A',
      model: 'claude-sonnet-4-5',
      tools: [{ type: 'anthropic:bash_20250124' }, bash],
    });
    const run = await Runner.run(agent, 'go', { runConfig: { modelProvider: anthropic({ apiKey: 'k', fetch }) } });
    expect(run.finalOutput).toBe('Done.');
    expect(ran).toEqual([{ command: 'ls' }]);
    expect(sent[0]?.body['tools']).toMatchObject([{ type: 'bash_20250124', name: 'bash' }]);
  });
});
