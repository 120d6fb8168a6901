import { spawnSync } from 'node:child_process';
import { median } from '../../src/measure.ts';
import type { Effort } from './measure.ts';
import { imports } from './programs.ts';
import type { Figure, Row } from './row.ts';

/** How much later a process is ready that imports the library. */
export async function startup({ quick }: Effort): Promise<readonly Row[]> {
  const times = quick ? 3 : 20;
  const agent = processes('agent', times);
  const chat = processes('chat', times);
  return [
    { what: 'import', unit: 'ms', figures: agent, targets: [{ type: 'at_most', value: 15 }] },
    { what: 'import, with chat completions', unit: 'ms', figures: chat, targets: [] },
  ];
}

function processes(kind: 'agent' | 'chat', times: number): ReadonlyMap<string, Figure> {
  const bare: number[] = [];
  const ready = new Map(Object.keys(imports).map((name) => [name, new Array<number>()]));
  // The first two fill the caches of the file system.
  for (let time = -2; time < times; time++) {
    const nothing = spawned('0');
    if (time >= 0) bare.push(nothing);
    for (const [name, list] of ready) {
      const took = spawned(codeOf(imports[name]?.[kind] ?? []));
      if (time >= 0) list.push(took);
    }
  }
  return new Map(
    [...ready].map(([name, list]) => {
      const typical = median(list.map((ms, time) => ms - (bare[time] ?? 0)));
      return [name, { typical, best: Math.min(...list) - Math.min(...bare) }];
    }),
  );
}

function codeOf(specifiers: readonly string[]): string {
  const urls = specifiers.map((specifier) => import.meta.resolve(specifier));
  return `await Promise.all([${urls.map((url) => `import(${JSON.stringify(url)})`).join(', ')}])`;
}

function spawned(code: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const took = performance.now() - start;
  if (status !== 0) throw new Error(`A process to measure the import failed: ${stderr}`);
  return took;
}
