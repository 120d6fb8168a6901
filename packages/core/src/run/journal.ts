import { SessionBusyError, UserError } from '../errors.ts';
import { advance } from '../loop/advance.ts';
import { after } from '../agent/maybe-promise.ts';
import type { Perform } from '../loop/drive.ts';
import type { Outcome } from '../loop/outcome.ts';
import { slotsIn, type LoopState } from '../loop/state.ts';
import { shortHash } from '../protocol/hash.ts';
import { isFields, stringify, toJson, type Json } from '../protocol/json.ts';
import { isLoopState } from './run-state.ts';
import type { Run } from './run.ts';
import { wait, type Steps } from './steps.ts';

export type JournalEntry = { effectId: string; outcome: Json };
/** Outcomes of one run, append-only. The first entry holds a hash of agent and input; a mismatch on reading is a UserError. */
export interface Journal {
  read(runId: string): Promise<readonly JournalEntry[]>;
  append(runId: string, entry: JournalEntry): Promise<void>;
  /** Lets one call at a time go on with a run: a second one fails at its start with `SessionBusyError`. Expires if its owner dies. */
  acquire?(options: { runId: string }): Promise<{ release(): Promise<void> }>;
  /** The same for runs that may not wait; only a journal that can answer at once has it. */
  readonly sync?: SyncJournal;
}
/** A journal none of whose answers is a promise. */
export interface SyncJournal {
  read(runId: string): readonly JournalEntry[];
  append(runId: string, entry: JournalEntry): void;
  acquire?(options: { runId: string }): { release(): void };
}

/** A journal in this process's memory: for tests, and for runs that are to survive an error but not the process. */
export class MemoryJournal implements Journal {
  readonly sync: SyncJournal = {
    read: (runId) => structuredClone(this.#entries.get(runId) ?? []),
    append: (runId, entry) => {
      const entries = this.#entries.get(runId);
      if (entries) entries.push(structuredClone(entry));
      else this.#entries.set(runId, [structuredClone(entry)]);
    },
    acquire: ({ runId }) => this.#acquired(runId),
  };
  readonly #entries = new Map<string, JournalEntry[]>();
  readonly #owned = new Set<string>();

  async read(runId: string): Promise<readonly JournalEntry[]> {
    return this.sync.read(runId);
  }

  async append(runId: string, entry: JournalEntry): Promise<void> {
    this.sync.append(runId, entry);
  }

  async acquire({ runId }: { runId: string }): Promise<{ release(): Promise<void> }> {
    const owned = this.#acquired(runId);
    return { release: async () => owned.release() };
  }

  #acquired(runId: string): { release(): void } {
    if (this.#owned.has(runId))
      throw new SessionBusyError(`journal: run '${runId}' is under way; wait for its end, or give another runId.`);
    this.#owned.add(runId);
    return { release: () => void this.#owned.delete(runId) };
  }
}

/**
 * Brings a run to where its journal left it: what was recorded is folded in, in its order, then what this call brings, which is answers
 * of a person and new options. A run that had failed or was stopped goes on; one that is done stays as it is.
 */
export function* takeUp(run: Run, journal: Journal | SyncJournal): Steps<void> {
  const { runId, state: given } = run;
  const hash = hashOf(run);
  const [first, ...entries] = yield* wait(journal.read(runId));
  const append = (outcome: object, effectId: string) =>
    wait(journal.append(runId, { effectId, outcome: toJson(outcome) }));
  if (first === undefined) return yield* append({ hash, state: given }, 'run');
  // States share their lists with what they are made of: the journal's own entries are not to grow.
  let state = begunState(toJson(first.outcome), hash, runId);
  for (const outcome of entries.flatMap((entry) => entry.outcome)) state = advance(state, asOutcome(toJson(outcome)));
  if (state.end?.type !== 'done') {
    const { options, standing } = given;
    const at = { path: [], turn: state.turn, ms: 0 };
    const brought = [...answers(given), { type: 'resumed', options, standing, id: 'resume', ...at } as const];
    // In one entry: of answers given together, a crash keeps all or none.
    yield* append(brought, 'resume');
    for (const outcome of brought) state = advance(state, outcome);
  }
  run.state = state;
  run.scope.publisher?.skip(state);
}

/** Writes each outcome down before it is given to the loop. */
export function recorded(
  perform: Perform,
  { runId, journal }: { runId: string; journal: Journal | SyncJournal },
): Perform {
  return (effect, control) =>
    after(perform(effect, control), (outcome) =>
      after(journal.append(runId, { effectId: effect.id, outcome: toJson(outcome) }), () => outcome),
    );
}

/** The agents and what ties them together, then the input; a run that is resumed has `null` for its input. */
export function hashOf({ scope, state }: Run): readonly (string | null)[] {
  const graph = [...scope.agents.values()].map(({ name, tools, handoffs }) => [
    name,
    tools.map((entry) => ('name' in entry ? entry.name : entry.type)),
    handoffs.map((entry) => ('type' in entry ? entry.agent : entry).name),
  ]);
  const input = state.step.type === 'start' ? state.log.items.items : null;
  return [graph, input].map((part) => part && shortHash(stringify(part) ?? ''));
}

function begunState(begun: Json, [graph, input]: readonly (string | null)[], runId: string): LoopState {
  const { hash, state } = isFields(begun) ? begun : {};
  const [ofGraph, ofInput] = Array.isArray(hash) ? hash : [];
  if (ofGraph !== graph || (input !== null && ofInput !== input) || !isLoopState(state)) {
    throw new UserError(`journal, runId: '${runId}' began with other agents or input; give those, or a new runId.`);
  }
  return state;
}

function asOutcome(value: Json): Outcome {
  if (isOutcome(value)) return value;
  throw new UserError('journal: an entry is not as it was appended.');
}

export function isOutcome(value: unknown): value is Outcome {
  return isFields(value) && typeof value['type'] === 'string' && Array.isArray(value['path']);
}

/** What a person has said about calls that have not run. */
function answers(given: LoopState): Outcome[] {
  return [...slotsIn(given)].flatMap(({ slot, state: { turn }, path }) => {
    if (slot.type !== 'decided') return [];
    const { call, decision } = slot;
    return { type: 'decided', callId: call.callId, decision, always: false, id: 'decision', path, turn, ms: 0 };
  });
}
