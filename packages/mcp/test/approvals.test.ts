import { Agent, Runner, RunState } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { isDestructive, type McpServerOptions } from '../src/index.ts';
import { fixture } from './support/fixtures.ts';

const call = (name: string, callId = 'c1', args = '{}') =>
  ({ type: 'function_call', call_id: callId, name, arguments: args }) as const;
const turn = [call('echo', 'c1', '{"text":"hi"}'), call('grow', 'c2')];

async function run(needsApproval: McpServerOptions['needsApproval'], calls: readonly ReturnType<typeof call>[] = turn) {
  const made = await fixture({ needsApproval });
  const agent = new Agent({ name: 'A', model: new ScriptedModel([calls, 'done']), tools: [made.server] });
  const result = await Runner.run(agent, 'go');
  return { ...made, agent, result, waiting: result.interruptions.map(({ callId }) => callId) };
}

test(
  verifies('I1', 'calls of an MCP server wait for a person: all, some by name, or those that a function picks'),
  async () => {
    expect((await run(false)).waiting).toEqual([]);
    expect((await run(true)).waiting).toEqual(['c1', 'c2']);
    expect((await run(['grow'])).waiting).toEqual(['c2']);
    expect((await run(({ arguments: { text } }) => text === 'hi')).waiting).toEqual(['c1']);
    expect((await run(({ tool }) => isDestructive(tool))).waiting).toEqual(['c1']);
  },
);

test(verifies('I3', 'an approval survives a restart of the program and of the server'), async () => {
  const { server, result, asked } = await run(['echo']);
  expect((await asked('tools/call')).map(({ params }) => params?.['name'])).toEqual(['grow']);
  const stored = result.state.toString();
  await server.close();
  await server.connect();
  const model = new ScriptedModel(['done']);
  const agent = new Agent({ name: 'A', model, tools: [server] });
  const state = RunState.fromString(agent, stored);
  for (const item of state.interruptions) state.approve(item);
  const resumed = await Runner.run(agent, state);
  expect(resumed.finalOutput).toBe('done');
  expect((await asked('tools/call')).map(({ params }) => params?.['name'])).toEqual(['grow', 'echo']);
});

test('a rejected call never reaches the server', async () => {
  const { result, agent, asked } = await run(['echo'], [call('echo', 'c1', '{"text":"hi"}')]);
  for (const item of result.interruptions) result.state.reject(item, { message: 'No.' });
  await Runner.run(agent, result.state);
  expect(await asked('tools/call')).toEqual([]);
});

test('hints that are absent mean what the specification says', () => {
  expect(isDestructive({})).toBe(true);
  expect(isDestructive({ annotations: { readOnlyHint: true } })).toBe(false);
  expect(isDestructive({ annotations: { destructiveHint: false } })).toBe(false);
  expect(isDestructive({ annotations: { readOnlyHint: true, destructiveHint: true } })).toBe(false);
});
