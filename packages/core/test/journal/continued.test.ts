import { afterEach, expect, test, vi } from 'vitest';
import {
  Agent,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  MaxTurnsExceededError,
  Runner,
  RunState,
  tool,
  type AgentsError,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from '../run/scripts.ts';
import { idle } from '../run/stage.ts';
import { made, parameters, runId } from './made.ts';
import { OpenJournal } from './world.ts';

afterEach(() => {
  vi.useRealTimers();
});

test(
  verifies(
    'J1',
    'an interrupted run keeps answers in its journal: with the state or the input it goes on, and can be replayed',
  ),
  async () => {
    const journal = new OpenJournal();
    const ran: unknown[] = [];
    const build = (turns: readonly ScriptedTurn[]) => {
      const ask = tool({
        name: 'ask',
        description: 'Asks.',
        parameters,
        needsApproval: true,
        execute: (args) => void ran.push(args),
      });
      return new Agent({ name: 'A', model: new ScriptedModel(turns), tools: [ask] });
    };
    const first = await Runner.run(build([[call('ask', {}, 'a'), call('ask', {}, 'b')]]), 'go', { journal, runId });
    expect(first.interruptions).toHaveLength(2);
    // By the input alone the same questions come back.
    const asked = await Runner.run(build([]), 'go', { journal, runId });
    expect(asked.interruptions.map(({ callId }) => callId)).toEqual(['a', 'b']);
    const state = RunState.fromString(build([]), first.state.toString());
    const [a, b] = state.interruptions;
    if (a && b) {
      state.approve(a, { arguments: { edited: true } });
      state.reject(b, { message: 'not that one' });
    }
    // The answers are stored with the state, and given by another process.
    const answered = RunState.fromString(build([]), state.toString());
    const crash = new OpenJournal(journal.entries);
    const append = crash.append.bind(crash);
    crash.append = (id, entry) =>
      entry.effectId === '1/a/decided' ? Promise.reject(new Error('crash')) : append(id, entry);
    await rejection(Runner.run(build([]), answered, { journal: crash, runId }));
    expect(ran).toEqual([{ edited: true }]);
    // Nobody decides again: the journal knows the answers.
    crash.append = append;
    const result = await Runner.run(build(['hi']), 'go', { journal: crash, runId });
    expect(result.finalOutput).toBe('hi');
    expect(ran).toEqual([{ edited: true }, { edited: true }]);
    expect(result.newItems.map((item) => ('output' in item ? item.output : item.type))).toContain('not that one');
    const replayed = await Runner.run(build([]), 'go', { journal: crash, runId });
    expect(JSON.parse(replayed.state.toString())).toEqual(JSON.parse(result.state.toString()));
  },
);

test('the last answer of a person counts, as long as the call has not run', async () => {
  const journal = new OpenJournal();
  const ran: string[] = [];
  const build = (turns: readonly ScriptedTurn[]) => {
    const execute = () => void ran.push('ran');
    const ask = tool({ name: 'ask', description: 'Asks.', parameters, needsApproval: true, execute });
    return new Agent({ name: 'A', model: new ScriptedModel(turns), tools: [ask] });
  };
  const first = await Runner.run(build([[call('ask')]]), 'go', { journal, runId });
  const decided = (how: 'approve' | 'reject') => {
    const state = RunState.fromString(build([]), first.state.toString());
    for (const item of state.interruptions) state[how](item);
    return state;
  };
  // The answer is written down, then the process dies before the call has run.
  const append = journal.append.bind(journal);
  journal.append = async (id, entry) => {
    await append(id, entry);
    if (entry.effectId === 'resume') throw new Error('crash');
  };
  await rejection(Runner.run(build([]), decided('approve'), { journal, runId }));
  journal.append = append;
  await Runner.run(build(['hi']), decided('reject'), { journal, runId });
  expect(ran).toEqual([]);
});

test('an answer that is to hold always does so through the journal, for calls to come as well', async () => {
  const journal = new OpenJournal();
  const build = (turns: readonly ScriptedTurn[]) => {
    const ask = tool({ name: 'ask', description: 'Asks.', parameters, needsApproval: true, execute: () => 'ran' });
    return new Agent({ name: 'A', model: new ScriptedModel(turns), tools: [ask] });
  };
  const { state } = await Runner.run(build([[call('ask', {}, 'a')]]), 'go', { journal, runId });
  for (const item of state.interruptions) state.approve(item, { always: true });
  const crashed = build([[call('ask', {}, 'b')], new Error('gone')]);
  await rejection(Runner.run(crashed, state, { journal, runConfig: { retry: { maxRetries: 0 } } }));
  const result = await Runner.run(build([[call('ask', {}, 'c')], 'hi']), 'go', { journal, runId });
  expect(result.finalOutput).toBe('hi');
});

test(
  verifies('J1', 'a failed and a stopped run go on as well, by their state or by their input, with new options'),
  async () => {
    const failed = new OpenJournal();
    const one = made([[call('work')], [call('work')], 'hi']);
    const error = await rejection(Runner.run(one.agent, 'go', { journal: failed, runId, maxTurns: 1 }));
    expect(error).toBeInstanceOf(MaxTurnsExceededError);
    const next = made([[call('work', {}, 'w2')]]);
    const again = await rejection(Runner.run(next.agent, 'go', { journal: failed, runId, maxTurns: 2 }));
    expect(again).toBeInstanceOf(MaxTurnsExceededError);
    const { state } = again as AgentsError;
    const last = made(['hi']);
    const result = await Runner.run(last.agent, RunState.fromString(last.agent, String(state)), {
      journal: failed,
      maxTurns: 3,
    });
    expect(result.finalOutput).toBe('hi');
    expect([...one.keys, ...next.keys, ...last.keys]).toEqual(['run/1/call_work', 'run/2/w2']);

    const stopped = new OpenJournal();
    const slow = made([() => new Promise<string>(() => undefined)]);
    vi.useFakeTimers();
    const stream = Runner.runStreamed(slow.agent, 'go', { journal: stopped, runId });
    const done = stream.completed;
    await idle();
    stream.cancel();
    await vi.advanceTimersByTimeAsync(2_000);
    await done;
    vi.useRealTimers();
    const continued = await Runner.run(made(['hi']).agent, 'go', { journal: stopped, runId });
    expect(continued.finalOutput).toBe('hi');
  },
);

test.for<[string, () => { tripwireTriggered: boolean }, new (...given: never[]) => Error]>([
  ['that trips', () => ({ tripwireTriggered: true }), InputGuardrailTripwireTriggered],
  [
    'that throws',
    () => {
      throw new Error('down');
    },
    GuardrailExecutionError,
  ],
])(
  'a guardrail %s is asked again by a run that is started again, and cannot be slipped past',
  async ([, execute, kind]) => {
    const journal = new OpenJournal();
    let asked = 0;
    const build = (turns: readonly ScriptedTurn[]) => {
      const guardrail = {
        name: 'g',
        execute: () => {
          asked += 1;
          return execute();
        },
      };
      return made(turns, { inputGuardrails: [guardrail] });
    };
    const first = build([[call('work')]]);
    const error = await rejection(Runner.run(first.agent, 'go', { journal, runId }));
    expect(error).toBeInstanceOf(kind);
    const second = build([[call('work')]]);
    expect(await rejection(Runner.run(second.agent, 'go', { journal, runId }))).toBeInstanceOf(kind);
    const { state } = error as AgentsError;
    const third = build([[call('work')]]);
    if (state) expect(await rejection(Runner.run(third.agent, state, { journal }))).toBeInstanceOf(kind);
    expect(asked).toBe(3);
    expect([...first.keys, ...second.keys, ...third.keys]).toEqual([]);
  },
);
