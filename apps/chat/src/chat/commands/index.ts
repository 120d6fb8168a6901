import { UserError } from '@polyrun/core';
import { done, type Command, type Desk, type Outcome } from './command.ts';
import { agent, model, provider } from './models.ts';
import { save } from './save.ts';
import { clear, session, undo } from './sessions.ts';

const help: Command = {
  name: 'help',
  usage: '',
  help: 'lists the commands',
  run({ screen }) {
    for (const { name, usage, help } of commands) screen.line(`/${`${name} ${usage}`.padEnd(20)} ${help}`);
    screen.line('');
    for (const line of keys) screen.line(line);
    return done;
  },
};

const usage: Command = {
  name: 'usage',
  usage: '',
  help: 'what was asked since the program began: tokens, and money where the config has prices',
  run({ conversation, screen }) {
    for (const line of conversation.spending.report()) screen.line(line);
    return done;
  },
};

const exit: Command = {
  name: 'exit',
  usage: '',
  help: 'ends the chat, as Ctrl-D does; the conversation is kept',
  run: () => ({ type: 'exit' }),
};

const keys = [
  'Alt-Enter, Ctrl-J or a \\ at the end of a line: a new line. Tab completes commands, the arrows fetch lines back.',
  'Ctrl-C cancels the answer. A message that begins with / is written with //.',
];

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [help, provider, model, agent, session, usage, undo, save, clear, exit];

/** A command that was typed; `undefined` when the line is for the model. */
export function commandIn(line: string): { name: string; argument: string } | undefined {
  const [, name, argument = ''] = /^\/([a-z]+)(?:\s+(.*?))?\s*$/is.exec(line) ?? [];
  return name === undefined ? undefined : { name: name.toLowerCase(), argument };
}

/** Runs a command. What goes wrong is thrown, also where there is none of this name. */
export async function runCommand(desk: Desk, { name, argument }: { name: string; argument: string }): Promise<Outcome> {
  const known = name === 'quit' ? exit : commands.find((command) => command.name === name);
  if (known) return known.run(desk, argument);
  throw new UserError(`There is no command /${name}; /help lists them.`);
}

/** What the tab key makes of a line: commands, then what they take. */
export function completions(desk: Desk, line: string): [string[], string] {
  const [, name, argument] = /^\/(\w*)(?:\s(.*))?$/s.exec(line) ?? [];
  if (name === undefined) return [[], line];
  if (argument === undefined)
    return [commands.map((command) => `/${command.name} `).filter((text) => text.startsWith(line)), line];
  const known = commands.find((command) => command.name === name);
  return [(known?.complete?.(desk) ?? []).filter((text) => text.startsWith(argument)), argument];
}
