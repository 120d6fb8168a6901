import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { EngineSetup } from '../test-engines.ts';

/** For tests only: the server's licence is the Business Source License 1.1. */
const version = '1.7.12';

/** Installs the Restate server from npm (216 MB) and says where it is. */
export const restate: EngineSetup = {
  name: 'restate',
  prepare: (cache) => {
    const folder = path.join(cache, `restate-${version}`);
    const platform = `${process.platform}-${process.arch}`;
    const server = path.join(folder, `node_modules/@restatedev/restate-server-${platform}/bin/restate-server`);
    if (!existsSync(server)) {
      mkdirSync(folder, { recursive: true });
      // Its installation would report to a third party: no scripts.
      const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      const env = { ...process.env, DO_NOT_TRACK: '1', SCARF_ANALYTICS: 'false' };
      const wanted = `@restatedev/restate-server@${version}`;
      execFileSync('npm', ['install', '--prefix', folder, ...flags, wanted], {
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    }
    if (!existsSync(server)) throw new Error(`there is no Restate server for ${platform}`);
    return { RESTATE_SERVER: server };
  },
};
