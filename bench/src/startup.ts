import { spawnSync } from 'node:child_process';
import { median, type Effort, type Row } from './measure.ts';

/** How much later a process is ready that imports the core. */
export async function startup({ quick }: Effort): Promise<readonly Row[]> {
  const url = import.meta.resolve('@polyrun/core');
  const withCore = `await import(${JSON.stringify(url)})`;
  const times = quick ? 8 : 40;
  const bare: number[] = [];
  const core: number[] = [];
  // The first two fill the caches of the file system.
  for (let time = -2; time < times; time++) {
    const [floor, polyrun] = [spawned('0'), spawned(withCore)];
    if (time < 0) continue;
    bare.push(floor);
    core.push(polyrun);
  }
  const over = median(core.map((ms, index) => ms - (bare[index] ?? 0)));
  const best = Math.min(...core) - Math.min(...bare);
  return [{ what: 'import', unit: 'ms', floor: median(bare), polyrun: median(core), over, best, target: 15 }];
}

function spawned(code: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`A process to measure the import failed: ${stderr}`);
  return performance.now() - start;
}
