import { UserError } from '@polyrun/core';
import { done, type Command, type Desk, type Outcome } from './command.ts';

/** `/provider`: who answers. The history goes with it. */
export const provider: Command = {
  name: 'provider',
  usage: '[name]',
  help: 'lists the providers, or goes on with another one and its default model',
  complete: ({ setup }) => setup.providers,
  async run(desk, name) {
    const { setup, screen } = desk;
    if (name === '') return listed(desk, setup.providers, desk.conversation.provider);
    if (!setup.providers.includes(name)) throw unknown('provider', name, setup.providers);
    try {
      return await swapped(desk, name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      screen.line(`${name} has no default model; name one: /model ${name}/…`);
      return done;
    }
  },
};

/** `/model`: a model of the same or of another provider. */
export const model: Command = {
  name: 'model',
  usage: '[name]',
  help: "lists the models of the config, or goes on with another one: `provider/model`, a name of the config's, a model of this provider, or `default`",
  complete: ({ setup }) => [...setup.models, ...setup.providers.map((name) => `${name}/`), 'default'],
  async run(desk, name) {
    const { setup } = desk;
    if (name === '') return listed(desk, setup.models, desk.conversation.model);
    if (name === 'default') return swapped(desk, undefined);
    const [prefix = ''] = name.split('/');
    const isWhole = setup.models.includes(name) || setup.providers.includes(prefix);
    return swapped(desk, isWhole ? name : `${desk.conversation.provider}/${name}`);
  },
};

/** `/agent`: who is spoken to. */
export const agent: Command = {
  name: 'agent',
  usage: '[name]',
  help: 'lists the agents, or goes on with another one',
  complete: ({ setup }) => [...setup.agents.keys()],
  run({ setup, conversation, screen }, name) {
    const names = [...setup.agents.keys()];
    if (name === '') {
      for (const each of names) screen.line(`${each === conversation.agent.name ? '*' : ' '} ${each}`);
      return done;
    }
    const found = setup.agents.get(name);
    if (!found) throw unknown('agent', name, names);
    conversation.agent = found;
    screen.line(`Now with ${name}.`);
    return done;
  },
};

async function swapped(desk: Desk, name: string | undefined): Promise<Outcome> {
  const { conversation, screen } = desk;
  await conversation.swap(name);
  screen.line(`Now on ${conversation.place}; it is given the whole conversation.`);
  return done;
}

function listed({ conversation, screen }: Desk, names: readonly string[], current: string | undefined): Outcome {
  for (const name of names) screen.line(`${name === current ? '*' : ' '} ${name}`);
  screen.line(`now ${conversation.place}`);
  return done;
}

function unknown(what: string, name: string, known: readonly string[]): UserError {
  return new UserError(`There is no ${what} '${name}'; known are ${known.join(', ')}.`);
}
