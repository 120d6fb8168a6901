import { UserError } from '@polyrun/core';
import type { DurableEngine, DurableStep, Settled } from '@polyrun/core/durable';
import { DBOS } from '@dbos-inc/dbos-sdk';

type Recorded = Exclude<Settled, 'stop'>;

/**
 * One run in a DBOS workflow: each step is a step of DBOS. DBOS keeps what a step came to, but not which of several did so first: that is
 * a step of its own.
 */
export class DbosEngine implements DurableEngine<Promise<Recorded>> {
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly #over = new AbortController();
  readonly #tell: ((progress: Progress) => Promise<void>) | undefined;

  /** `tell`: a step of the workflow, told of each step that has settled. */
  constructor(tell?: (progress: Progress) => Promise<void>) {
    if (!DBOS.isInWorkflow() || DBOS.workflowID === undefined)
      throw new UserError(
        'runAgent: it was called outside of a DBOS workflow; call it in a function that DBOS.registerWorkflow made one.',
      );
    this.runId = DBOS.workflowID;
    this.signal = this.#over.signal;
    this.#tell = tell;
  }

  step({ id, perform }: DurableStep): Promise<Recorded> {
    // A text that could not be put away is put away later; nothing else is tried again here.
    const settled = DBOS.runStep(() => this.#performed(perform), { name: id, retriesAllowed: true, maxAttempts: 10 });
    const recorded = settled.then((text) => ({ id, text }));
    // It is waited for later.
    recorded.catch(() => undefined);
    return recorded;
  }

  async first(pending: ReadonlyMap<string, Promise<Recorded>>): Promise<Settled> {
    const race = () => Promise.race(pending.values());
    const settled = pending.size === 1 ? race() : pending.get(await this.#recorded(race));
    if (settled === undefined)
      throw new UserError('DBOS recorded another step; the workflow has changed since the run began.');
    const first = await settled;
    await this.#tell?.({ settled: first.id, steps: [...pending.keys()].filter((id) => id !== first.id) });
    return first;
  }

  #recorded(race: () => Promise<Recorded>): Promise<string> {
    return DBOS.runStep(async () => (await race()).id, { name: 'settled' });
  }

  /** Once DBOS has cancelled the workflow, what goes on is told to stop; nothing more is recorded, so that the workflow can be resumed. */
  async #performed(perform: () => Promise<string>): Promise<string> {
    const { cancelSignal } = DBOS.stepStatus ?? {};
    const stopped = new Promise<never>((_resolve, reject) => {
      cancelSignal?.addEventListener('abort', () => {
        this.#over.abort();
        reject(new Error('The workflow was cancelled.'));
      });
    });
    return Promise.race([perform(), stopped]);
  }
}

/** What has settled last, and the steps that go on. */
export type Progress = { readonly settled: string; readonly steps: readonly string[] };
