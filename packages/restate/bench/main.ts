import { restateServer, startWorker, freePorts, type RestateServer } from '../test/engine/support/restate.ts';

/** What a step of an agent's run costs on Restate beside a step of a handler without one. Needs `RESTATE_SERVER`, the path of the server. */
const runs = 200;
const steps = 10;

const server = await restateServer();
await server.start();
const [port = 0] = await freePorts(1);
const worker = await startWorker(port, [], new URL('worker.ts', import.meta.url));
try {
  await server.register(port);
  const targets = ['bare', 'agent'] as const;
  for (const target of targets) await together(server, target, 50);
  for (let round = 0; round < 3; round++) {
    for (const target of targets) {
      const alone = await oneByOne(server, target, 40);
      const wall = await together(server, target, runs);
      console.log(
        `${target.padEnd(5)} one after the other: ${(alone / steps).toFixed(2)} ms a step; ` +
          `${runs} at once: ${wall.toFixed(0)} ms in all, ${((wall * 1000) / runs / steps).toFixed(0)} µs a step`,
      );
    }
  }
} finally {
  await worker.kill();
  await server.close();
}

/** Milliseconds of one run, the middle of many. */
async function oneByOne(restate: RestateServer, target: string, count: number): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < count; run++) {
    const began = performance.now();
    await restate.call(`measured/${target}`, {});
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(count / 2)] ?? 0;
}

async function together(restate: RestateServer, target: string, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(Array.from({ length: count }, () => restate.call(`measured/${target}`, {})));
  return performance.now() - began;
}
