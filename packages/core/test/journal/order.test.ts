import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageOf } from '../../src/index.ts';
import { advance } from '../../src/loop/advance.ts';
import { effectsFor, type Effect } from '../../src/loop/effects.ts';
import type { Outcome, Settled } from '../../src/loop/outcome.ts';
import {
  newState,
  type Limits,
  type LoopOptions,
  type LoopState,
  type Route,
  type TurnPlan,
} from '../../src/loop/state.ts';
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
const user = { type: 'message', role: 'user', content: 'go' } as const;
const cost = usageOf({ inputTokens: 7, outputTokens: 3 });

/** What an effect may come to. */
const results = fc.record({
  type: fc.constantFrom('well', 'failed', 'waiting', 'aborted'),
  ms: fc.nat(50),
  inner: fc.boolean(),
});
type Result = typeof results extends fc.Arbitrary<infer T> ? T : never;

/** What runs may do, the inner ones as well. */
type Terms = { stops: boolean; options: LoopOptions };

function settled(effect: Effect, { type, inner }: Result, { stops, options }: Terms): Settled {
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
      return { type: 'prepared', plan: { ...plan, mayStopAfterTools: stops } };
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

function outcomeOf(effect: Effect, result: Result, terms: Terms): Outcome {
  return { ...settled(effect, result, terms), id: effect.id, path: effect.path, turn: effect.turn, ms: result.ms };
}

/** What a state is, without what lists share with later states. */
function plain(state: LoopState): unknown {
  return JSON.parse(
    JSON.stringify(state, (_, value: unknown) => {
      const shared =
        typeof value === 'object' && value !== null && 'items' in value && 'length' in value ? value : undefined;
      return shared && Array.isArray(shared.items) ? shared.items.slice(0, Number(shared.length)) : value;
    }),
  );
}

function expectSame(one: LoopState, other: LoopState): void {
  expect(plain(one)).toEqual(plain(other));
  expect(effectsFor(one).map(({ id }) => id)).toEqual(effectsFor(other).map(({ id }) => id));
}

const rounds = fc.array(fc.array(results, { minLength: 8, maxLength: 8 }), { maxLength: 8 });
const places = fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true }));
const limits = fc.option(
  fc.constantFrom<Limits>(
    { totalTokens: 15 },
    { inputTokens: 14, outputTokens: 4 },
    { toolCalls: 3 },
    { wallMs: 60 },
    { wallMs: 90, toolCalls: 2 },
  ),
);
const setting = fc.record({
  checks: fc.nat(2),
  session: fc.boolean(),
  stops: fc.boolean(),
  maxTurns: fc.constantFrom(null, 1, 2),
  limits,
  rounds,
  places,
});
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

/**
 * Drives a run in rounds: all that goes on together settles, in call order and in another order, and both states are expected to be the
 * same. A run that has failed is resumed. `seen` is told of each state in which several outcomes met.
 */
function inRounds(
  { checks, session, stops, maxTurns, limits, rounds, places }: Setting,
  seen: (state: LoopState) => void,
): void {
  const options = { maxConcurrency: null, limits, maxTurns };
  const begun = newState('A', [user], options);
  const made = Array.from({ length: checks }, (_, index) => ({ index, gate: 'release' as const }));
  const outside = (state: LoopState) => ({ id: 'outside', path: [], turn: state.turn, ms: 0 });
  let state = advance(begun, {
    type: 'started',
    log: begun.log,
    view: null,
    checks: made,
    saved: session ? 0 : null,
    server: null,
    ...outside(begun),
  });
  for (const round of rounds) {
    const outcomes = effectsFor(state).map((effect, index) => {
      const drawn = round[index % round.length] ?? { type: 'well' as const, ms: 0, inner: false };
      // The outermost model makes calls; inner ones do what was drawn.
      const outermost = effect.path.length === 0 && effect.type === 'call_model';
      return outcomeOf(effect, outermost ? { ...drawn, inner: true } : drawn, { stops, options });
    });
    const shuffled = outcomes
      .map((outcome) => ({ outcome, place: places.next().value ?? 0 }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ outcome }) => outcome);
    let [one, other] = [folded(state, shuffled), folded(state, outcomes)];
    expectSame(one, other);
    if (other.end !== null) {
      // What follows on the end begins when all has been heard.
      [one, other] = [
        advance(one, { type: 'closed', ...outside(one) }),
        advance(other, { type: 'closed', ...outside(other) }),
      ];
      expectSame(one, other);
    }
    if (outcomes.length > 1) seen(other);
    state = other;
    if (state.end?.type === 'failed' && effectsFor(state).length === 0)
      state = advance(state, { type: 'resumed', options, standing: [], ...outside(state) });
  }
}

/** One after the other. */
function folded(state: LoopState, outcomes: readonly Outcome[]): LoopState {
  return outcomes.reduce((at, outcome) => advance(at, outcome), state);
}

/** The same without what ends a run while others go on. */
function calm({ rounds, ...rest }: Setting): Setting {
  const well = rounds.map((round) =>
    round.map((each) => (each.type === 'failed' ? { ...each, type: 'well' as const } : each)),
  );
  return { ...rest, limits: null, maxTurns: null, rounds: well };
}

const numRuns = 500;

test(verifies('L14', 'any order of the outcomes of effects that go on together gives the same state'), () => {
  let together = 0;
  fc.assert(
    fc.property(setting, (drawn) => inRounds(calm(drawn), () => void (together += 1))),
    { numRuns },
  );
  expect(together).toBeGreaterThan(200);
});

test(verifies('L14', 'so too when some of them fail the run: what comes late is kept in call order'), () => {
  let failures = 0;
  fc.assert(
    fc.property(setting, (drawn) =>
      inRounds({ ...drawn, limits: null }, ({ end }) => void (failures += Number(end?.type === 'failed'))),
    ),
    { numRuns },
  );
  expect(failures).toBeGreaterThan(200);
});

test(verifies('L14', 'and when limits are passed among them, with and without failures'), () => {
  let ended = 0;
  const count = ({ end }: LoopState) => void (ended += Number(end?.type === 'ending'));
  fc.assert(
    fc.property(setting, fc.boolean(), (drawn, fails) => {
      inRounds(fails ? drawn : { ...calm(drawn), limits: drawn.limits, maxTurns: drawn.maxTurns }, count);
    }),
    { numRuns: 1_000 },
  );
  expect(ended).toBeGreaterThan(100);
});
