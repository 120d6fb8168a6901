import type { Item } from '../protocol/items.ts';
import type { ModelResponse } from '../protocol/response.ts';
import type { Usage } from '../protocol/usage.ts';
import type { GuardrailResult, ToolGuardrailResult } from '../protocol/verdicts.ts';
import type { Log } from './log.ts';
import type {
  Check,
  Decision,
  Failure,
  LoopOptions,
  LoopState,
  ServerState,
  Settlement,
  StandingDecision,
  TurnPlan,
  Verdict,
} from './state.ts';

/** What came back from an effect, or from outside: `ms` is the time since the outcome before it. */
export type Outcome = {
  readonly id: string;
  readonly path: readonly string[];
  readonly turn: number;
  readonly ms: number;
} & Settled;
export type OutcomeOf<T extends Outcome['type']> = Extract<Outcome, { type: T }>;
export type Settled =
  | {
      readonly type: 'started';
      /** The log to begin with: what the session holds, then the input. */
      readonly log: Log;
      readonly view: Log | null;
      readonly checks: readonly Check[];
      readonly saved: number | null;
      readonly server: ServerState | null;
    }
  | { readonly type: 'checked'; readonly verdict: Verdict; readonly tripped: Failure | null }
  | { readonly type: 'prepared'; readonly plan: TurnPlan }
  | { readonly type: 'responded'; readonly responses: readonly ModelResponse[]; readonly usage: Usage }
  | ({ readonly type: 'tool_settled'; readonly callId: string; readonly verdicts: ToolVerdicts | null } & Settlement)
  | { readonly type: 'tool_waiting'; readonly callId: string }
  | {
      readonly type: 'tool_nested';
      readonly callId: string;
      readonly state: LoopState;
      readonly verdicts: ToolVerdicts | null;
    }
  | { readonly type: 'handed_off'; readonly output: Item; readonly view: Log | null }
  | { readonly type: 'handoff_refused'; readonly output: Item }
  | {
      readonly type: 'finished';
      readonly output: unknown;
      /** Messages that an error handler adds to the history. */
      readonly items: readonly Item[];
      readonly verdicts: readonly GuardrailResult[];
    }
  | { readonly type: 'continued'; readonly items: readonly Item[]; readonly reask: boolean }
  | { readonly type: 'saved'; readonly to: number }
  | {
      readonly type: 'failed';
      readonly failure: Failure;
      readonly usage: Usage | null;
      /** Set when an output guardrail tripped: the results of all that gave one. */
      readonly tripped: { readonly verdicts: readonly GuardrailResult[] } | null;
    }
  /** The effect was no longer wanted; only what it cost counts. */
  | { readonly type: 'aborted'; readonly usage: Usage | null }
  /** A run that ends has nothing under way any more. */
  | { readonly type: 'closed' }
  | { readonly type: 'halted'; readonly when: 'now' | 'after_turn' }
  | { readonly type: 'resumed'; readonly options: LoopOptions; readonly standing: readonly StandingDecision[] }
  | { readonly type: 'decided'; readonly callId: string; readonly decision: Decision; readonly always: boolean };
export type ToolVerdicts = {
  readonly input: readonly ToolGuardrailResult[];
  readonly output: readonly ToolGuardrailResult[];
};
