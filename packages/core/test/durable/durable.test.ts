import { expect, test } from 'vitest';
import {
  Agent,
  MaxTurnsExceededError,
  MemorySession,
  Runner,
  tool,
  type Hooks,
  type RunStreamEvent,
} from '../../src/index.ts';
import { performStep, runDurably, RunChangedError, type DurableOptions } from '../../src/durable/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from '../run/scripts.ts';
import { idle, words } from '../run/stage.ts';
import { Crash, history, RecordingEngine, type History } from './recording-engine.ts';
import { world, type World } from './world.ts';

const parameters = { type: 'object', properties: {}, additionalProperties: true } as const;

function attempt({ agent, options }: World, engine: RecordingEngine) {
  let at = 0;
  const approve = () => [{ type: 'approved' as const, callId: 'd', path: [] }];
  return runDurably(engine, {
    agent,
    input: 'go',
    options: { ...options, decide: () => engine.answers(approve, at++) },
  });
}

test(
  verifies(
    'J2',
    'on an engine, a run killed after any step ends the same; what was recorded is performed once and begun in the same order',
  ),
  async () => {
    const whole = history();
    const undisturbed = world();
    const engine = new RecordingEngine(whole);
    const expected = await attempt(undisturbed, engine);
    expect(expected.finalOutput).toBe('done');
    expect(whole.settled.length).toBeGreaterThan(15);
    // Whoever is first in the program need not be first to settle.
    expect(undisturbed.ran).toEqual(['early', 'fast', 'late', 'slow', 'ask']);
    for (let crashAt = 0; crashAt < whole.settled.length; crashAt++) {
      const kept = history();
      const killed = new RecordingEngine(kept, { crashAt });
      const first = world();
      await expect(attempt(first, killed), `killed at ${crashAt}`).rejects.toThrow(Crash);
      const recorded = ids(kept);
      const second = world();
      const resumed = new RecordingEngine(kept);
      const result = await attempt(second, resumed);
      expect(result.finalOutput).toBe('done');
      expect(result.newItems.length).toBe(expected.newItems.length);
      expect(result.usage).toEqual(expected.usage);
      expect(
        resumed.performed.filter((id) => recorded.includes(id)),
        `after a kill at ${crashAt}`,
      ).toEqual([]);
      expect(resumed.begun.slice(0, killed.begun.length)).toEqual(killed.begun);
      expect([...ids(kept)].sort()).toEqual([...ids(whole)].sort());
      // Each hook fired once, but for those of effects that were in flight.
      expect(second.hooks.length).toBeLessThanOrEqual(undisturbed.hooks.length);
      expect(new Set([...first.hooks, ...second.hooks])).toEqual(new Set(undisturbed.hooks));
    }
    expect(new Set(undisturbed.keys).size).toBe(5);
    expect(undisturbed.keys).toContain('r/1/b/1/i1');
  },
);

test('a recorded run is told again from its record alone: nothing is performed, no hook fires, no event is told', async () => {
  const kept = history();
  await attempt(world(), new RecordingEngine(kept));
  const replayed = world();
  const events: RunStreamEvent[] = [];
  const engine = new RecordingEngine(kept);
  const result = await attempt(
    { ...replayed, options: { ...replayed.options, onEvent: (event) => events.push(event) } },
    engine,
  );
  expect(result.finalOutput).toBe('done');
  expect([engine.performed, replayed.hooks, replayed.ran, events]).toEqual([[], [], [], []]);
});

test('events are told of what is performed now, and what listens cannot disturb the run', async () => {
  const kept = history();
  const killed = world();
  const before: RunStreamEvent[] = [];
  const told = (events: RunStreamEvent[]) => (event: RunStreamEvent) => {
    events.push(event);
    throw new Error('the listener is broken');
  };
  const first = { ...killed, options: { ...killed.options, onEvent: told(before) } };
  await rejection(attempt(first, new RecordingEngine(kept, { crashAt: 8 })));
  const after: RunStreamEvent[] = [];
  const second = world();
  await attempt({ ...second, options: { onEvent: told(after) } }, new RecordingEngine(kept));
  expect(words(before)).toContain('agent outer');
  expect(words(after)).not.toContain('agent outer');
  expect(words(after).at(-1)).toBe('message_output_created');
  expect(before.some(({ type }) => type === 'raw_response_event')).toBe(true);
});

test('held events stay held when a run is taken up before its guardrail has answered', async () => {
  const verdict = latch();
  const events: RunStreamEvent[] = [];
  const said = latch();
  const build = () =>
    new Agent({
      name: 'A',
      model: new ScriptedModel(['secret']),
      inputGuardrails: [
        {
          name: 'slow',
          execute: async () => {
            await verdict.promise;
            return { tripwireTriggered: false };
          },
        },
      ],
    });
  const kept = history();
  await rejection(runDurably(new RecordingEngine(kept, { crashAt: 2 }), { agent: build(), input: 'go' }));
  expect(ids(kept)).toEqual(['start', '1/prepare']);
  const hooks: Hooks<unknown> = { onModelEnd: () => said.open() };
  const run = runDurably(new RecordingEngine(kept), {
    agent: build(),
    input: 'go',
    options: { onEvent: (event) => events.push(event), hooks },
  });
  await said.promise;
  expect(events).toEqual([]);
  verdict.open();
  expect((await run).finalOutput).toBe('secret');
  expect(events.length).toBeGreaterThan(0);
});

