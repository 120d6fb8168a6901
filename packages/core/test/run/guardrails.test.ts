import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  OutputGuardrailTripwireTriggered,
  Runner,
  tool,
  type GuardrailOutput,
  type InputGuardrail,
  type OutputGuardrail,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { gatekeeper, idle, noting, payTool, PlainSession, unhandledDuring } from './stage.ts';
import { acting } from './toy-model.ts';

afterEach(() => {
  vi.useRealTimers();
});

const fine: GuardrailOutput = { tripwireTriggered: false };
const bad: GuardrailOutput = { tripwireTriggered: true, outputInfo: { why: 'because' } };

describe('input guardrails', () => {
  test(
    verifies('G1', "the starting agent's and the run config's are asked, all at the same time, whatever their gates"),
    async () => {
      const [a, b, c] = [gatekeeper('release', 'a'), gatekeeper('effects', 'b'), gatekeeper('model', 'c')];
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel(['hi']),
        inputGuardrails: [a.guardrail, c.guardrail],
      });
      const run = Runner.run(agent, 'x', { runConfig: { inputGuardrails: [b.guardrail] } });
      await idle();
      expect([a.asked(), b.asked(), c.asked()]).toEqual([1, 1, 1]);
      c.pass();
      b.pass();
      a.pass();
      const result = await run;
      expect(result.inputGuardrailResults.map(({ guardrail, agent: of, output }) => [guardrail, of, output])).toEqual([
        ['a', 'A', fine],
        ['c', 'A', fine],
        ['b', 'A', fine],
      ]);
    },
  );

  test(verifies('G1', 'only on the first turn, and not those of an agent that is handed to'), async () => {
    const log: string[] = [];
    const watch = (name: string): InputGuardrail<unknown> => ({
      name,
      execute: ({ input, agent }) => {
        log.push(
          `${name} ${agent.name} ${JSON.stringify(input.map((item) => item.type === 'message' && item.content))}`,
        );
        return fine;
      },
    });
    const second = new Agent({
      name: 'B',
      model: new ScriptedModel([[call('act')], 'done']),
      tools: [noting('act', [])],
      inputGuardrails: [watch('b')],
    });
    const first = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act')], [call('transfer_to_b')]]),
      tools: [noting('act', [])],
      handoffs: [second],
      inputGuardrails: [watch('a')],
    });
    await Runner.run(first, 'question', { runConfig: { inputGuardrails: [watch('config')] } });
    expect(log).toEqual(['a A ["question"]', 'config A ["question"]']);
  });

  test(verifies('G1', 'a run that goes on after an approval is not fresh'), async () => {
    let asked = 0;
    const pay = payTool();
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('pay')], 'done']),
      tools: [pay],
      inputGuardrails: [{ name: 'g', execute: () => ((asked += 1), fine) }],
    });
    const { state, interruptions } = await Runner.run(agent, 'x');
    for (const item of interruptions) state.approve(item);
    expect((await Runner.run(agent, state)).finalOutput).toBe('done');
    expect(asked).toBe(1);
  });

  test(verifies('G1', 'what a session held before is not part of the input that they look at'), async () => {
    const session = new PlainSession();
    await session.addItems([{ role: 'user', content: 'long ago' }]);
    const inputs: number[] = [];
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      inputGuardrails: [{ name: 'g', execute: ({ input }) => (inputs.push(input.length), fine) }],
    });
    await Runner.run(agent, 'now', { session });
    expect(inputs).toEqual([1]);
  });
});

describe('output guardrails', () => {
  const watching = (log: unknown[], name: string, verdict: GuardrailOutput = fine): OutputGuardrail<unknown> => ({
    name,
    execute: ({ agent, output }) => {
      log.push([name, agent.name, output]);
      return verdict;
    },
  });

  test(verifies('G4', "the last agent's and the run config's look at the final output, at the same time"), async () => {
    const log: unknown[] = [];
    const [one, two] = [latch<GuardrailOutput>(), latch<GuardrailOutput>()];
    const waiting = (name: string, { promise }: { promise: Promise<GuardrailOutput> }): OutputGuardrail<unknown> => ({
      name,
      execute: ({ agent, output }) => {
        log.push([name, agent.name, output]);
        return promise;
      },
    });
    const last = new Agent({ name: 'B', model: new ScriptedModel(['done']), outputGuardrails: [waiting('b', one)] });
    const first = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('transfer_to_b')]]),
      handoffs: [last],
      outputGuardrails: [watching(log, 'a')],
    });
    const run = Runner.run(first, 'x', { runConfig: { outputGuardrails: [waiting('config', two)] } });
    await idle();
    expect(log).toEqual([
      ['b', 'B', 'done'],
      ['config', 'B', 'done'],
    ]);
    two.open(fine);
    one.open(fine);
    expect((await run).outputGuardrailResults).toEqual([
      { guardrail: 'b', agent: 'B', output: fine },
      { guardrail: 'config', agent: 'B', output: fine },
    ]);
  });

  test(verifies('G4', 'a blocked answer is not stored, what the tools before it gave is'), async () => {
    const session = new PlainSession();
    const log: unknown[] = [];
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act')], 'secret']),
      tools: [noting('act', [])],
      outputGuardrails: [watching(log, 'g', bad)],
    });
    const error = await rejection(Runner.run(agent, 'x', { session }));
    expect(error).toBeInstanceOf(OutputGuardrailTripwireTriggered);
    expect(error).toMatchObject({ result: { guardrail: 'g', agent: 'A', output: bad } });
    expect(log).toEqual([['g', 'A', 'secret']]);
    expect(session.words).toEqual(['user', 'function_call', 'function_call_output']);
  });

  test(
    verifies('G4', 'an output made by a tool is looked at; blocked, the output of the tool is still stored'),
    async () => {
      const session = new PlainSession();
      const log: unknown[] = [];
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('act')]]),
        tools: [noting('act', [], { value: 1 })],
        toolUseBehavior: 'stop_on_first_tool',
        outputGuardrails: [watching(log, 'g', bad)],
      });
      expect(await rejection(Runner.run(agent, 'x', { session }))).toBeInstanceOf(OutputGuardrailTripwireTriggered);
      expect(log).toEqual([['g', 'A', { value: 1 }]]);
      expect(session.words).toEqual(['user', 'function_call', 'function_call_output']);
    },
  );

  test(verifies('G4', 'an output made by an error handler is looked at; blocked, it is not stored'), async () => {
    const session = new PlainSession();
    const log: unknown[] = [];
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act')]]),
      tools: [noting('act', [])],
      outputGuardrails: [watching(log, 'g', bad)],
    });
    const run = Runner.run(agent, 'x', {
      session,
      maxTurns: 1,
      errorHandlers: { maxTurns: () => ({ finalOutput: 'sorry' }) },
    });
    expect(await rejection(run)).toBeInstanceOf(OutputGuardrailTripwireTriggered);
    expect(log).toEqual([['g', 'A', 'sorry']]);
    expect(session.words).toEqual(['user', 'function_call', 'function_call_output']);
  });

  test(verifies('G4', 'a refusal that a handler answered: neither is stored when blocked'), async () => {
    const session = new PlainSession();
    const refusal = { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] } as const;
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[refusal]]),
      outputGuardrails: [watching([], 'g', bad)],
    });
    const errorHandlers = { modelRefusal: () => ({ finalOutput: 'sorry' }) };
    expect(await rejection(Runner.run(agent, 'x', { session, errorHandlers }))).toBeInstanceOf(
      OutputGuardrailTripwireTriggered,
    );
    expect(session.words).toEqual(['user']);
  });
});

