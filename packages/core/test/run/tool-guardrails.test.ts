import { describe, expect, test } from 'vitest';
import {
  Agent,
  GuardrailExecutionError,
  Runner,
  tool,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  type Hooks,
  type ToolGuardrail,
  type ToolGuardrailOutput,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { outputsIn, rejection } from './scripts.ts';

const allow: ToolGuardrailOutput = { type: 'allow' };
const reject: ToolGuardrailOutput = { type: 'reject_content', message: 'Not that.', outputInfo: { why: 'policy' } };
const raise: ToolGuardrailOutput = { type: 'raise_exception', outputInfo: 'bad' };

/** One call of a tool between guardrails, with everything that happened in its order. */
function guarded(inputs: readonly ToolGuardrailOutput[], outputs: readonly ToolGuardrailOutput[] = []) {
  const events: string[] = [];
  const guardrail =
    (side: string) =>
    (output: ToolGuardrailOutput, index: number): ToolGuardrail<unknown> => ({
      name: `${side}${index}`,
      execute: async (at) => {
        await Promise.resolve();
        events.push(`${side}${index} ${at.toolCall.arguments}${'output' in at ? ` ${JSON.stringify(at.output)}` : ''}`);
        expect(at.context.toolName).toBe('work');
        return output;
      },
    });
  const work = tool({
    name: 'work',
    description: 'Works.',
    parameters: { type: 'object' },
    execute: () => {
      events.push('execute');
      return { secret: 1 };
    },
    inputGuardrails: inputs.map(guardrail('in')),
    outputGuardrails: outputs.map(guardrail('out')),
  });
  const hooks: Hooks<unknown> = {
    onToolStart: () => void events.push('start'),
    onToolEnd: ({ output }) => void events.push(`end ${JSON.stringify(output)}`),
  };
  const model = new ScriptedModel([[call('work')], 'done']);
  const run = Runner.run(new Agent({ name: 'A', model, tools: [work] }), 'go', { hooks });
  return { run, events, told: () => outputsIn(model.requests[1]?.input ?? [])['call_work'] };
}

describe('tool guardrails', () => {
  test(verifies('T10', 'allow: all run around execute, in their order'), async () => {
    const { run, events, told } = guarded([allow, allow], [allow, allow]);
    const result = await run;
    expect(events).toEqual([
      'in0 {}',
      'in1 {}',
      'start',
      'execute',
      'out0 {} {"secret":1}',
      'out1 {} {"secret":1}',
      'end {"secret":1}',
    ]);
    expect(told()).toBe('{"secret":1}');
    const names = (results: readonly { guardrail: string }[]) => results.map(({ guardrail }) => guardrail);
    expect(names(result.toolInputGuardrailResults)).toEqual(['in0', 'in1']);
    expect(names(result.toolOutputGuardrailResults)).toEqual(['out0', 'out1']);
    expect(result.toolInputGuardrailResults[0]).toEqual({
      guardrail: 'in0',
      toolName: 'work',
      callId: 'call_work',
      output: allow,
    });
  });

  test(verifies('T10', 'allow with an output: the next one and the model see that'), async () => {
    const { run, events, told } = guarded([], [{ type: 'allow', output: { secret: '***' } }, allow]);
    const result = await run;
    expect(events.slice(2)).toEqual(['out0 {} {"secret":1}', 'out1 {} {"secret":"***"}', 'end {"secret":"***"}']);
    expect(told()).toBe('{"secret":"***"}');
    expect(result.newItems[1]).toMatchObject({ output: { secret: '***' }, isError: false });
  });

  test(
    verifies('T10', 'reject_content before: its message is the output, execute is not called, no tool hook fires'),
    async () => {
      const { run, events, told } = guarded([allow, reject, allow], [allow]);
      const result = await run;
      expect(result.finalOutput).toBe('done');
      expect(events).toEqual(['in0 {}', 'in1 {}']);
      expect(told()).toBe('Not that.');
      expect(result.newItems[1]).toMatchObject({ isError: true });
      expect(result.toolInputGuardrailResults.map(({ output }) => output)).toEqual([allow, reject]);
    },
  );

  test(verifies('T10', 'reject_content behind: its message takes the place of the output'), async () => {
    const { run, events, told } = guarded([], [reject, allow]);
    const result = await run;
    expect(events).toEqual(['start', 'execute', 'out0 {} {"secret":1}', 'end "Not that."']);
    expect(told()).toBe('Not that.');
    expect(JSON.stringify(result.newItems.map(({ rawItem }) => rawItem))).not.toContain('secret');
    expect(result.toolOutputGuardrailResults.map(({ output }) => output)).toEqual([reject]);
  });

  test(verifies('T10', 'raise_exception before: a tripwire error with the result, execute is not called'), async () => {
    const { run, events } = guarded([allow, raise, allow]);
    const error = await rejection(run);
    expect(error).toBeInstanceOf(ToolInputGuardrailTripwireTriggered);
    expect(error).toMatchObject({ result: { guardrail: 'in1', toolName: 'work', callId: 'call_work', output: raise } });
    expect(events).toEqual(['in0 {}', 'in1 {}']);
  });

  test(verifies('T10', 'raise_exception behind: a tripwire error with the result'), async () => {
    const { run, events } = guarded([], [raise, allow]);
    const error = await rejection(run);
    expect(error).toBeInstanceOf(ToolOutputGuardrailTripwireTriggered);
    expect(error).toMatchObject({ result: { guardrail: 'out0', output: raise } });
    expect(events).toEqual(['start', 'execute', 'out0 {} {"secret":1}']);
  });

  test.for(['inputGuardrails', 'outputGuardrails'] as const)('one that throws is no verdict: %s', async (side) => {
    const cause = new RangeError('offline');
    const broken: ToolGuardrail<unknown> = {
      name: 'checker',
      execute: () => {
        throw cause;
      },
    };
    const work = tool({
      name: 'work',
      description: 'W.',
      parameters: { type: 'object' },
      execute: () => 'x',
      [side]: [broken],
    });
    const model = new ScriptedModel([[call('work')]]);
    const error = await rejection(Runner.run(new Agent({ name: 'A', model, tools: [work] }), 'go'));
    expect(error).toBeInstanceOf(GuardrailExecutionError);
    expect((error as Error).cause).toBe(cause);
    expect(String(error)).toContain("'checker' of tool 'work'");
  });

  test(verifies('T10', 'stand around a call that was approved, and see the edited arguments'), async () => {
    const seen: string[] = [];
    const work = tool({
      name: 'work',
      description: 'W.',
      parameters: { type: 'object', properties: { n: { type: 'number' } } },
      needsApproval: true,
      execute: (args: unknown) => args,
      inputGuardrails: [
        {
          name: 'g',
          execute: ({ toolCall }) => {
            seen.push(toolCall.arguments);
            return allow;
          },
        },
      ],
    });
    const model = new ScriptedModel([[call('work', { n: 1 })], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [work] });
    const stopped = await Runner.run(agent, 'go');
    expect(seen).toEqual([]);
    stopped.state.approve(stopped.interruptions[0]!, { arguments: { n: 2 } });
    await Runner.run(agent, stopped.state);
    expect(seen).toEqual(['{"n":2}']);
  });
});
