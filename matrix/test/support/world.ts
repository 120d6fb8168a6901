import { LLMock, type ChatCompletionRequest, type FixtureResponse } from '@copilotkit/aimock';
import type { ModelProvider } from '@polyrun/core';
import { wires, type Fields, type Place, type Wire } from '../../src/wires.ts';

/** A request as a server got it, and what was wrong with it. */
export type Asked = { readonly api: string; readonly body: Fields; readonly problems: readonly string[] };
/** What the models of all servers say to a request. */
export type Script = (request: ChatCompletionRequest) => FixtureResponse;

/** One model of each wire that thinks where the wire has thoughts. */
const places: { readonly [api: string]: Place } = {
  'openai-responses': { provider: 'openai', model: 'gpt-5.6' },
  'anthropic-messages': { provider: 'anthropic', model: 'claude-sonnet-4-5' },
  mistral: { provider: 'mistral', model: 'mistral-small-latest' },
  'chat-completions': { provider: 'deepseek', model: 'deepseek-reasoner' },
};
export const apis: readonly string[] = wires.map(({ api }) => api);

/** A third-party server of the wire formats, and providers of all four wires that reach it over HTTP. Every request is held to its grammar. */
export class World {
  readonly asked: Asked[] = [];
  readonly mock: LLMock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 7, latency: 0 });
  readonly providers: { readonly [api: string]: ModelProvider };

  constructor() {
    this.providers = Object.fromEntries(wires.map((wire) => [wire.api, this.#provider(wire)]));
  }

  static async start(script: Script): Promise<World> {
    const world = new World();
    world.mock.addFixture({ match: { predicate: () => true }, response: script });
    await world.mock.start();
    return world;
  }

  provider(api: string): ModelProvider {
    const provider = this.providers[api];
    if (!provider) throw new Error(`there is no wire ${api}`);
    return provider;
  }

  /** The bodies that servers of one wire got, in their order. */
  bodies(api: string): string[] {
    return this.asked.filter((asked) => asked.api === api).map(({ body }) => JSON.stringify(body));
  }

  get problems(): string[] {
    return this.asked.flatMap(({ api, problems }) => problems.map((problem) => `${api}: ${problem}`));
  }

  close(): Promise<void> {
    return this.mock.stop();
  }

  #provider(wire: Wire): ModelProvider {
    const place = places[wire.api] ?? { provider: wire.api, model: 'm' };
    const send: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      const body = (await request.json()) as Fields;
      this.asked.push({ api: wire.api, body, problems: wire.problems(body, place) });
      const { pathname } = new URL(request.url);
      // Mistral tells the usage of a stream unasked; this server speaks for it as Chat Completions does.
      const sent =
        wire.api === 'mistral' && body['stream'] ? { ...body, stream_options: { include_usage: true } } : body;
      const { method, headers, signal } = request;
      return fetch(`${this.mock.url}${pathname}`, { method, headers, signal, body: JSON.stringify(sent) });
    };
    return wire.provider(place, { fetch: send });
  }
}

/** The text of a message as the mock server has it, whatever the wire. */
export function textOf({ content }: ChatCompletionRequest['messages'][number]): string {
  return typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join('');
}

export function instructionsIn({ messages }: ChatCompletionRequest): string {
  return messages
    .filter(({ role }) => !/^(?:user|assistant|tool)$/.test(role))
    .map(textOf)
    .join('\n');
}

/** The messages behind the last one of the user. */
export function turnIn({ messages }: ChatCompletionRequest): ChatCompletionRequest['messages'] {
  return messages.slice(messages.findLastIndex(({ role }) => role === 'user') + 1);
}
