import { reading } from '@polyrun/wires/chat-completions';
import { cassettesOf, providerName, type Cassette } from '@polyrun/wires/corpus';
import type { Wire } from '@polyrun/wires/table';
import type { Model } from '@polyrun/core';
import { chatCompletions } from '../../src/index.ts';

export const wire: Wire = { api: 'chat-completions', model: replayModel, reading };

export function chatCassettes(): Cassette[] {
  return cassettesOf(wire.api);
}

export { providerName };

export function replayModel(cassette: Cassette, baseURL: string, fetch?: typeof globalThis.fetch): Model {
  return chatCompletions({
    baseURL,
    apiKey: 'test-key',
    ...(fetch && { fetch }),
    name: providerName(cassette),
  }).getModel(cassette.model || 'any');
}
