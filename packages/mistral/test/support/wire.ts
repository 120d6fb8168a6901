import type { Model } from '@polyrun/core';
import { cassettesOf, type Cassette } from '@polyrun/wires/corpus';
import { reading } from '@polyrun/wires/mistral';
import type { Wire } from '@polyrun/wires/table';
import { mistral } from '../../src/index.ts';

export const wire: Wire = { api: 'mistral', model: replayModel, reading };

export function mistralCassettes(): Cassette[] {
  return cassettesOf(wire.api);
}

export function replayModel(cassette: Cassette, baseURL: string, fetch?: typeof globalThis.fetch): Model {
  return mistral({ baseURL, apiKey: 'test-key', ...(fetch && { fetch }) }).getModel(cassette.model || 'any');
}
