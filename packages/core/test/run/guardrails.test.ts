import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  ModelError,
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
import { gatekeeper, idle, noting, PlainSession, reading, unhandledDuring, word, words } from './stage.ts';
import { calling, spoken, toyModel, type Chunk } from './toy-model.ts';

afterEach(() => {
  vi.useRealTimers();
});

const fine: GuardrailOutput = { tripwireTriggered: false };
const bad: GuardrailOutput = { tripwireTriggered: true, outputInfo: { why: 'because' } };
const gates = ['release', 'effects', 'model'] as const;

/** A model that answers its first call with a call of `act`, then in words; `sent` and `aborted` tell how far it came. */
function acting() {
  const seen = { opened: 0, sent: 0, aborted: false };
  const model = toyModel({
    async *open(_body, { signal }) {
      signal?.addEventListener('abort', () => (seen.aborted = true));
      seen.opened += 1;
      const chunks: Chunk[] =
        seen.opened === 1 ? [{ type: 'text', delta: 'Let me see.' }, ...calling({ name: 'act' })] : spoken('Seen.');
      for (const chunk of chunks) {
        yield chunk;
        seen.sent += 1;
      }
    },
  });
  return { model, seen };
}

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
    const pay = tool({
      name: 'pay',
      description: 'Pays.',
      parameters: { type: 'object' },
      needsApproval: true,
      execute: () => 'paid',
    });
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

