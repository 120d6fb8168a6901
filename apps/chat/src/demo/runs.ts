import { addUsage, textOf, type Hooks, type Usage } from '@polyrun/core';
import { line } from './print.ts';

/** What one run cost. */
export type Cost = { readonly title: string; readonly turns: number; readonly usage: Usage; readonly ms: number };

/** Hooks that tell what every run is asked, and keep what it cost; one run at a time. */
export class Runs {
  readonly costs: Cost[] = [];
  readonly hooks: Hooks<unknown>;
  /** What the next runs are listed as. */
  title = '';
  #startedAt = 0;

  constructor() {
    this.hooks = {
      onRunStart: ({ input }) => {
        const before = input.length > 1 ? ` (after ${input.length - 1} earlier items)` : '';
        line('user', input.slice(-1).map(textOf).join('') + before);
        this.#startedAt = performance.now();
      },
      onRunEnd: ({ result }) => {
        const ms = performance.now() - this.#startedAt;
        if (result) this.costs.push({ title: this.title, turns: result.rawResponses.length, usage: result.usage, ms });
      },
    };
  }

  /** What all runs cost together. */
  get total(): Cost {
    return this.costs.reduce((sum, { turns, usage, ms }) => ({
      title: 'Total',
      turns: sum.turns + turns,
      usage: addUsage(sum.usage, usage),
      ms: sum.ms + ms,
    }));
  }
}