test('a run that is stopped by its engine aborts what goes on, and is stopped at the same place in every replay', async () => {
  const kept = history();
  const signals: AbortSignal[] = [];
  const build = () => {
    const hang = tool({
      name: 'hang',
      description: 'Hangs.',
      parameters,
      execute: (_args, { signal }) => {
        signals.push(signal);
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
      },
    });
    return new Agent({ name: 'A', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [hang] });
  };
  const decide = async () => {
    throw new Error('nobody is asked');
  };
  const engine = new RecordingEngine(kept, { stopAt: 3 });
  const result = await runDurably(engine, { agent: build(), input: 'go', options: { decide } });
  expect(result.finalOutput).toBeUndefined();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  expect(ids(kept)).toEqual(['start', '1/prepare', '1/model', 'stop', '1/h']);
  const again = await runDurably(new RecordingEngine(kept), { agent: build(), input: 'go', options: { decide } });
  expect(again.finalOutput).toBeUndefined();
  expect(signals).toHaveLength(1);
  // What it left can be taken up by another run.
  expect(again.state.toString()).toContain('"hang"');
});

test('when the attempt is over, what goes on is told to stop and comes to nothing', async () => {
  const over = new AbortController();
  const kept = history();
  const engine = Object.assign(new RecordingEngine(kept), { signal: over.signal });
  const stopped = latch();
  const began = latch();
  const hang = tool({
    name: 'hang',
    description: 'Hangs.',
    parameters,
    execute: (_args, { signal }) => {
      began.open();
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          stopped.open();
          reject(new Error('aborted'));
        }),
      );
    },
  });
  const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('hang', {}, 'h')]]), tools: [hang] });
  let settled = false;
  void runDurably(engine, { agent, input: 'go' }).finally(() => (settled = true));
  await began.promise;
  over.abort();
  await stopped.promise;
  await idle();
  expect(settled).toBe(false);
  expect(ids(kept)).toEqual(['start', '1/prepare', '1/model']);
});

test('another program than the one that began is refused by name, and is no error of the run', async () => {
  const kept = history();
  const build = (name: string) =>
    new Agent({
      name: 'A',
      model: new ScriptedModel([[call('one', {}, 'c')], 'end']),
      tools: [tool({ name, description: 'One.', parameters, execute: () => 1 })],
    });
  await rejection(runDurably(new RecordingEngine(kept, { crashAt: 3 }), { agent: build('one'), input: 'go' }));
  const finalError = () => new Error('final');
  const engine = Object.assign(new RecordingEngine(kept), { finalError });
  const error = await rejection(runDurably(engine, { agent: build('two'), input: 'go' }));
  expect(error).toBeInstanceOf(RunChangedError);
  expect(String(error)).toContain('the agents or the version of @polyrun/core have changed');
  const [first] = kept.settled;
  if (first && first !== 'stop') kept.settled[0] = { ...first, text: first.text.replace('"start"', '"begin"') };
  const other = await rejection(runDurably(new RecordingEngine(kept), { agent: build('one'), input: 'go' }));
  expect(other).toBeInstanceOf(RunChangedError);
  expect(String(other)).toContain("Step 'start'");
});

test('an error of the run itself says the same in every replay, and is the one that finalError makes', async () => {
  const kept = history();
  const build = () => new Agent({ name: 'A', model: new ScriptedModel([[call('none', {}, 'c')]]), tools: [] });
  const run = (engine: RecordingEngine) =>
    runDurably(engine, { agent: build(), input: 'go', options: { maxTurns: 1 } });
  const live = await rejection(run(new RecordingEngine(kept)));
  const replayed = await rejection(run(new RecordingEngine(kept)));
  expect(live).toBeInstanceOf(MaxTurnsExceededError);
  expect(replayed).toBeInstanceOf(MaxTurnsExceededError);
  expect(String(replayed)).toBe(String(live));
  const final = Object.assign(new RecordingEngine(kept), {
    finalError: (error: unknown) => new Error(`final ${String(error)}`),
  });
  expect(String(await rejection(run(final)))).toContain('final MaxTurnsExceededError');
});

test('a hook at the end that throws is recorded, too', async () => {
  const kept = history();
  let fired = 0;
  const hooks: Hooks<unknown> = {
    onRunEnd: () => {
      fired += 1;
      throw new Error('no end');
    },
  };
  const run = () =>
    runDurably(new RecordingEngine(kept), {
      agent: new Agent({ name: 'A', model: new ScriptedModel(['hi']) }),
      input: 'go',
      options: { hooks },
    });
  expect(String(await rejection(run()))).toContain('no end');
  expect(String(await rejection(run()))).toContain('no end');
  expect(fired).toBe(1);
});

