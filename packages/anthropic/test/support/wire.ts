import type { Model } from '@polyrun/core';
import { reading } from '@polyrun/wires/anthropic-messages';
import { cassettesOf, type Cassette } from '@polyrun/wires/corpus';
import type { Wire } from '@polyrun/wires/table';
import { anthropic } from '../../src/index.ts';

export const wire: Wire = { api: 'anthropic-messages', model: replayModel, reading };

export function anthropicCassettes(): Cassette[] {
  return cassettesOf(wire.api);
}

export function replayModel(cassette: Cassette, baseURL: string, fetch?: typeof globalThis.fetch): Model {
  return anthropic({ baseURL, apiKey: 'test-key', ...(fetch && { fetch }) }).getModel(cassette.model || 'any');
}
