import { UserError } from '@polyrun/core';
import type { SQLiteSession } from '@polyrun/node';
import type { Approvals } from './approvals.ts';
import { Conversation } from './conversation.ts';
import type { Screen } from './screen/screen.ts';
import type { Sessions } from './sessions.ts';
import type { Setup } from './setup.ts';

/** With whom a conversation begins, where the command line says so. */
export type Beginning = {
  readonly provider?: string;
  readonly model?: string;
  readonly agent?: string;
  readonly resume?: boolean;
  readonly session?: string;
};

/** The session of that name, the latest one, or a new one. */
export function sessionFor({ resume, session }: Beginning, sessions: Sessions): SQLiteSession {
  if (session !== undefined) return sessions.open(session);
  const [latest] = resume ? sessions.list(1) : [];
  return latest ? sessions.open(latest.sessionId) : sessions.create();
}

/** The conversation to begin or to go on with. Throws `UserError` for names that lead nowhere, before anything is asked. */
export async function conversationFor(
  beginning: Beginning,
  parts: { setup: Setup; sessions: Sessions; session: SQLiteSession; screen: Screen; approvals: Approvals },
): Promise<Conversation> {
  const { setup } = parts;
  const conversation = new Conversation(setup, parts);
  if (beginning.agent !== undefined) conversation.agent = one('agent', beginning.agent, setup.agents);
  const model = modelIn(beginning, setup);
  try {
    if (model !== undefined) await conversation.swap(model);
    // Also a model that nobody named is asked for now.
    void conversation.nextModel;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${error.message} Name one with --model, or in the config.`);
  }
  return conversation;
}

/** A model of the provider that is named, or by its whole name. */
function modelIn({ provider, model }: Beginning, { providers, models }: Setup): string | undefined {
  if (provider !== undefined) one('provider', provider, new Map(providers.map((name) => [name, name])));
  if (provider === undefined || model === undefined) return model ?? provider;
  const isWhole = models.includes(model) || model.startsWith(`${provider}/`);
  return isWhole ? model : `${provider}/${model}`;
}

function one<T>(option: string, name: string, known: ReadonlyMap<string, T>): T {
  const found = known.get(name);
  if (found !== undefined) return found;
  throw new UserError(`--${option} ${name}: there is none of this name; known are ${[...known.keys()].join(', ')}.`);
}
