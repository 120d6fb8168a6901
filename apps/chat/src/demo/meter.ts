import type { Hooks, Usage } from '@polyrun/core';

/** What one run cost. */
export type Row = { readonly title: string; readonly turns: number; readonly usage: Usage; readonly ms: number };

/** Measures every run that is given its hooks, one at a time. */
export function meter(): { begin(title: string): void; hooks: Hooks<unknown>; rows: readonly Row[] } {
  const rows: Row[] = [];
  let title = '';
  let startedAt = 0;
  return {
    rows,
    begin: (scene) => {
      title = scene;
    },
    hooks: {
      onRunStart: () => {
        startedAt = performance.now();
      },
      onRunEnd: ({ result }) => {
        const ms = performance.now() - startedAt;
        if (result) rows.push({ title, turns: result.rawResponses.length, usage: result.usage, ms });
      },
    },
  };
}