describe('gates', () => {
  test(verifies('G2', 'release: the model answers meanwhile, but no event passes and no tool starts'), async () => {
    const ran: string[] = [];
    const gate = gatekeeper('release');
    const { model, seen } = acting();
    const agent = new Agent({ name: 'A', model, tools: [noting('act', ran)], inputGuardrails: [gate.guardrail] });
    const { events, end } = reading(Runner.runStreamed(agent, 'x'));
    await idle();
    expect(seen.sent).toBe(4);
    expect(events).toEqual([]);
    expect(ran).toEqual([]);
    gate.pass();
    expect(await end).toBe('ended');
    expect(ran).toEqual(['act']);

    const free = acting();
    const plain = new Agent({ name: 'A', model: free.model, tools: [noting('act', [])] });
    const unguarded = reading(Runner.runStreamed(plain, 'x'));
    await unguarded.end;
    expect(events.map(word)).toEqual(unguarded.events.map(word));
  });

  test(verifies('G2', 'effects: events pass, tools wait'), async () => {
    const ran: string[] = [];
    const gate = gatekeeper('effects');
    const { model } = acting();
    const agent = new Agent({ name: 'A', model, tools: [noting('act', ran)], inputGuardrails: [gate.guardrail] });
    const { events, end } = reading(Runner.runStreamed(agent, 'x'));
    await idle();
    expect(words(events)).toEqual(['agent A', 'message_output_created', 'tool_called call_act']);
    expect(ran).toEqual([]);
    gate.pass();
    expect(await end).toBe('ended');
    expect(ran).toEqual(['act']);
  });

  test(verifies('G2', 'model: the model is not called before the verdict'), async () => {
    const gate = gatekeeper('model');
    const model = new ScriptedModel(['hi']);
    const agent = new Agent({ name: 'A', model, inputGuardrails: [gate.guardrail] });
    const stream = Runner.runStreamed(agent, 'x');
    const { end } = reading(stream);
    await idle();
    expect(gate.asked()).toBe(1);
    expect(model.requests).toHaveLength(0);
    gate.pass();
    await end;
    expect(stream.finalOutput).toBe('hi');
  });

  test.for(gates)(verifies('G2', '%s: a handoff waits for the verdict'), async (kind) => {
    const gate = gatekeeper(kind);
    const log: string[] = [];
    const second = new Agent({ name: 'B', model: new ScriptedModel(['done']) });
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('transfer_to_b')]]),
      handoffs: [second],
      inputGuardrails: [gate.guardrail],
      hooks: { onHandoff: () => void log.push('handoff') },
    });
    const run = Runner.run(agent, 'x');
    await idle();
    expect(log).toEqual([]);
    gate.pass();
    expect((await run).finalOutput).toBe('done');
    expect(log).toEqual(['handoff']);
  });

  test.for(gates)(verifies('G2', '%s: the final output waits for the verdict'), async (kind) => {
    const gate = gatekeeper(kind);
    const log: string[] = [];
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      inputGuardrails: [gate.guardrail],
      hooks: { onAgentEnd: () => void log.push('end') },
    });
    const stream = Runner.runStreamed(agent, 'x');
    const { end } = reading(stream);
    await idle();
    expect(log).toEqual([]);
    expect(stream.finalOutput).toBeUndefined();
    gate.pass();
    await end;
    expect(stream.finalOutput).toBe('hi');
  });

  test(verifies('G2', 'with several, the last verdict frees what is held'), async () => {
    const [release, effects] = [gatekeeper('release'), gatekeeper('effects')];
    const ran: string[] = [];
    const { model } = acting();
    const agent = new Agent({
      name: 'A',
      model,
      tools: [noting('act', ran)],
      inputGuardrails: [release.guardrail, effects.guardrail],
    });
    const { events, end } = reading(Runner.runStreamed(agent, 'x'));
    await idle();
    expect(events).toEqual([]);
    release.pass();
    await idle();
    expect(words(events)).toEqual(['agent A', 'message_output_created', 'tool_called call_act']);
    expect(ran).toEqual([]);
    effects.pass();
    await end;
    expect(ran).toEqual(['act']);
  });

  test(
    verifies('G2', 'what is held does not slow the model, however much it is; afterwards a slow consumer does'),
    async () => {
      const gate = gatekeeper('release');
      let sent = 0;
      const more = latch();
      const model = toyModel({
        async *open() {
          for (; sent < 500; sent++) yield { type: 'text', delta: 'x' };
          await more.promise;
          for (; sent < 2000; sent++) yield { type: 'text', delta: 'x' };
          yield { type: 'end', stop: 'end' };
        },
      });
      const agent = new Agent({ name: 'A', model, inputGuardrails: [gate.guardrail] });
      const stream = Runner.runStreamed(agent, 'x');
      const reader = stream[Symbol.asyncIterator]();
      const first = reader.next();
      while (sent < 500) await idle();
      gate.pass();
      await first;
      more.open();
      await idle();
      await idle();
      // The consumer has read one event: the model is stopped after at most one more.
      expect(sent).toBeLessThan(510);
      let texts = 0;
      for (let next = await reader.next(); !next.done; next = await reader.next()) {
        if (word(next.value) === 'response.output_text.delta') texts += 1;
      }
      expect(texts).toBe(2000);
    },
  );

  test(verifies('G2', 'held events count as activity when they arrived'), async () => {
    vi.useFakeTimers();
    const gate = gatekeeper('release');
    let until = 400;
    const model = toyModel({
      async *open(_body, { signal }) {
        for (let ms = 0; ms < until; ms += 60) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          yield { type: 'text', delta: 'x' };
        }
        if (until > 400) yield { type: 'end', stop: 'end' };
        else await new Promise((_, reject) => signal?.addEventListener('abort', reject));
      },
    });
    const agent = new Agent({ name: 'A', model, inputGuardrails: [gate.guardrail] });
    const runConfig = { timeouts: { firstByteMs: 100, idleMs: 100 }, retry: { maxRetries: 0 } };
    const silent = reading(Runner.runStreamed(agent, 'x', { runConfig }));
    await vi.advanceTimersByTimeAsync(450);
    expect(silent.events).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(await silent.end).toMatchObject({ kind: 'timeout' });

    until = 1000;
    const lively = reading(Runner.runStreamed(agent, 'x', { runConfig }));
    await vi.advanceTimersByTimeAsync(1500);
    expect(lively.events).toEqual([]);
    gate.pass();
    await vi.advanceTimersByTimeAsync(0);
    expect(await lively.end).toBe('ended');
  });
});

