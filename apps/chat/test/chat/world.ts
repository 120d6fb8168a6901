import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Variables = { readonly [name: string]: string };
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type How = { readonly args?: readonly string[]; readonly input?: string; readonly variables?: Variables };

export const main = fileURLToPath(new URL('../../src/chat/main.ts', import.meta.url));

/** A folder with a config, which is also the home of who chats there. */
export class World {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  static async create(config?: string): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'polyrun-chat-')));
    if (config !== undefined) await world.write('polyrun.config.ts', config);
    return world;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  /** Nothing of the machine's own environment but where its programs lie. */
  environment(variables: Variables = {}): Variables {
    const { PATH = '', SystemRoot } = process.env;
    return { PATH, HOME: this.folder, USERPROFILE: this.folder, ...(SystemRoot && { SystemRoot }), ...variables };
  }

  /** Starts the chat on pipes. */
  start(args: readonly string[] = [], variables: Variables = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [main, ...args], { cwd: this.folder, env: this.environment(variables) });
  }

  /** Runs the chat on an input to its end. */
  run({ args, input = '', variables }: How = {}): Promise<Ended> {
    const child = this.start(args, variables);
    const ended = endOf(child);
    child.stdin.end(input);
    return ended;
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}

export function endOf(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A config with three providers, which are all played by one server. */
export function configText({
  url,
  apiKey = 'right-key',
  more = '',
}: {
  url: string;
  apiKey?: string;
  more?: string;
}): string {
  return `
import { tool } from '@polyrun/core';
import { anthropic } from '@polyrun/anthropic';
import { defineConfig } from '@polyrun/chat';
import { chatCompletions } from '@polyrun/chat-completions';
import { openaiResponses } from '@polyrun/openai-responses';
import { z } from 'zod';

const key = { apiKey: '${apiKey}' };
const removeFile = tool({
  name: 'remove_file',
  description: 'Removes a file.',
  parameters: z.object({ path: z.string() }),
  needsApproval: true,
  execute: ({ path }) => \`\${path} is gone\`,
});

export default defineConfig({
  providers: {
    mistral: chatCompletions({ ...key, name: 'mistral', baseURL: '${url}/v1', defaultModel: 'mistral-small-latest' }),
    openai: openaiResponses({ ...key, baseURL: '${url}/v1', defaultModel: 'gpt-4.1-mini' }),
    anthropic: anthropic({ ...key, baseURL: '${url}', defaultModel: 'claude-sonnet-4-5' }),
  },
  models: { cheap: 'mistral/mistral-small-latest' },
  model: 'cheap',
  agents: {
    Assistant: { instructions: 'Be brief.', handoffs: ['Historian'], modelSettings: { seed: 7 } },
    Historian: { instructions: 'You tell of history.', handoffDescription: 'Knows history.' },
  },
  tools: [removeFile],
  sessionFile: 'chat.db',
  prices: { 'mistral/mistral-small-latest': { input: 1, output: 3 }, 'gpt-4.1-mini': { input: 2, output: 4 } },
  currency: 'EUR',
  runConfig: { retry: { maxRetries: 0 } },
  ${more}
});
`;
}
