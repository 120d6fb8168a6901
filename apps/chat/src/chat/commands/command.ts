import type { Conversation } from '../conversation.ts';
import type { Screen } from '../screen/screen.ts';
import type { Sessions } from '../sessions.ts';
import type { Setup } from '../setup.ts';

/** What commands work on. */
export type Desk = {
  readonly setup: Setup;
  readonly sessions: Sessions;
  readonly conversation: Conversation;
  readonly screen: Screen;
};

/** What the loop does after a command: goes on, ends, or puts a text into the next line to be edited. */
export type Outcome = { type: 'done' } | { type: 'exit' } | { type: 'edit'; text: string };
export const done: Outcome = { type: 'done' };

/** Something that is said to the chat, not to the model. */
export type Command = {
  readonly name: string;
  /** What follows the name, such as `[name]`. */
  readonly usage: string;
  readonly help: string;
  /** May throw what is then shown as an error. */
  run(desk: Desk, argument: string): Promise<Outcome> | Outcome;
  /** What the argument may be, for the tab key. */
  complete?(desk: Desk): readonly string[];
};