describe('a guardrail that throws', () => {
  const cause = new Error('broken');
  const throwing = [
    [
      'at once',
      () => {
        throw cause;
      },
    ],
    [
      'later',
      async () => {
        throw cause;
      },
    ],
  ] as const satisfies readonly (readonly [string, () => unknown])[];

  test.for(throwing)(
    verifies('G5', 'on the input side, %s: no trip, but its error as the cause'),
    async ([, execute]) => {
      const ran: string[] = [];
      const session = new PlainSession();
      const { model } = acting();
      const agent = new Agent({
        name: 'A',
        model,
        tools: [noting('act', ran)],
        inputGuardrails: [{ name: 'g', execute }],
      });
      for (const run of [Runner.run(agent, 'x', { session }), Runner.runStreamed(agent, 'x', { session }).completed]) {
        const error = await rejection(run);
        expect(error).toBeInstanceOf(GuardrailExecutionError);
        expect(error).not.toBeInstanceOf(InputGuardrailTripwireTriggered);
        expect(error).toMatchObject({ cause });
      }
      expect([ran, session.writes]).toEqual([[], 0]);
    },
  );

  test.for(throwing)(verifies('G5', 'on the output side, %s'), async ([, execute]) => {
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      outputGuardrails: [{ name: 'g', execute }],
    });
    const error = await rejection(Runner.run(agent, 'x'));
    expect(error).toBeInstanceOf(GuardrailExecutionError);
    expect(error).not.toBeInstanceOf(OutputGuardrailTripwireTriggered);
    expect(error).toMatchObject({ cause });
  });

  test.for(throwing)(verifies('G5', 'of a tool, %s'), async ([, execute]) => {
    for (const side of ['inputGuardrails', 'outputGuardrails'] as const) {
      const act = tool({
        name: 'act',
        description: 'Acts.',
        parameters: { type: 'object' },
        execute: () => 1,
        [side]: [{ name: 'g', execute }],
      });
      const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('act')]]), tools: [act] });
      const error = await rejection(Runner.run(agent, 'x'));
      expect(error).toBeInstanceOf(GuardrailExecutionError);
      expect(error).toMatchObject({ cause });
    }
  });

  test(verifies('G5', 'several that throw, at once and later, leave no rejection behind'), async () => {
    const broken: OutputGuardrail<unknown>[] = throwing.map(([name, execute]) => ({ name, execute }));
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi', 'hi']),
      outputGuardrails: broken.toReversed(),
    });
    const seen = await unhandledDuring(async () => {
      expect(await rejection(Runner.run(agent, 'x'))).toBeInstanceOf(GuardrailExecutionError);
    });
    expect(seen).toEqual([]);
  });

  test(verifies('G5', 'one that gives no verdict at all has failed as well'), async () => {
    const nothing: () => never = vi.fn<() => never>();
    const input = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      inputGuardrails: [{ name: 'g', execute: nothing }],
    });
    expect(await rejection(Runner.run(input, 'x'))).toBeInstanceOf(GuardrailExecutionError);
    const output = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      outputGuardrails: [{ name: 'g', execute: nothing }],
    });
    expect(await rejection(Runner.run(output, 'x'))).toBeInstanceOf(GuardrailExecutionError);
  });

  test(verifies('G5', 'a trip of another one wins'), async () => {
    const guardrails: OutputGuardrail<unknown>[] = [
      {
        name: 'broken',
        execute: () => {
          throw cause;
        },
      },
      { name: 'strict', execute: () => bad },
    ];
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']), outputGuardrails: guardrails });
    expect(await rejection(Runner.run(agent, 'x'))).toBeInstanceOf(OutputGuardrailTripwireTriggered);
  });
});
