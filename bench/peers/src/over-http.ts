import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { answer } from './contender.ts';
import { contenders, floor } from './contenders/index.ts';
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
    return [await row({ baseURL, way: 'whole' }, effort), await row({ baseURL, way: 'streamed' }, effort)];
  } finally {
    server.kill();
  }
}

async function row({ baseURL, way }: { baseURL: string; way: 'whole' | 'streamed' }, effort: Effort): Promise<Row> {
  let calls = 0;
  const weather = () => {
    calls++;
    return 'Sunny.';
  };
  const programs = new Map<string, () => Promise<string>>();
  for (const contender of contenders) {
    const { name } = contender;
    const run = contender.overHttp({ baseURL, turns, weather })[way];
    if (!run) continue;
    calls = 0;
    const text = await run();
    if (text !== answer || calls !== turns - 1)
      throw new Error(`Over HTTP, ${name} has called the tool ${calls} times and answered ${JSON.stringify(text)}.`);
    programs.set(name, run);
  }
  const samples = await measure(programs, floor.name, effort);
  return rowOf(samples, { what: `turn over HTTP, ${way}`, unit: 'µs', per: turns / 1_000, targets: [] });
}
