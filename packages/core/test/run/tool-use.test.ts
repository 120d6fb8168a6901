import { describe, expect, test } from 'vitest';
import { Agent, Runner, tool, type ToolOptions, type ToolResult, type ToolUseBehavior } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief } from './scripts.ts';

function named(name: string, execute: () => unknown, more: Partial<ToolOptions<unknown, unknown>> = {}) {
  return tool({ name, description: name, parameters: { type: 'object' }, execute, ...more });
}

const number = named('number', () => ({ n: 1 }));
const text = named('text', async () => 'a text');
const broken = named('broken', () => {
  throw new Error('x');
});
const guarded = named('guarded', () => 'secret', {
  outputGuardrails: [{ name: 'no', execute: () => ({ type: 'reject_content', message: 'no' }) }],
});

async function outcome(toolUseBehavior: ToolUseBehavior<unknown> | undefined, calls: readonly string[]) {
  const model = new ScriptedModel([calls.map((name, index) => call(name, {}, `call_${index}`)), 'from the model']);
  const agent = new Agent({ name: 'A', model, tools: [number, text, broken, guarded], toolUseBehavior });
  const result = await Runner.run<unknown, unknown>(agent, 'go');
  return { output: result.finalOutput, asked: model.requests.length, result };
}

describe('toolUseBehavior', () => {
  test.for([undefined, 'run_llm_again'] as const)(verifies('L9', '%s asks the model again'), async (behavior) => {
    expect(await outcome(behavior, ['number'])).toMatchObject({ output: 'from the model', asked: 2 });
  });

  test(verifies('L9', 'stop_on_first_tool ends with the value of the first call'), async () => {
    const { output, asked, result } = await outcome('stop_on_first_tool', ['number', 'text']);
    expect(output).toEqual({ n: 1 });
    expect(asked).toBe(1);
    // The outputs of all calls are in the history nonetheless.
    expect(brief(result.newItems)).toEqual(['call number', 'call text', 'output number', 'output text']);
  });

  test(verifies('L9', 'the first in call order, whichever returns first'), async () => {
    expect(await outcome('stop_on_first_tool', ['text', 'number'])).toMatchObject({ output: 'a text' });
  });

  test(verifies('L9', 'stopAtToolNames ends with the first of the named tools'), async () => {
    const behavior = { stopAtToolNames: ['text'] };
    expect(await outcome(behavior, ['number', 'text'])).toMatchObject({ output: 'a text', asked: 1 });
    expect(await outcome(behavior, ['number'])).toMatchObject({ output: 'from the model', asked: 2 });
  });

  test.for(['sync', 'async'] as const)(
    verifies('L9', 'a function is given the results and decides: %s'),
    async (how) => {
      const seen: (readonly ToolResult[])[] = [];
      const behavior: ToolUseBehavior<unknown> = ({ toolResults, runContext }) => {
        seen.push(toolResults);
        expect(runContext.agent.name).toBe('A');
        const choice = { isFinalOutput: true as const, finalOutput: toolResults.length };
        return how === 'sync' ? choice : Promise.resolve(choice);
      };
      expect(await outcome(behavior, ['number', 'text', 'broken'])).toMatchObject({ output: 2, asked: 1 });
      expect(seen).toEqual([
        [
          { toolName: 'number', callId: 'call_0', output: { n: 1 } },
          { toolName: 'text', callId: 'call_1', output: 'a text' },
        ],
      ]);
      expect(await outcome(() => ({ isFinalOutput: false }), ['number'])).toMatchObject({ output: 'from the model' });
    },
  );

  test.for(['broken', 'guarded', 'unknown'])(
    verifies('L9', 'a call that came to nothing does not count: %s'),
    async (name) => {
      expect(await outcome('stop_on_first_tool', [name])).toMatchObject({ output: 'from the model', asked: 2 });
      expect(await outcome('stop_on_first_tool', [name, 'number'])).toMatchObject({ output: { n: 1 }, asked: 1 });
      expect(await outcome({ stopAtToolNames: [name] }, [name])).toMatchObject({ output: 'from the model', asked: 2 });
      const behavior = ({ toolResults }: { toolResults: readonly ToolResult[] }) => ({
        isFinalOutput: true as const,
        finalOutput: toolResults,
      });
      expect(await outcome(behavior, [name])).toMatchObject({ output: 'from the model', asked: 2 });
    },
  );

  test(verifies('L9', 'a call that a person rejected does not count, one that was approved does'), async () => {
    const asks = named('asks', () => 'did it', { needsApproval: true });
    const model = new ScriptedModel([[call('asks', {}, 'a'), call('asks', {}, 'b')]]);
    const agent = new Agent({ name: 'A', model, tools: [asks], toolUseBehavior: 'stop_on_first_tool' });
    const stopped = await Runner.run(agent, 'go');
    const [a, b] = stopped.interruptions;
    stopped.state.reject(a!);
    stopped.state.approve(b!);
    const result = await Runner.run(agent, stopped.state);
    expect(result.finalOutput).toBe('did it');
    const allRejected = new ScriptedModel([[call('asks')], 'from the model']);
    const again = await Runner.run(agent.clone({ model: allRejected }), 'go');
    again.state.reject(again.interruptions[0]!);
    expect((await Runner.run(agent.clone({ model: allRejected }), again.state)).finalOutput).toBe('from the model');
  });

  test(verifies('L8', 'a pending approval comes before toolUseBehavior'), async () => {
    const asks = named('asks', () => 'did it', { needsApproval: true });
    const model = new ScriptedModel([[call('number'), call('asks')]]);
    const agent = new Agent({ name: 'A', model, tools: [number, asks], toolUseBehavior: 'stop_on_first_tool' });
    const stopped = await Runner.run<unknown, unknown>(agent, 'go');
    expect(stopped.finalOutput).toBeUndefined();
    expect(stopped.interruptions).toHaveLength(1);
    stopped.state.approve(stopped.interruptions[0]!);
    expect((await Runner.run<unknown, unknown>(agent, stopped.state)).finalOutput).toEqual({ n: 1 });
  });
});
