import { Agent, tool, type AgentOptions } from '../../src/index.ts';
import { ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';

export const runId = 'run';
export const parameters = { type: 'object' };

/** An agent of one tool, and what its tool was asked under which key. */
export function made(turns: readonly ScriptedTurn[], more: Partial<AgentOptions<unknown, string>> = {}) {
  const keys: string[] = [];
  const model = new ScriptedModel(turns);
  const work = tool({
    name: 'work',
    description: 'Works.',
    parameters,
    execute: (_, { idempotencyKey }) => {
      keys.push(idempotencyKey);
      return 'worked';
    },
  });
  return { keys, model, agent: new Agent({ name: 'A', model, tools: [work], ...more }) };
}
