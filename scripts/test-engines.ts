import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import path from 'node:path';
import { addCounts } from './closing-line-reporter.ts';
import { restate } from './engines/restate.ts';

/** How the server of one durable engine gets here: `prepare` installs it below `cache` and gives what its tests need to know. */
export type EngineSetup = {
  readonly name: string;
  readonly prepare: (cache: string) => { readonly [variable: string]: string };
};

const engines: readonly EngineSetup[] = [restate];
/** Outside the workspace, so that `pnpm install` has nothing of it. `POLYRUN_ENGINES` names another folder. */
const cache = process.env['POLYRUN_ENGINES'] ?? path.join(homedir(), '.cache/polyrun-engines');

/** Runs the tests of durable engines against the real servers. Arguments go to vitest. */
function testEngines(): number {
  const env = { ...process.env };
  let failed = 0;
  for (const { name, prepare } of engines) {
    try {
      Object.assign(env, prepare(cache));
    } catch (error) {
      failed += 1;
      console.error(`${name}: could not be made ready: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failed > 0) {
    process.stdout.write(`${addCounts({ passed: 0, failed, skipped: 0 })}\n`);
    return 1;
  }
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'vitest.engines.config.ts'];
  return spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], { env, stdio: 'inherit' }).status ?? 1;
}

process.exitCode = testEngines();
