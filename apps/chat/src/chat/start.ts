import { copyFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@polyrun/core';
import type { SQLiteSession } from '@polyrun/node';
import dotenv from 'dotenv';
import { AskingApprovals, standing } from './approvals.ts';
import { conversationFor, sessionFor } from './begin.ts';
import { chat } from './chat.ts';
import { configFromEnvironment } from './config/first-run.ts';
import { findConfig, loadConfig } from './config/load-config.ts';
import type { Conversation } from './conversation.ts';
import { History } from './input/history.ts';
import { PipeInput } from './input/pipe-input.ts';
import { TerminalInput } from './input/terminal-input.ts';
import { printOne, type Printing } from './print-one.ts';
import { PlainScreen } from './screen/plain-screen.ts';
import type { Screen } from './screen/screen.ts';
import { TerminalScreen } from './screen/terminal-screen.ts';
import { styleFor } from './screen/style.ts';
import { Sessions } from './sessions.ts';
import { setUp, stateFolder, type Setup } from './setup.ts';

/** What the command line says. */
export type Options = Printing & { readonly config?: string; readonly init?: boolean };

/** Runs the program; gives its exit code. */
export async function start(options: Options): Promise<number> {
  if (options.init) return init();
  const setup = await setUpFrom(options);
  const isPrinting = options.print !== undefined;
  const keeps = !isPrinting || options.resume || options.session !== undefined;
  const sessions = new Sessions(keeps ? setup.sessionFile : ':memory:');
  try {
    const session = sessionFor(options, sessions);
    return await (isPrinting ? printOne : converse)(options, { setup, sessions, session });
  } finally {
    await Promise.all(setup.servers.map((server) => server.close()));
    sessions.close();
  }
}

async function init(): Promise<number> {
  const file = path.resolve('polyrun.config.ts');
  const sample = fileURLToPath(new URL('./config/sample.config.ts', import.meta.url));
  await copyFile(sample, file, constants.COPYFILE_EXCL).catch((error: unknown) => {
    if (Object(error).code !== 'EEXIST') throw error;
    throw new UserError(`${file} is there already; edit it, or delete it first.`);
  });
  console.log(`Wrote ${file}. Set the keys of the providers that you want, then start chat.`);
  return 0;
}

async function setUpFrom({ config: named, provider, model }: Options): Promise<Setup> {
  const file = named === undefined ? findConfig(process.cwd()) : path.resolve(named);
  const folder = file === undefined ? process.cwd() : path.dirname(file);
  dotenv.config({ path: [...new Set([path.resolve('.env'), path.join(folder, '.env')])], quiet: true });
  if (file !== undefined) return await setUp(await loadConfig(file), folder);
  const prefix = model?.includes('/') ? model.split('/')[0] : undefined;
  return setUp(await configFromEnvironment(process.env, { provider: provider ?? prefix }), folder);
}

type Parts = { readonly setup: Setup; readonly sessions: Sessions; readonly session: SQLiteSession };

async function converse(options: Options, { setup, sessions, session }: Parts): Promise<number> {
  const { stdin, stdout, stderr } = process;
  const screen = stdout.isTTY ? new TerminalScreen(stdout) : new PlainScreen({ output: stdout, errors: stderr });
  const input =
    stdin.isTTY && stdout.isTTY
      ? new TerminalInput(stdin, stdout, new History(path.join(stateFolder(), 'history')))
      : new PipeInput(stdin);
  try {
    const approvals = options.yes ? standing(true) : new AskingApprovals({ input, screen });
    const conversation = await conversationFor(options, { setup, sessions, session, screen, approvals });
    if (input.isTerminal) await greet(conversation, screen);
    await chat({ setup, sessions, conversation, screen }, input, styleFor(stdout).cyan('> '));
    return 0;
  } finally {
    input.close();
  }
}

async function greet({ agent, place, session }: Conversation, screen: Screen): Promise<void> {
  const count = (await session.getItems()).length;
  screen.line(`${agent.name} on ${place} · ${session.sessionId}${count > 0 ? `, ${count} items` : ''}`);
  screen.note('/help lists the commands, Ctrl-D ends');
}
