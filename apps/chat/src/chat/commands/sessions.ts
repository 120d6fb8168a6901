import { UserError } from '@polyrun/core';
import { takeBack, titleOf } from '../sessions.ts';
import { done, type Command, type Desk, type Outcome } from './command.ts';

const mostListed = 15;

/** `/session`: the conversations of the file. */
export const session: Command = {
  name: 'session',
  usage: '[list | new [name] | switch <name> | fork [name] | delete <name>]',
  help: 'the conversations that are kept; a name may be its number in the list',
  complete: ({ sessions }) => [
    'list',
    'new',
    ...['fork', 'switch', 'delete'].flatMap((verb) =>
      sessions.list(mostListed).map(({ sessionId }) => `${verb} ${sessionId}`),
    ),
  ],
  run(desk, argument) {
    const [, verb = '', name = ''] = /^(\S*)\s*(.*)$/.exec(argument) ?? [];
    switch (verb) {
      case '':
      case 'list':
        return listed(desk);
      case 'new':
        return opened(desk, desk.sessions.create(name || undefined), 'New');
      case 'switch':
        return opened(desk, desk.sessions.find(name), 'Now in');
      case 'fork':
        return opened(desk, desk.sessions.fork(desk.conversation.session, name || undefined), 'A copy, and now in it:');
      case 'delete':
        return deleted(desk, name);
      default:
        throw new UserError(`/session ${verb}: there is no such thing; write /session ${session.usage}`);
    }
  },
};

/** `/undo`: as if the last question had not been asked. */
export const undo: Command = {
  name: 'undo',
  usage: '',
  help: 'takes the last question and its answer back; the question can be edited and sent anew',
  async run({ conversation, screen }) {
    const text = await takeBack(conversation.session);
    screen.line(text === undefined ? 'There is nothing to take back.' : `Taken back: ${text}`);
    return text === undefined ? done : { type: 'edit', text };
  },
};

/** `/clear`: an empty screen and a new conversation. */
export const clear: Command = {
  name: 'clear',
  usage: '',
  help: 'an empty screen and a new conversation; the old one is kept',
  run(desk) {
    desk.screen.clear();
    return opened(desk, desk.sessions.create(), 'New');
  },
};

async function listed({ sessions, conversation, screen }: Desk): Promise<Outcome> {
  const all = sessions.list(mostListed);
  if (all.length === 0) screen.line('None yet: a conversation is kept from its first question on.');
  for (const [index, { sessionId, items, updatedAtMs }] of all.entries()) {
    const mark = sessionId === conversation.session.sessionId ? '*' : ' ';
    const title = titleOf(await sessions.open(sessionId).getItems());
    screen.line(`${mark} ${index + 1}  ${sessionId}  ${items} items, ${ago(updatedAtMs)}  ${title}`);
  }
  return done;
}

function opened({ conversation, screen }: Desk, found: Desk['conversation']['session'], what: string): Outcome {
  conversation.enter(found);
  screen.line(`${what} ${found.sessionId}, with ${conversation.agent.name} on ${conversation.place}`);
  return done;
}

function deleted(desk: Desk, name: string): Outcome {
  if (name === '') throw new UserError('/session delete: which one? Name it, or its number in /session list.');
  const { sessionId } = desk.sessions.find(name);
  desk.sessions.delete(sessionId);
  desk.screen.line(`Deleted ${sessionId}`);
  return sessionId === desk.conversation.session.sessionId ? opened(desk, desk.sessions.create(), 'New') : done;
}

function ago(ms: number): string {
  const minutes = Math.round((Date.now() - ms) / 60_000);
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  if (minutes < 60) return format.format(-minutes, 'minute');
  return minutes < 60 * 24
    ? format.format(-Math.round(minutes / 60), 'hour')
    : format.format(-Math.round(minutes / 60 / 24), 'day');
}
