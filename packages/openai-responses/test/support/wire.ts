import { reading } from '@polyrun/wires/openai-responses';
import { cassettesOf, providerName, type Cassette } from '@polyrun/wires/corpus';
import type { Wire } from '@polyrun/wires/table';
import type { Model } from '@polyrun/core';
import { openaiResponses } from '../../src/index.ts';

export const wire: Wire = { api: 'openai-responses', model: replayModel, reading };

export function recorded(): Cassette[] {
  return cassettesOf(wire.api);
}

export { providerName };

export function replayModel(cassette: Cassette, baseURL: string, fetch?: typeof globalThis.fetch): Model {
  return openaiResponses({
    baseURL,
    apiKey: 'test-key',
    ...(fetch && { fetch }),
    name: providerName(cassette),
  }).getModel(cassette.model || 'any');
}
