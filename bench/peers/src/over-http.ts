import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { rowOf } from './in-process.ts';
import { measure, type Effort } from './measure.ts';
import type { Row } from './row.ts';

const turns = 10;

/** A turn through each one's package for chat completions endpoints, to a server on this machine. */
export async function overHttp(effort: Effort): Promise<readonly Row[]> {
  const server = fork(fileURLToPath(new URL('server.ts', import.meta.url)), [String(turns)]);
  try {
    const [port]: unknown[] = await once(server, 'message');
    const baseURL = `http://127.0.0.1:${String(port)}/v1`;
    const rows: Row[] = [];
    for (const way of ['whole', 'streamed'] as const) {
      const samples = await measure({ type: 'http', baseURL, turns, way }, effort);
      rows.push(rowOf(samples, { what: `turn over HTTP, ${way}`, unit: 'µs', per: turns / 1_000, targets: [] }));
    }
    return rows;
  } finally {
    server.kill();
  }
}
