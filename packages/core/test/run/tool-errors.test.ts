import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  MemorySession,
  ModelBehaviorError,
  Runner,
  RunState,
  tool,
  ToolCallError,
  type AgentsError,
  type RunConfig,
  type ToolOptions,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, latch, orderOf, outputsIn, rejection } from './scripts.ts';

type Formatted = Parameters<NonNullable<RunConfig['toolErrorFormatter']>>[0];

function named(
  name: string,
  execute: ToolOptions<unknown, unknown>['execute'],
  more: Partial<ToolOptions<unknown, unknown>> = {},
) {
  return tool({ name, description: name, parameters: { type: 'object' }, execute, ...more });
}

const fine = named('fine', () => 'fine output');

/** The output that the model is given for one call of `broken`. */
async function told(more: Partial<ToolOptions<unknown, unknown>> = {}, runConfig: RunConfig = {}): Promise<unknown> {
  const broken = named(
    'broken',
    () => {
      throw new RangeError('disk full');
    },
    more,
  );
  const model = new ScriptedModel([[call('broken')], 'done']);
  await Runner.run(new Agent({ name: 'A', model, tools: [broken] }), 'go', { runConfig });
  return outputsIn(model.requests[1]?.input ?? [])['call_broken'];
}

describe('a tool that throws', () => {
  test(verifies('T4', 'becomes an error output; its siblings are untouched'), async () => {
    const broken = named('broken', async () => {
      throw new RangeError('disk full');
    });
    const model = new ScriptedModel([[call('fine', {}, '1'), call('broken', {}, '2'), call('fine', {}, '3')], 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [fine, broken] }), 'go');
    expect(result.finalOutput).toBe('done');
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({
      1: 'fine output',
      2: 'An error occurred while running the tool. Please try again. Error: disk full',
      3: 'fine output',
    });
    const outputs = result.newItems.filter((item) => item.type === 'tool_call_output_item');
    expect(outputs.map(({ isError }) => isError)).toEqual([false, true, false]);
  });

  test.for([
    ['a string', 'a string'],
    [42, '42'],
    [null, 'null'],
    [{ code: 1 }, '{"code":1}'],
  ] as readonly (readonly [unknown, string])[])(verifies('T4', 'may throw anything: %j'), async ([thrown, words]) => {
    expect(
      await told({
        execute: () => {
          // eslint-disable-next-line typescript/only-throw-error
          throw thrown;
        },
      }),
    ).toContain(`Error: ${words}`);
  });

  test.for(['sync', 'async'] as const)(
    verifies('T4', "its errorFunction words it, before the run config's formatter: %s"),
    async (how) => {
      const errorFunction: ToolOptions<unknown, unknown>['errorFunction'] = ({ error, context }) => {
        const words = `${context.toolName}: ${(error as Error).name}`;
        return how === 'sync' ? words : Promise.resolve(words);
      };
      const toolErrorFormatter = () => 'of the run';
      expect(await told({ errorFunction }, { toolErrorFormatter })).toBe('broken: RangeError');
    },
  );

  test(verifies('T4', "the run config's toolErrorFormatter words it; undefined keeps the default words"), async () => {
    const asked: Formatted[] = [];
    const reply = await told(
      {},
      {
        toolErrorFormatter: async (at) => {
          asked.push(at);
          return `${at.kind} in ${at.toolName}`;
        },
      },
    );
    expect(reply).toBe('error in broken');
    expect(asked).toMatchObject([
      {
        kind: 'error',
        toolName: 'broken',
        callId: 'call_broken',
        defaultMessage: expect.stringContaining('disk full'),
      },
    ]);
    expect(asked[0]?.runContext.agent.name).toBe('A');
    expect(await told({}, { toolErrorFormatter: () => undefined })).toContain('disk full');
  });

  test(verifies('T4', 'errorFunction: null fails the run with ToolCallError, the cause kept'), async () => {
    const error = await rejection(told({ errorFunction: null }));
    expect(error).toBeInstanceOf(ToolCallError);
    expect((error as Error).cause).toBeInstanceOf(RangeError);
    expect(String(error)).toContain("Tool 'broken' failed");
    expect(String(error)).not.toContain('disk full');
  });
});

