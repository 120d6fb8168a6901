import { afterEach, describe, expect, test, vi } from 'vitest';
import { Agent, InputGuardrailTripwireTriggered, ModelError, Runner, type GuardrailOutput } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { gatekeeper, idle, noting, PlainSession, reading, word, words, untilAborted } from './stage.ts';
import { acting, spoken, toyModel } from './toy-model.ts';

afterEach(() => {
  vi.useRealTimers();
});

const fine: GuardrailOutput = { tripwireTriggered: false };
const bad: GuardrailOutput = { tripwireTriggered: true, outputInfo: { why: 'because' } };
const gates = ['release', 'effects', 'model'] as const;

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
      await vi.waitFor(() => expect(sent).toBe(500));
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
        else await untilAborted(signal);
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
        signal?.addEventListener('abort', () => (seen.aborted = true));
        await untilAborted(signal);
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
