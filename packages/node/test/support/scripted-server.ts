import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chatCompletions } from '@polyrun/chat-completions';
import type { ModelProvider, RunConfig } from '@polyrun/core';

export type ScriptedServer = {
  readonly baseURL: string;
  readonly provider: ModelProvider;
  readonly config: (more?: RunConfig) => { runConfig: RunConfig };
  /** What the server is to do, as a message; no two are the same, for it counts the requests of each. */
  readonly script: (...moves: object[]) => string;
  /** How many requests were given up. */
  aborted(): Promise<number>;
  close(): void;
};

/** Starts the program `model.ts`, which does what the messages that it is sent say. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const file = fileURLToPath(new URL('../programs/model.ts', import.meta.url));
  const server = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const { value: baseURL = '' } = await createInterface({ input: server.stdout })[Symbol.asyncIterator]().next();
  const provider = chatCompletions({ baseURL, apiKey: 'test-key', name: 'here', defaultModel: 'm' });
  let scripts = 0;
  return {
    baseURL,
    provider,
    config: (more = {}) => ({ runConfig: { modelProvider: provider, ...more } }),
    script: (...moves) => JSON.stringify([...moves, { script: scripts++ }]),
    aborted: async () => ((await (await fetch(baseURL)).json()) as { aborted: number }).aborted,
    close: () => void server.kill(),
  };
}

export function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
