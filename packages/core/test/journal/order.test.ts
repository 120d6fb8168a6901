import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageOf } from '../../src/index.ts';
import { advance } from '../../src/loop/advance.ts';
import { effectsFor, type Effect } from '../../src/loop/effects.ts';
import type { Outcome, Settled } from '../../src/loop/outcome.ts';
import { newState, type Limits, type LoopState, type Route, type TurnPlan } from '../../src/loop/state.ts';
import { nestedRun } from '../../src/loop/turn.ts';
import { call, message } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { response } from '../run/scripts.ts';

const names = ['a', 'b', 'c', 'd'];
const routes: { [name: string]: Route } = Object.fromEntries(names.map((name) => [name, { type: 'tool' }]));
const plan: TurnPlan = {
  request: { tools: [], settings: {} },
  routes,
  clients: {},
  input: null,
  mayStopAfterTools: false,
};
const options = { maxTurns: null, maxConcurrency: null, limits: null };
const user = { type: 'message', role: 'user', content: 'go' } as const;
const cost = usageOf({ inputTokens: 7, outputTokens: 3 });

/** What an effect may come to. */
const results = fc.record({
  type: fc.constantFrom('well', 'failed', 'waiting', 'aborted'),
  ms: fc.nat(50),
  inner: fc.boolean(),
});
type Result = typeof results extends fc.Arbitrary<infer T> ? T : never;

function settled(effect: Effect, { type, inner }: Result): Settled {
  const failure = { effectId: effect.id, name: 'Error', message: `no ${effect.id}` };
  if (type === 'aborted') return { type: 'aborted', usage: effect.type === 'call_model' ? cost : null };
  if (type === 'failed' && effect.type !== 'check_input') {
    return { type: 'failed', failure, usage: effect.type === 'call_model' ? cost : null, tripped: null };
  }
  switch (effect.type) {
    case 'save':
      return { type: 'saved', to: effect.to };
    case 'check_input': {
      const tripwireTriggered = type === 'failed';
      const result = { guardrail: String(effect.index), agent: 'A', output: { tripwireTriggered } };
      return { type: 'checked', verdict: { index: effect.index, result }, tripped: tripwireTriggered ? failure : null };
    }
    case 'prepare_turn':
      return { type: 'prepared', plan };
    case 'call_model': {
      const output = inner ? names.map((name) => call(name, {}, `${effect.id}-${name}`)) : [message('done')];
      return { type: 'responded', responses: [response(output, { usage: cost })], usage: cost };
    }
    case 'run_tool': {
      const { callId } = effect.call;
      if (type === 'waiting') return { type: 'tool_waiting', callId };
      if (inner && effect.ended === null) {
        return { type: 'tool_nested', callId, state: nestedRun('B', [user], { options, checks: [] }), verdicts: null };
      }
      const output = { type: 'function_call_output', call_id: callId, output: 'ok' } as const;
      const given = { guardrail: 'g', toolName: 't', callId, output: { type: 'allow' } } as const;
      return {
        type: 'tool_settled',
        callId,
        output,
        value: 1,
        isError: false,
        ran: true,
        verdicts: { input: [given], output: [given] },
      };
    }
    case 'finish':
      return { type: 'finished', output: 'done', items: [], verdicts: [] };
    default:
      throw new Error(`No outcome for ${effect.type}.`);
  }
}

function outcomeOf(effect: Effect, result: Result): Outcome {
  return { ...settled(effect, result), id: effect.id, path: effect.path, turn: effect.turn, ms: result.ms };
}

/** What a state is, without what lists share with later states. */
function plain(state: LoopState, ordered = (list: unknown[]): unknown[] => list): unknown {
  return JSON.parse(
    JSON.stringify(state, (_, value: unknown) => {
      const shared =
        typeof value === 'object' && value !== null && 'items' in value && 'length' in value ? value : undefined;
      return shared && Array.isArray(shared.items) ? ordered(shared.items.slice(0, Number(shared.length))) : value;
    }),
  );
}

