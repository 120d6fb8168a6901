import { fstatSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { UserError } from '@polyrun/core';
import type { SQLiteSession } from '@polyrun/node';
import { standing } from './approvals.ts';
import { conversationFor, type Beginning } from './begin.ts';
import { PlainScreen } from './screen/plain-screen.ts';
import type { Sessions } from './sessions.ts';
import type { Setup } from './setup.ts';

export type Printing = Beginning & { readonly print?: string | true; readonly yes?: boolean };

type Parts = { readonly setup: Setup; readonly sessions: Sessions; readonly session: SQLiteSession };

/** Prints one answer and nothing else; gives the exit code. What is piped in goes behind the question. */
export async function printOne(options: Printing, { setup, sessions, session }: Parts): Promise<number> {
  const piped = isPiped() ? (await text(process.stdin)).trim() : '';
  const question = [options.print === true ? '' : options.print, piped].filter(Boolean).join('\n\n');
  if (question === '') throw new UserError('--print: what to ask? Write --print "question", or pipe it in.');
  const screen = new PlainScreen({ output: process.stdout, errors: process.stderr }, { showsNotes: false });
  const approvals = standing(options.yes === true);
  const conversation = await conversationFor(options, { setup, sessions, session, screen, approvals });
  const cancelled = new AbortController();
  process.once('SIGINT', () => cancelled.abort());
  if (await conversation.answer(question, cancelled.signal)) return 0;
  return cancelled.signal.aborted ? 130 : 1;
}

/** Whether somebody gave the program an input; a terminal would wait for one. */
function isPiped(): boolean {
  const input = fstatSync(0);
  return input.isFIFO() || input.isFile() || input.isSocket();
}
