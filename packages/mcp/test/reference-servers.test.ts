import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { Agent, Runner, type Tool } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import type { McpTransport } from '../src/index.ts';
import { atEnd, connected, folder, programOf, reference } from './support/fixtures.ts';

const call = (name: string, args: object, callId = 'c1') =>
  ({ type: 'function_call', call_id: callId, name, arguments: JSON.stringify(args) }) as const;
const outputs = (model: ScriptedModel) =>
  (model.requests.at(-1)?.input ?? []).flatMap((item) => (item.type === 'function_call_output' ? [item.output] : []));
const parsed = (output: unknown): unknown => (typeof output === 'string' ? JSON.parse(output) : output);

/** `server-everything` on a free port. */
async function everything(kind: 'streamableHttp' | 'sse', port?: number) {
  const at = port ?? (await freePort());
  const child = spawn(process.execPath, [programOf('everything'), kind], {
    env: { ...process.env, PORT: String(at) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => /running|listening/i.test(String(chunk)) && resolve());
  });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  atEnd(stop);
  await ready;
  return { port: at, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const http = (port: number): McpTransport => ({ type: 'http', url: `http://127.0.0.1:${port}/mcp` });
const sse = (port: number): McpTransport => ({ type: 'sse', url: `http://127.0.0.1:${port}/sse` });

describe('server-everything', { timeout: 30_000 }, () => {
  test.each([
    ['stdio', async () => reference('everything')],
    ['streamable HTTP', async () => http((await everything('streamableHttp')).port)],
    ['SSE', async () => sse((await everything('sse')).port)],
  ] as const)('serves an agent over %s', async (_, transport) => {
    const server = connected({ name: 'everything', transport: await transport() });
    const model = new ScriptedModel([
      [
        call('get-sum', { a: 2, b: 40 }, 'c1'),
        call('get-tiny-image', {}, 'c2'),
        call('get-structured-content', { location: 'Chicago' }, 'c3'),
        call('get-sum', { a: 'two' }, 'c4'),
        call('get-resource-reference', { resourceType: 'Text', resourceId: 1 }, 'c5'),
      ],
      'done',
    ]);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(result.finalOutput).toBe('done');
    const [sum, image, structured, invalid, resource] = outputs(model);
    expect(sum).toBe('The sum of 2 and 40 is 42.');
    expect(image).toMatchObject([
      { type: 'input_text' },
      { type: 'input_image', image_url: expect.stringMatching(/^data:image\/png;base64,/) },
      { type: 'input_text' },
    ]);
    expect(parsed(structured)).toMatchObject({ conditions: expect.any(String) });
    expect(invalid).toMatch(/^Invalid arguments: b: required, but missing; a: expected number, got a string/);
    expect(resource).toMatchObject([{}, { type: 'input_text', text: expect.stringMatching(/^Resource demo:/) }, {}]);
    await server.close();
  });

  test.each([
    ['streamable HTTP', 'streamableHttp', http],
    ['SSE', 'sse', sse],
  ] as const)(
    'killed in the middle of a call over %s: the call fails, the next one finds the new server',
    async (_, kind, transport) => {
      const first = await everything(kind);
      let begun = () => undefined as void;
      const started = new Promise<void>((resolve) => (begun = resolve));
      const server = connected({ name: 'everything', transport: transport(first.port), onProgress: () => begun() });
      const calling = server.callTool({
        name: 'trigger-long-running-operation',
        arguments: { duration: 60, steps: 600 },
      });
      const failed = expect(calling).rejects.toMatchObject({ kind: 'closed' });
      await started;
      await first.stop();
      await everything(kind, first.port);
      await failed;
      await expect(server.callTool({ name: 'echo', arguments: { message: 'hi' } })).resolves.toMatchObject({
        content: [{ text: 'Echo: hi' }],
      });
    },
  );
});

test('server-filesystem: an agent reads and writes files, and stays in its folder', { timeout: 20_000 }, async () => {
  const work = await folder();
  await writeFile(path.join(work, 'todo.txt'), 'water the plants');
  const server = connected({ name: 'files', transport: reference('filesystem', [work]) });
  const model = new ScriptedModel([
    [call('list_directory', { path: work }, 'c1'), call('read_text_file', { path: '/etc/passwd' }, 'c2')],
    [call('read_text_file', { path: path.join(work, 'todo.txt') })],
    ({ input }) => {
      const last = input.at(-1);
      const read = last?.type === 'function_call_output' && typeof last.output === 'string' ? last.output : '';
      return [call('write_file', { path: path.join(work, 'done.txt'), content: `done: ${read}` })];
    },
    'All is done.',
  ]);
  const result = await Runner.run(new Agent({ name: 'Clerk', model, tools: [server] }), 'Do what todo.txt says.');
  expect(result.finalOutput).toBe('All is done.');
  expect(await readFile(path.join(work, 'done.txt'), 'utf8')).toBe('done: water the plants');
  const [listed, refused] = outputs(model);
  expect(listed).toBe('[FILE] todo.txt');
  expect(refused).toMatch(/Error: Access denied/);
});

test('server-memory: what one run stores, another finds', { timeout: 20_000 }, async () => {
  const file = path.join(await folder(), 'memory.jsonl');
  const server = connected({
    name: 'memory',
    transport: { ...reference('memory'), env: { MEMORY_FILE_PATH: file } },
    structuredContent: 'prefer',
  });
  const run = async (...calls: ReturnType<typeof call>[]) => {
    const model = new ScriptedModel([calls, 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    return outputs(model);
  };
  await run(
    call('create_entities', { entities: [{ name: 'Ada', entityType: 'person', observations: ['likes tea'] }] }),
  );
  const [found] = await run(call('search_nodes', { query: 'tea' }));
  expect(parsed(found)).toEqual({
    entities: [{ name: 'Ada', entityType: 'person', observations: ['likes tea'] }],
    relations: [],
  });
});

test(
  verifies('T1', 'the schemas of real servers check arguments: valid ones pass, others do not'),
  { timeout: 20_000 },
  async () => {
    const servers = [
      connected({ name: 'everything', transport: reference('everything') }),
      connected({ name: 'filesystem', transport: reference('filesystem', [await folder()]) }),
      connected({ name: 'memory', transport: reference('memory') }),
    ];
    const tools = (await Promise.all(servers.map(async (server) => await server.listTools()))).flat();
    expect(tools.length).toBeGreaterThan(30);
    const bind = async ({ bind }: Tool, args: object) => (await bind(JSON.stringify(args))).problem;
    for (const tool of tools) {
      const required = (tool.parameters as { required?: string[] }).required ?? [];
      if (required.length > 0) expect(await bind(tool, {}), tool.name).toMatch(/required, but missing/);
      else expect(await bind(tool, {}), tool.name).toBeUndefined();
    }
    const byName = new Map(tools.map((tool) => [tool.name, tool]));
    const valid: { [name: string]: object } = {
      echo: { message: 'hi' },
      'get-sum': { a: 1, b: 2 },
      edit_file: { path: 'a', edits: [{ oldText: 'a', newText: 'b' }], dryRun: true },
      read_multiple_files: { paths: ['a', 'b'] },
      create_relations: { relations: [{ from: 'a', to: 'b', relationType: 'knows' }] },
    };
    for (const [name, args] of Object.entries(valid)) {
      const tool = byName.get(name);
      expect(tool && (await bind(tool, args)), name).toBeUndefined();
    }
    const edit = byName.get('edit_file');
    expect(edit && (await bind(edit, { path: 'a', edits: [{ oldText: 1 }] }))).toMatch(/edits\[0\]\.newText: required/);
  },
);
