import { Agent, tool, type Hooks, type Model, type ModelRequest, type Tool } from '../../src/index.ts';
import type { DurableOptions } from '../../src/durable/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';

const parameters = { type: 'object', properties: {}, additionalProperties: true } as const;

export type World = {
  agent: Agent<undefined>;
  ran: string[];
  keys: string[];
  hooks: string[];
  options: DurableOptions<undefined>;
};

/** An agent with parallel tools that settle out of order, one of them an agent, on a model that answers by what it is asked. */
export function world(): World {
  const ran: string[] = [];
  const keys: string[] = [];
  const hooks: string[] = [];
  const wait = (name: string, ticks: number, more: object = {}): Tool<undefined> =>
    tool({
      name,
      description: name,
      parameters,
      execute: async (_args, context) => {
        for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
        ran.push(name);
        keys.push(context.idempotencyKey);
        return { name };
      },
      ...more,
    });
  const byTurn = (turns: readonly ScriptedTurn[]): Model => {
    const scripted = ({ input }: ModelRequest) => {
      const calls = input.filter(({ type }) => type === 'function_call').length;
      return new ScriptedModel([turns[calls === 0 ? 0 : calls > 3 ? 2 : 1] ?? 'none']);
    };
    return {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: (request) => scripted(request).getResponse(request),
      streamResponse: (request) => scripted(request).streamResponse(request),
    };
  };
  const inner = new Agent({
    name: 'inner',
    model: byTurn([[call('slow', {}, 'i1'), call('fast', {}, 'i2')], 'inside']),
    tools: [wait('slow', 90), wait('fast', 5)],
  });
  const agent = new Agent({
    name: 'outer',
    model: byTurn([
      [call('late', {}, 'a'), call('inner', { input: 'x' }, 'b'), call('early', {}, 'c')],
      [call('ask', {}, 'd')],
      'done',
    ]),
    tools: [
      wait('late', 60),
      inner.asTool({ toolName: 'inner', toolDescription: 'Inner.' }),
      wait('early', 1),
      wait('ask', 1, { needsApproval: true }),
    ],
  });
  const told: Hooks<undefined> = {
    onRunStart: () => void hooks.push('run start'),
    onAgentStart: ({ agent: { name } }) => void hooks.push(`agent ${name}`),
    onModelEnd: ({ agent: { name } }) => void hooks.push(`model ${name}`),
    onToolEnd: ({ tool: { name } }) => void hooks.push(`tool ${name}`),
    onRunEnd: ({ result }) => void hooks.push(`run end ${String(result?.finalOutput)}`),
  };
  return { agent, ran, keys, hooks, options: { hooks: told } };
}
