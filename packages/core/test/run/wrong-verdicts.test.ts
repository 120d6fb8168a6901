import { describe, expect, test } from 'vitest';
import { Agent, GuardrailExecutionError, MemorySession, Runner, tool, UserError } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from './scripts.ts';

/** What a program without types may hand back where a verdict is expected. */
const noVerdicts: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['a flag', true],
  ['an empty object', {}],
  ['a misspelt one', { triggered: true }],
  ['a flag that is a text', { tripwireTriggered: 'no' }],
  ['one for tools', { type: 'raise_exception' }],
];
const noToolVerdicts: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['an unknown type', { type: 'deny' }],
  ['a rejection without words', { type: 'reject_content' }],
  ['one for inputs', { tripwireTriggered: true }],
];

function thrown(error: unknown): { message: string; cause: unknown } {
  expect(error).toBeInstanceOf(GuardrailExecutionError);
  const { message, cause } = error as GuardrailExecutionError;
  expect(cause).toBeInstanceOf(UserError);
  return { message, cause };
}

describe('a guardrail that gives no verdict lets nothing through', () => {
  test.for(noVerdicts)(verifies('G5', 'on the input: %s'), async ([, verdict]) => {
    const session = new MemorySession();
    const guardrail = { name: 'g', execute: () => verdict as never };
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']), inputGuardrails: [guardrail] });
    const { message, cause } = thrown(await rejection(Runner.run(agent, 'go', { session })));
    expect(message).toContain("'g' of the input");
    expect(String(cause)).toContain('{ tripwireTriggered: boolean }');
    expect(await session.getItems()).toEqual([]);
  });

  test.for(noVerdicts)(verifies('G5', 'on the output: %s'), async ([, verdict]) => {
    const guardrail = { name: 'g', execute: () => verdict as never };
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']), outputGuardrails: [guardrail] });
    const { message } = thrown(await rejection(Runner.run(agent, 'go')));
    expect(message).toContain("'g' of the output");
  });

  test.for(noToolVerdicts)(verifies('T10', 'before a tool: %s'), async ([, verdict]) => {
    let ran = false;
    const work = tool({
      name: 'work',
      description: 'Works.',
      parameters: { type: 'object' },
      execute: () => {
        ran = true;
      },
      inputGuardrails: [{ name: 'g', execute: () => verdict as never }],
    });
    const model = new ScriptedModel([[call('work')], 'done']);
    const { message } = thrown(await rejection(Runner.run(new Agent({ name: 'A', model, tools: [work] }), 'go')));
    expect(message).toContain("'g' of tool 'work'");
    expect(ran).toBe(false);
  });

  test.for(noToolVerdicts)(verifies('T10', 'behind a tool: %s'), async ([, verdict]) => {
    const work = tool({
      name: 'work',
      description: 'Works.',
      parameters: { type: 'object' },
      execute: () => 'secret',
      outputGuardrails: [{ name: 'g', execute: () => verdict as never }],
    });
    const model = new ScriptedModel([[call('work')], 'done']);
    thrown(await rejection(Runner.run(new Agent({ name: 'A', model, tools: [work] }), 'go')));
    expect(model.requests).toHaveLength(1);
  });
});
