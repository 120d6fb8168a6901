import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LLMock } from '@copilotkit/aimock';
import { Agent, MemorySession, Runner } from '@polyrun/core';
import { loadProviders, type ProvidersFile } from '@polyrun/node';
import { afterAll, beforeAll, expect, test } from 'vitest';

let folder: string;
const mock = new LLMock({ host: '127.0.0.1', port: 0, latency: 0 });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'polyrun-matrix-'));
  mock.addFixture({ match: { predicate: () => true }, response: ({ model }) => ({ content: `I am ${model}.` }) });
  await mock.start();
  process.env['MATRIX_KEY'] = 'none';
});
afterAll(async () => {
  delete process.env['MATRIX_KEY'];
  await mock.stop();
  await rm(folder, { recursive: true });
});

test('one program and one conversation go from adapter to adapter as the file says', async () => {
  const options = { apiKey: { env: 'MATRIX_KEY' }, baseURL: `${mock.url}/v1` };
  const providers: ProvidersFile['providers'] = {
    openai: { module: '@polyrun/openai-responses', export: 'openaiResponses', options },
    claude: { module: '@polyrun/anthropic', export: 'anthropic', options: { ...options, baseURL: mock.url } },
    mistral: { module: '@polyrun/mistral', export: 'mistral', options },
    chat: { module: '@polyrun/chat-completions', export: 'chatCompletions', options },
  };
  const session = new MemorySession();
  const agent = new Agent({ name: 'Assistant', model: 'usual' });
  const file = path.join(folder, 'providers.json');
  const said: string[] = [];
  for (const usual of ['openai/gpt-5.6', 'claude/claude-sonnet-4-5', 'mistral/mistral-small-latest', 'chat/llama']) {
    await writeFile(file, JSON.stringify({ providers, models: { usual } } satisfies ProvidersFile));
    const { finalOutput } = await Runner.run(agent, 'Who are you?', {
      session,
      runConfig: { modelProvider: await loadProviders(file) },
    });
    said.push(finalOutput ?? '');
  }
  expect(said).toEqual(['I am gpt-5.6.', 'I am claude-sonnet-4-5.', 'I am mistral-small-latest.', 'I am llama.']);
  const origins = (await session.getItems()).flatMap(({ origin }) => (origin ? [origin.api] : []));
  expect([...new Set(origins)]).toEqual(['openai-responses', 'anthropic-messages', 'mistral', 'chat-completions']);
});