describe('toolErrorFormatter', () => {
  const asks = named('asks', () => 'ok', { needsApproval: true });
  const strict = tool({
    name: 'strict',
    description: 'S.',
    parameters: { type: 'object', required: ['x'] },
    execute: () => 'ok',
  });
  const slow = named('slow', () => new Promise(() => {}), { timeoutMs: 1 });
  const broken = named('broken', () => {
    throw new Error('x');
  });

  test('words every kind of trouble that has no words of its own', async () => {
    const names = ['unknown', 'strict', 'slow', 'broken', 'asks'];
    const model = new ScriptedModel([names.map((name) => call(name, {}, name)), 'done']);
    const agent = new Agent({ name: 'A', model, tools: [asks, strict, slow, broken] });
    const runConfig: RunConfig = { toolErrorFormatter: ({ kind, toolName }) => `${kind} of ${toolName}` };
    const stopped = await Runner.run(agent, 'go', { runConfig });
    stopped.state.reject(stopped.interruptions[0]!);
    await Runner.run(agent, stopped.state, { runConfig });
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({
      unknown: 'tool_not_found of unknown',
      strict: 'invalid_arguments of strict',
      slow: 'timeout of slow',
      broken: 'error of broken',
      asks: 'approval_rejected of asks',
    });
  });

  test(
    verifies('T4', 'a rejection by a person is no failure of the tool: errorFunction: null does not fail the run'),
    async () => {
      const model = new ScriptedModel([[call('asks')], 'done']);
      const tools = [named('asks', () => 'ok', { needsApproval: true, errorFunction: null })];
      const agent = new Agent({ name: 'A', model, tools });
      const stopped = await Runner.run(agent, 'go');
      stopped.state.reject(stopped.interruptions[0]!);
      expect((await Runner.run(agent, stopped.state)).finalOutput).toBe('done');
      expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({ call_asks: 'Tool execution was not approved.' });
    },
  );

  test('leaves what a person said', async () => {
    const model = new ScriptedModel([[call('asks')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [asks] });
    const stopped = await Runner.run(agent, 'go');
    stopped.state.reject(stopped.interruptions[0]!, { message: 'Not today.' });
    await Runner.run(agent, stopped.state, { runConfig: { toolErrorFormatter: () => 'of the run' } });
    expect(outputsIn(model.requests[1]?.input ?? [])).toEqual({ call_asks: 'Not today.' });
  });
});

describe('an unknown tool', () => {
  const model = () => new ScriptedModel([[call('fnie')], 'done']);

  test(verifies('T6', 'is told to the model, with the tools that exist'), async () => {
    const scripted = model();
    const handoffs = [new Agent({ name: 'B', model: scripted })];
    const result = await Runner.run(new Agent({ name: 'A', model: scripted, tools: [fine], handoffs }), 'go');
    expect(outputsIn(scripted.requests[1]?.input ?? [])).toEqual({
      call_fnie: "Tool 'fnie' not found. Available tools: fine, transfer_to_b.",
    });
    expect(result.newItems[1]).toMatchObject({ isError: true, toolName: 'fnie' });
  });

  test(verifies('T6', 'is told, too, where there are none'), async () => {
    const scripted = model();
    await Runner.run(new Agent({ name: 'A', model: scripted }), 'go');
    expect(outputsIn(scripted.requests[1]?.input ?? [])['call_fnie']).toContain('There are no tools.');
  });

  test.for(['__proto__', 'constructor', 'toString'])(verifies('T6', '%s is no tool'), async (name) => {
    const scripted = new ScriptedModel([[call(name, {}, 'odd')], 'done']);
    await Runner.run(new Agent({ name: 'A', model: scripted, tools: [fine] }), 'go');
    expect(outputsIn(scripted.requests[1]?.input ?? [])['odd']).toContain('not found');
  });

  test(verifies('T6', "toolNotFoundBehavior: 'raise' fails the run"), async () => {
    const agent = new Agent({ name: 'A', model: model(), tools: [fine] });
    const error = await rejection(Runner.run(agent, 'go', { runConfig: { toolNotFoundBehavior: 'raise' } }));
    expect(error).toBeInstanceOf(ModelBehaviorError);
    expect(String(error)).toContain("'fnie', which agent 'A' does not have. Available tools: fine.");
    const scripted = model();
    const lenient = new Agent({ name: 'A', model: scripted, tools: [fine] });
    await Runner.run(lenient, 'go', { runConfig: { toolNotFoundBehavior: 'error_as_result' } });
    expect(scripted.requests).toHaveLength(2);
  });
});

describe('when a tool fails the run', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test(verifies('T4', 'siblings get an aborted signal, are awaited, and keep what they finished'), async () => {
    const release = latch();
    const reasons: unknown[] = [];
    const started = latch();
    const careful = named('careful', async (_, { signal }) => {
      started.open();
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
      reasons.push(signal.aborted);
      await release.promise;
      return 'cleaned up';
    });
    const fatal = named(
      'fatal',
      async () => {
        await started.promise;
        throw new Error('x');
      },
      { errorFunction: null },
    );
    const model = new ScriptedModel([[call('fatal'), call('careful')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [fatal, careful] });
    const session = new MemorySession();
    let over = false;
    const run = rejection(Runner.run(agent, 'go', { session })).finally(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(500);
    expect(reasons).toEqual([true]);
    expect(over).toBe(false);
    release.open();
    const error = (await run) as AgentsError;
    expect(error).toBeInstanceOf(ToolCallError);
    expect(brief(error.runData?.newItems ?? [])).toEqual(['call fatal', 'call careful', 'output careful']);
    expect(orderOf(await session.getItems())).toEqual(['call_careful']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test(verifies('T4', 'a sibling that ignores its signal is not awaited for long'), async () => {
    const deaf = named('deaf', () => new Promise(() => {}));
    const fatal = named('fatal', () => Promise.reject(new Error('x')), { errorFunction: null });
    const model = new ScriptedModel([[call('deaf'), call('fatal')]]);
    const run = rejection(Runner.run(new Agent({ name: 'A', model, tools: [deaf, fatal] }), 'go'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await run).toBeInstanceOf(ToolCallError);
    expect(vi.getTimerCount()).toBe(0);
  });

  test(
    verifies('T4', 'a call that had no place yet is never started, and runs when the state is resumed'),
    async () => {
      let broken = true;
      const fatal = named(
        'fatal',
        () => {
          if (broken) throw new Error('x');
          return 'mended';
        },
        { errorFunction: null },
      );
      const later = vi.fn(() => 'later output');
      const model = new ScriptedModel([[call('fatal'), call('later')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [fatal, named('later', later)] });
      const runConfig: RunConfig = { toolExecution: { maxConcurrency: 1 } };
      const error = (await rejection(Runner.run(agent, 'go', { runConfig }))) as AgentsError;
      expect(later).not.toHaveBeenCalled();
      broken = false;
      const result = await Runner.run(agent, RunState.fromString(agent, error.state!.toString()), { runConfig });
      expect(result.finalOutput).toBe('done');
      expect(later).toHaveBeenCalledOnce();
      expect(outputsIn(result.toInputList())).toEqual({ call_fatal: 'mended', call_later: 'later output' });
    },
  );
});