test('a plan that did not change is recorded once', async () => {
  const kept = history();
  const description = 'x'.repeat(5_000);
  const steps = 4;
  const agent = new Agent({
    name: 'A',
    model: new ScriptedModel([...Array.from({ length: steps - 1 }, (_, at) => [call('one', {}, `c${at}`)]), 'end']),
    tools: [tool({ name: 'one', description, parameters, execute: () => 1 })],
  });
  expect((await runDurably(new RecordingEngine(kept), { agent, input: 'go' })).finalOutput).toBe('end');
  const prepared = kept.settled.flatMap((each) =>
    each !== 'stop' && each.id.endsWith('/prepare') ? [each.text.length] : [],
  );
  expect(prepared.map((length) => length > 5_000)).toEqual([true, false, false, false]);
  expect((await runDurably(new RecordingEngine(kept), { agent, input: 'go' })).finalOutput).toBe('end');
});

test('large outcomes go to the store, are named by what they hold, and a store without them is named', async () => {
  const kept = history();
  const stored = new Map<string, string>();
  let failures = 1;
  const blobs = {
    put: async (key: string, text: string) => {
      if (failures-- > 0) throw new Error('the store is down');
      stored.set(key, text);
    },
    get: async (key: string) => stored.get(key),
  };
  let ran = 0;
  const build = () =>
    new Agent({
      name: 'A',
      model: new ScriptedModel([[call('big', {}, 'c')], 'end']),
      tools: [tool({ name: 'big', description: 'Big.', parameters, execute: () => `${++ran}${'y'.repeat(10_000)}` })],
    });
  const options = { blobs, maxInline: 5_000 };
  const engine = new RecordingEngine(kept);
  // The store fails once: the step is asked again, and does not run its tool again.
  const step = engine.step.bind(engine);
  engine.step = (made) => step({ ...made, perform: () => made.perform().catch(() => made.perform()) });
  expect((await runDurably(engine, { agent: build(), input: 'go', options })).finalOutput).toBe('end');
  expect(ran).toBe(1);
  expect([...stored.keys()]).toEqual([expect.stringMatching(/^r\/1\/c\/[0-9a-z]{11}$/)]);
  expect(JSON.stringify(kept).length).toBeLessThan(5_000);
  const replayed = await runDurably(new RecordingEngine(kept), { agent: build(), input: 'go', options });
  expect(JSON.stringify(replayed.newItems)).toContain('yyyy');
  const without = await rejection(runDurably(new RecordingEngine(kept), { agent: build(), input: 'go' }));
  expect(String(without)).toContain('blobs: the run was recorded with a store');
  stored.clear();
  const lost = await rejection(runDurably(new RecordingEngine(kept), { agent: build(), input: 'go', options }));
  expect(String(lost)).toContain("no text for 'r/1/c/");
});

test('steps can be performed elsewhere from their descriptions alone, at any depth', async () => {
  const here = world();
  const expected = await attempt(here, new RecordingEngine(history()));
  const there = world();
  const workers: World[] = [];
  const kept = history();
  const engine = new RecordingEngine(kept, {
    remote: (description, signal) => {
      // A worker of its own for each step: nothing but the description goes over.
      const worker = world();
      workers.push(worker);
      return performStep(worker, description, signal);
    },
  });
  const result = await attempt(there, engine);
  expect(result.finalOutput).toBe(expected.finalOutput);
  expect(result.usage).toEqual(expected.usage);
  expect(there.ran).toEqual([]);
  expect(workers.flatMap(({ ran }) => ran).sort()).toEqual([...here.ran].sort());
  expect(workers.flatMap(({ keys }) => keys).sort()).toEqual([...here.keys].sort());
  expect(workers.flatMap(({ hooks }) => hooks).sort()).toEqual([...here.hooks].sort());
  expect((await attempt(world(), new RecordingEngine(kept))).finalOutput).toBe('done');
});

test('a session is written once and its lease is not taken', async () => {
  const session = new MemorySession();
  const taken: string[] = [];
  session.acquire = async ({ runId }) => {
    taken.push(runId);
    return { release: async () => undefined };
  };
  const kept = history();
  const build = () => new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
  const options = { session };
  for (let at = 0; at < 3; at++) await runDurably(new RecordingEngine(kept), { agent: build(), input: 'go', options });
  expect((await session.getItems()).length).toBe(2);
  expect(taken).toEqual([]);
});

test('what the engine stands for is refused', async () => {
  const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
  const options = { runId: 'mine' } as DurableOptions<unknown>;
  const error = await rejection(runDurably(new RecordingEngine(history()), { agent, input: 'go', options }));
  expect(String(error)).toContain('runId: the durable engine stands for it');
});

test('an undisturbed run ends as Runner.run ends it', async () => {
  const durable = await attempt(world(), new RecordingEngine(history()));
  const plain = world();
  const first = await Runner.run(plain.agent, 'go');
  const [item] = first.interruptions;
  if (item) first.state.approve(item);
  const second = await Runner.run(plain.agent, first.state);
  expect(durable.finalOutput).toBe(second.finalOutput);
  expect(durable.toInputList()).toEqual(second.toInputList());
});

function ids({ settled }: History): string[] {
  return settled.map((each) => (each === 'stop' ? each : each.id));
}