/** Leaves out the order of logs, and with it the ranges of writes: what settles after a run has failed is kept as it comes. */
function unordered(state: LoopState): unknown {
  const sorted = (list: unknown[]) => list.map((entry) => JSON.stringify(entry)).toSorted();
  return plain({ ...state, saves: state.saves && { ...state.saves, due: 0 } }, sorted);
}

const rounds = fc.array(fc.array(results, { minLength: 8, maxLength: 8 }), { maxLength: 8 });
const places = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
const setting = fc.record({ checks: fc.nat(2), session: fc.boolean(), rounds, places });
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

/** Drives a run in rounds: all that goes on together settles, in call order and in another order, and both states are compared. */
function inRounds(
  { checks, session, rounds, places }: Setting,
  limits: Limits | null,
  compare: (one: LoopState, other: LoopState) => void,
): number {
  const begun = newState('A', [user], { ...options, limits });
  const made = Array.from({ length: checks }, (_, index) => ({ index, gate: 'release' as const }));
  const at = { id: 'start', path: [], turn: 0, ms: 0 };
  let state = advance(begun, {
    type: 'started',
    log: begun.log,
    view: null,
    checks: made,
    saved: session ? 0 : null,
    server: null,
    ...at,
  });
  let together = 0;
  for (const round of rounds) {
    const outcomes = effectsFor(state).map((effect, index) => {
      const drawn = round[index % round.length] ?? { type: 'well' as const, ms: 0, inner: false };
      // The outermost model makes calls; inner ones do what was drawn.
      return outcomeOf(
        effect,
        effect.path.length === 0 && effect.type === 'call_model' ? { ...drawn, inner: true } : drawn,
      );
    });
    if (outcomes.length > 1) together += 1;
    const shuffled = outcomes
      .map((outcome) => ({ outcome, place: places.next().value ?? 0 }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ outcome }) => outcome);
    const folded = outcomes.reduce(advance, state);
    compare(shuffled.reduce(advance, state), folded);
    state = folded;
  }
  return together;
}

/** The same, without what ends a run while others go on. */
function calm({ rounds, ...rest }: Setting): Setting {
  const well = rounds.map((round) =>
    round.map((each) => (each.type === 'failed' ? { ...each, type: 'well' as const } : each)),
  );
  return { ...rest, rounds: well };
}

const numRuns = 500;

test(verifies('L14', 'any order of the outcomes of effects that go on together gives the same state'), () => {
  let together = 0;
  const same = (one: LoopState, other: LoopState) => {
    expect(plain(one)).toEqual(plain(other));
    expect(effectsFor(one).map(({ id }) => id)).toEqual(effectsFor(other).map(({ id }) => id));
  };
  fc.assert(
    fc.property(setting, (drawn) => {
      together += inRounds(calm(drawn), null, same);
    }),
    { numRuns },
  );
  expect(together).toBeGreaterThan(200);
});

test(
  verifies('L14', 'so too when some of them fail the run: the same error stands, and the same outputs are kept'),
  () => {
    let failures = 0;
    fc.assert(
      fc.property(setting, (drawn) => {
        inRounds(drawn, null, (one, other) => {
          if (one.end?.type === 'failed') failures += 1;
          expect(unordered(one)).toEqual(unordered(other));
        });
      }),
      { numRuns },
    );
    expect(failures).toBeGreaterThan(200);
  },
);

test(verifies('L14', 'and when a limit is passed among them: the same counters, and the run ends either way'), () => {
  const limits = fc.constantFrom(
    { totalTokens: 15 },
    { inputTokens: 14, outputTokens: 4 },
    { toolCalls: 3 },
    { wallMs: 60 },
  );
  let ended = 0;
  fc.assert(
    fc.property(setting, limits, (drawn, limit) => {
      inRounds(calm(drawn), limit, (one, other) => {
        if (one.end?.type === 'ending') ended += 1;
        const facts = ({ usage, toolCalls, elapsedMs, end }: LoopState) => ({ usage, toolCalls, elapsedMs, end });
        expect(facts(one)).toEqual(facts(other));
      });
    }),
    { numRuns },
  );
  expect(ended).toBeGreaterThan(50);
});
