import { Agent, Runner, tool, UserError, type Tool } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { InMemoryTransport, Server } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import type { McpServerOptions } from '../src/index.ts';
import { connected, fixture } from './support/fixtures.ts';

const call = (name: string, callId = 'c1', args = '{}') =>
  ({ type: 'function_call', call_id: callId, name, arguments: args }) as const;
const namesOf = (tools: readonly Tool[]) => tools.map(({ name }) => name);

/** A server inside this process, with tools of these names. */
function local<C = unknown>(names: readonly string[], options: Partial<McpServerOptions<C>> = {}) {
  const asked: string[] = [];
  const open = async () => {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const server = new Server({ name: 'local', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => {
      asked.push('list');
      return { tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })) };
    });
    server.setRequestHandler('tools/call', ({ params }) => {
      asked.push(params.name);
      return { content: [{ type: 'text', text: `${params.name} ran` }] };
    });
    await server.connect(theirs);
    return ours;
  };
  return { server: connected<C>({ name: 'local', transport: { type: 'custom', open }, ...options }), asked };
}

describe('the list of tools', () => {
  test('is put together from its pages, and sorted, whatever the order of the server', async () => {
    const { server, asked } = await fixture({ kind: 'pages' });
    const tools = await server.listTools();
    expect(tools).toHaveLength(500);
    expect(namesOf(tools)).toEqual(Array.from({ length: 500 }, (_, index) => `tool_${index}`).sort());
    expect(await asked('tools/list')).toHaveLength(72);
  });

  test('has a deadline as a whole', async () => {
    const { server } = await fixture({ kind: 'pages', timeouts: { listMs: 1 } });
    await expect(server.listTools()).rejects.toMatchObject({
      kind: 'timeout',
      message: "MCP server 'fixture' did not list its tools within 1 ms.",
    });
  });

  test('is asked for once, by however many runs at once, and then kept', async () => {
    const { server, asked } = await fixture();
    const agent = () =>
      new Agent({
        name: 'A',
        model: new ScriptedModel([[call('echo', 'c', '{"text":"x"}')], 'done']),
        tools: [server],
      });
    await Promise.all([1, 2, 3].map(() => Runner.run(agent(), 'go')));
    await Runner.run(agent(), 'go');
    expect(await asked('tools/list')).toHaveLength(1);
    expect(server.listTools()).toBe(server.listTools());
  });

  test('is asked for at each turn where it is not to be kept', async () => {
    const { server, asked } = local(['a'], { cacheTools: false });
    const model = new ScriptedModel([[call('a')], 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(asked).toEqual(['list', 'a', 'list']);
  });

  test('is asked for again when the server says that it has changed: the next turn has the new tool', async () => {
    const { server, asked } = await fixture();
    const model = new ScriptedModel([[call('grow')], [call('grown', 'c2')], 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(result.finalOutput).toBe('done');
    expect(model.requests.map(({ tools }) => tools.some((spec) => 'name' in spec && spec['name'] === 'grown'))).toEqual(
      [false, true, true],
    );
    expect(await asked('tools/list')).toHaveLength(2);
  });

  test('is asked for again after a lost connection, and when the program says so', async () => {
    const { server, asked } = await fixture();
    await server.listTools();
    await expect(server.callTool({ name: 'die' })).rejects.toMatchObject({ kind: 'closed' });
    await server.callTool({ name: 'echo', arguments: { text: '' } });
    await server.listTools();
    expect(await asked('tools/list')).toHaveLength(2);
    server.refreshTools();
    await server.listTools();
    expect(await asked('tools/list')).toHaveLength(3);
  });
});

describe('names', () => {
  test('of two servers clash with an error that names the tool; a prefix tells them apart', async () => {
    const [one, other, prefixed] = [local(['read']), local(['read']), local(['read'], { toolPrefix: 'mail_' })];
    const run = (servers: readonly (typeof one)[]) => {
      const model = new ScriptedModel([[call('read', 'c1'), call('mail_read', 'c2')], 'done']);
      return Runner.run(new Agent({ name: 'A', model, tools: servers.map(({ server }) => server) }), 'go');
    };
    await expect(run([one, other])).rejects.toThrow(UserError);
    await expect(run([one, other])).rejects.toThrow(/called 'read'/);
    await run([one, prefixed]);
    expect(one.asked).toEqual(['list', 'read']);
    expect(prefixed.asked).toEqual(['list', 'read']);
  });

  test('that no provider takes are mapped, and a call reaches the tool that was meant', async () => {
    const long = 'x'.repeat(100);
    const names = ['user.get', 'user/get', 'user_get', 'admin.tools/list', long, 'ünï'];
    const { server, asked } = local(names);
    const tools = namesOf(await server.listTools());
    expect(tools).toHaveLength(6);
    expect(new Set(tools).size).toBe(6);
    for (const name of tools) expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(tools).toContain('user_get');
    expect(tools).toContain('admin_tools_list');
    const model = new ScriptedModel([tools.map((name, index) => call(name, `c${index}`)), 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
    expect(asked.slice(1).sort()).toEqual(names.sort());
  });

  test('are mapped alike whatever the order of the list', async () => {
    const names = ['b.c', 'b/c', 'b:c'];
    const forward = namesOf(await local(names).server.listTools());
    expect(forward).toEqual(namesOf(await local(names.toReversed()).server.listTools()));
    expect(forward).toEqual([
      expect.stringMatching(/^b_c_\w{7}$/),
      expect.stringMatching(/^b_c_/),
      expect.stringMatching(/^b_c_/),
    ]);
  });

  test('that come twice are one tool', async () => {
    expect(namesOf(await local(['a', 'a']).server.listTools())).toEqual(['a']);
  });
});

describe('filters', () => {
  test('allow and block tools by the names that the server has for them', async () => {
    const allowed = local(['a', 'b', 'c.d'], { toolFilter: { allow: ['a', 'c.d'] }, toolPrefix: 'p_' });
    expect(namesOf(await allowed.server.listTools())).toEqual(['p_a', 'p_c_d']);
    const blocked = local(['a', 'b', 'c'], { toolFilter: { allow: ['a', 'b'], block: ['b'] } });
    expect(namesOf(await blocked.server.listTools())).toEqual(['a']);
  });

  test(verifies('T7', 'a function is asked at each turn, with the context of the run'), async () => {
    type User = { canWrite: boolean };
    const { server, asked } = local<User>(['read', 'write'], {
      toolFilter: ({ tool, runContext, agent }) =>
        agent.name === 'A' && (tool.name === 'read' || runContext.context.canWrite),
    });
    const promote = tool<User>({
      name: 'promote',
      description: '',
      parameters: { type: 'object' },
      execute: (_, { context }) => (context.canWrite = true),
    });
    const model = new ScriptedModel([[call('promote')], 'done']);
    const agent = new Agent<User>({ name: 'A', model, tools: [promote, server] });
    await Runner.run(agent, 'go', { context: { canWrite: false } });
    expect(model.requests.map(({ tools }) => tools.map((spec) => 'name' in spec && spec['name']))).toEqual([
      ['promote', 'read'],
      ['promote', 'read', 'write'],
    ]);
    expect(asked).toEqual(['list']);
  });

  test.each([
    ['toolFilter.allow', { toolFilter: { allow: ['reed'] } }],
    ['toolFilter.block', { toolFilter: { block: ['reed'] } }],
    ['needsApproval', { needsApproval: ['reed'] }],
  ])('a misspelt name in %s is told, rather than letting the tool through', async (field, options) => {
    const { server } = local(['read', 'write'], options);
    await expect(server.listTools()).rejects.toThrow(
      `mcpServer 'local' ${field}: the server has no tool 'reed'; it has read, write.`,
    );
  });
});
