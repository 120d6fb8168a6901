import { InMemoryTransport, McpServer as Server } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import type { McpServerOptions } from '../src/index.ts';
import { connected, reference } from './support/fixtures.ts';

describe('resources and prompts', () => {
  test('of the reference server are listed and read', async () => {
    const server = connected({ name: 'everything', transport: reference('everything') });
    const resources = await server.listResources();
    const [first] = resources;
    expect(first).toMatchObject({ name: 'architecture.md', mimeType: 'text/markdown' });
    expect(await server.readResource(first?.uri ?? '')).toEqual([
      { type: 'input_text', text: expect.stringMatching(/^Resource demo:.*architecture\.md:\n/) },
    ]);
    expect(await server.readResource('demo://resource/dynamic/blob/1')).toEqual([
      { type: 'input_file', filename: '1', file_data: expect.stringMatching(/^data:text\/plain;base64,/) },
    ]);
    expect((await server.listResourceTemplates()).length).toBeGreaterThan(0);
    await expect(server.readResource('demo://nothing')).rejects.toMatchObject({
      kind: 'protocol',
      message: expect.stringMatching(/^MCP server 'everything' did not give the resource 'demo:\/\/nothing': /),
    });
    const prompts = await server.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain('args-prompt');
    const items = await server.getPrompt({ name: 'args-prompt', arguments: { city: 'Oslo' } });
    expect(items).toEqual([{ type: 'message', role: 'user', content: "What's weather in Oslo?" }]);
  });
});

/** A server inside this process. */
function local(prepare: (server: Server) => void, options: Partial<McpServerOptions> = {}) {
  const made = new Server({ name: 'local', version: '1' }, { capabilities: { logging: {} } });
  prepare(made);
  const open = async () => {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    await made.connect(theirs);
    return ours;
  };
  return { server: connected({ name: 'local', transport: { type: 'custom', open }, ...options }), made };
}

describe('what a server may ask for', () => {
  const asks = (options: Partial<McpServerOptions> = {}) =>
    local((made) => {
      made.registerTool('roots', {}, async () => answer(await made.server.listRoots()));
      made.registerTool('elicit', {}, async () =>
        answer(
          await made.server.elicitInput({
            message: 'Sure?',
            requestedSchema: { type: 'object', properties: { sure: { type: 'boolean' } } },
          }),
        ),
      );
      made.registerTool('sample', {}, async () =>
        answer(
          await made.server.createMessage({
            messages: [{ role: 'user', content: { type: 'text', text: '2+2?' } }],
            maxTokens: 10,
          }),
        ),
      );
    }, options).server;
  const answer = (value: unknown) => ({ content: [{ type: 'text' as const, text: JSON.stringify(value) }] });

  test.each(['roots', 'elicit', 'sample'])('%s is refused without an option for it', async (name) => {
    const { isError, content } = await asks().callTool({ name });
    expect(isError).toBe(true);
    expect(content[0]).toMatchObject({ text: expect.stringMatching(/does not support|Method not found/) });
  });

  test('is answered by the options', async () => {
    const seen: unknown[] = [];
    const server = asks({
      roots: async () => [{ uri: 'file:///work', name: 'Work' }],
      onElicitation: ({ request }) => {
        seen.push(request.message);
        return { action: 'accept', content: { sure: true } };
      },
      onSampling: ({ request }) => {
        seen.push(request.messages[0]?.content);
        return { model: 'm', role: 'assistant', content: { type: 'text', text: '4' } };
      },
    });
    const told = async (name: string) => (await server.callTool({ name })).content[0];
    expect(await told('roots')).toMatchObject({ text: '{"roots":[{"uri":"file:///work","name":"Work"}]}' });
    expect(await told('elicit')).toMatchObject({ text: '{"action":"accept","content":{"sure":true}}' });
    expect(await told('sample')).toMatchObject({ text: expect.stringContaining('"text":"4"') });
    expect(seen).toEqual(['Sure?', { type: 'text', text: '2+2?' }]);
  });
});

describe('what a server tells', () => {
  test('of its progress is passed on, and keeps the call alive beyond the deadline of silence', async () => {
    const seen: unknown[] = [];
    const server = connected({
      name: 'everything',
      transport: reference('everything'),
      timeouts: { idleMs: 300 },
      onProgress: (progress) => {
        seen.push(progress);
        throw new Error('an observer cannot break a call');
      },
    });
    const call = { name: 'trigger-long-running-operation', arguments: { duration: 0.6, steps: 6 } };
    await expect(server.callTool(call)).resolves.toMatchObject({
      content: [{ text: expect.stringContaining('completed') }],
    });
    // This server sends its last word of progress beside the answer, and the answer may overtake it.
    const told = [1, 2, 3, 4, 5].map((progress) => ({ tool: call.name, progress, total: 6 }));
    expect(seen.slice(0, 5)).toEqual(told);
    const silent = { name: call.name, arguments: { duration: 5, steps: 1 } };
    await expect(server.callTool(silent)).rejects.toMatchObject({ kind: 'timeout' });
  });

  test('in its log is passed on', async () => {
    const seen: unknown[] = [];
    const { server, made } = local(
      (made) =>
        made.registerTool('log', {}, async () => {
          await made.server.sendLoggingMessage({ level: 'warning', logger: 'disk', data: 'nearly full' });
          return { content: [] };
        }),
      { onLog: (entry) => void seen.push(entry) },
    );
    await server.callTool({ name: 'log' });
    expect(seen).toEqual([{ level: 'warning', logger: 'disk', data: 'nearly full' }]);
    expect(made.server.getClientVersion()).toMatchObject({ name: 'polyrun' });
  });
});