describe('a trip', () => {
  test.for(gates)(
    verifies('G2', '%s: never follows a side effect: no tool, no handoff, nothing stored'),
    async (kind) => {
      const ran: string[] = [];
      const gate = gatekeeper(kind);
      const { model } = acting();
      const session = new PlainSession();
      const agent = new Agent({ name: 'A', model, tools: [noting('act', ran)], inputGuardrails: [gate.guardrail] });
      const { events, end } = reading(Runner.runStreamed(agent, 'x', { session }));
      await idle();
      gate.trip();
      expect(await end).toBeInstanceOf(InputGuardrailTripwireTriggered);
      expect(ran).toEqual([]);
      expect(session.writes).toBe(0);
      if (kind === 'release') expect(events).toEqual([]);
    },
  );

  test(verifies('G3', 'aborts the model call and does not wait for sibling guardrails'), async () => {
    const gate = gatekeeper('release', 'strict');
    const sibling = gatekeeper('release', 'slow');
    const seen = { aborted: false };
    const model = toyModel({
      async *open(_body, { signal }) {
        yield { type: 'text', delta: 'Well' };
        await new Promise((_, reject) =>
          signal?.addEventListener('abort', () => {
            seen.aborted = true;
            reject(signal.reason);
          }),
        );
      },
    });
    const session = new PlainSession();
    const agent = new Agent({ name: 'A', model, inputGuardrails: [sibling.guardrail, gate.guardrail] });
    const stream = Runner.runStreamed(agent, 'x', { session });
    const { events, end } = reading(stream);
    await idle();
    gate.trip();
    const error = await end;
    expect(error).toBeInstanceOf(InputGuardrailTripwireTriggered);
    expect(error).toMatchObject({
      result: { guardrail: 'strict', agent: 'A', output: { tripwireTriggered: true, outputInfo: 'no' } },
    });
    expect(await rejection(stream.completed)).toBe(error);
    expect(seen.aborted).toBe(true);
    expect(events).toEqual([]);
    expect(session.writes).toBe(0);
    // What the call had cost so far is counted.
    expect(stream.usage).toMatchObject({ requests: 1, source: 'partial' });
  });

  test(verifies('G3', 'what a model says that does not mind its signal is dropped'), async () => {
    vi.useFakeTimers();
    const gate = gatekeeper('effects');
    const more = latch();
    const model = toyModel({
      async *open() {
        yield { type: 'text', delta: 'before' };
        await more.promise;
        yield* spoken('after');
      },
    });
    const agent = new Agent({ name: 'A', model, inputGuardrails: [gate.guardrail] });
    const { events, end } = reading(Runner.runStreamed(agent, 'x'));
    await idle();
    const before = events.length;
    gate.trip();
    await idle();
    more.open();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await end).toBeInstanceOf(InputGuardrailTripwireTriggered);
    expect(events).toHaveLength(before);
  });

  test(verifies('G3', 'a run resumed from its state has to pass the guardrail'), async () => {
    const ran: string[] = [];
    const verdicts = [bad, bad, fine];
    const agent = new Agent({
      name: 'A',
      model: acting().model,
      tools: [noting('act', ran)],
      inputGuardrails: [{ name: 'g', execute: () => verdicts.shift() ?? fine }],
    });
    const session = new PlainSession();
    const first = await rejection(Runner.run(agent, 'x', { session }));
    const state = first instanceof InputGuardrailTripwireTriggered ? first.state : undefined;
    if (state === undefined) throw new Error('no state');
    expect(await rejection(Runner.run(agent, state, { session }))).toBeInstanceOf(InputGuardrailTripwireTriggered);
    expect([ran, session.writes]).toEqual([[], 0]);
  });

  test(verifies('G3', 'trips whether the guardrail answers at once or later, streamed or not'), async () => {
    for (const execute of [() => bad, async () => bad]) {
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel(['hi', 'hi']),
        inputGuardrails: [{ name: 'g', execute }],
      });
      expect(await rejection(Runner.run(agent, 'x'))).toBeInstanceOf(InputGuardrailTripwireTriggered);
      expect(await rejection(Runner.runStreamed(agent, 'x').completed)).toBeInstanceOf(InputGuardrailTripwireTriggered);
    }
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

test(verifies('G3', 'a trip beats the failure of the model that it overlapped'), async () => {
  const gate = gatekeeper('release');
  const failing = new ScriptedModel([new ModelError({ kind: 'auth', message: 'no' })]);
  const agent = new Agent({
    name: 'A',
    model: failing,
    inputGuardrails: [{ name: 'now', execute: () => bad }, gate.guardrail],
  });
  expect(await rejection(Runner.run(agent, 'x'))).toBeInstanceOf(InputGuardrailTripwireTriggered);
});
