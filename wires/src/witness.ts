import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** One side effect as it was seen: `key` is the idempotency key under which it was asked for. */
export type Sight = { readonly phase: 'began' | 'ended'; readonly key: string; readonly name: string };

/** Sees side effects from outside the processes that cause them, so that it can count what a killed process did. */
export type Witness = {
  readonly url: string;
  readonly seen: readonly Sight[];
  /** How often each key was begun, by key. */
  counts(): { [key: string]: number };
  /** From now on, effects of this name that begin are not answered: until `release`, or until their process dies. */
  hold(name: string): {
    /** Until so many of them have begun, since they are held. */
    begun: (count?: number) => Promise<void>;
    /** Until so many of those that are held were given up by who began them, or died with their process. */
    givenUp: (count?: number) => Promise<void>;
    release: () => void;
  };
  /** Until so many effects of this name have ended. */
  ended(name: string, count: number): Promise<void>;
  close(): Promise<void>;
};

type Held = { open: boolean; waiting: ServerResponse[]; givenUp: number };

export async function startWitness(): Promise<Witness> {
  const seen: Sight[] = [];
  const held = new Map<string, Held>();
  const watchers = new Set<() => void>();
  const notify = () => {
    for (const watch of watchers) watch();
  };
  const keep = (hold: Held, response: ServerResponse) => {
    hold.waiting.push(response);
    response.once('close', () => {
      if (!response.writableFinished) hold.givenUp += 1;
      notify();
    });
  };
  const server = createServer((request, response) => {
    void sightIn(request).then((sight) => {
      seen.push(sight);
      const hold = sight.phase === 'began' ? held.get(sight.name) : undefined;
      if (hold && !hold.open) keep(hold, response);
      else response.end();
      notify();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const until = (is: () => boolean) =>
    new Promise<void>((resolve) => {
      const watch = () => {
        if (!is()) return;
        watchers.delete(watch);
        resolve();
      };
      watchers.add(watch);
      watch();
    });
  const count = (phase: Sight['phase'], name: string) =>
    seen.filter((sight) => sight.phase === phase && sight.name === name).length;
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    seen,
    counts: () => {
      const counts: { [key: string]: number } = {};
      for (const { phase, key } of seen) if (phase === 'began') counts[key] = (counts[key] ?? 0) + 1;
      return counts;
    },
    hold: (name) => {
      const hold: Held = { open: false, waiting: [], givenUp: 0 };
      held.set(name, hold);
      const before = count('began', name);
      return {
        begun: (wanted = 1) => until(() => count('began', name) - before >= wanted),
        givenUp: (wanted = 1) => until(() => hold.givenUp >= wanted),
        release: () => {
          hold.open = true;
          for (const response of hold.waiting) response.end();
        },
      };
    },
    ended: (name, wanted) => until(() => count('ended', name) >= wanted),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Does work that the witness sees begin and end. Used by the process that is watched. */
export async function witnessed<T>(
  url: string,
  effect: { readonly key: string; readonly name: string; readonly signal?: AbortSignal },
  work: () => T | Promise<T>,
): Promise<T> {
  const { key, name, signal } = effect;
  const tell = (phase: Sight['phase']) =>
    fetch(url, { method: 'POST', body: JSON.stringify({ phase, key, name }), ...(signal && { signal }) });
  await tell('began');
  const result = await work();
  await tell('ended');
  return result;
}

async function sightIn(request: IncomingMessage): Promise<Sight> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text) as Sight;
}

function portOf(address: string | { port: number } | null): number {
  if (address === null || typeof address === 'string') throw new Error('The witness listens on no port.');
  return address.port;
}
