import { reading } from '@polyrun/wires/chat-completions';
import { cassettesOf, type Cassette } from '@polyrun/wires/corpus';
import type { Wire } from '@polyrun/wires/table';
import type { Model } from '@polyrun/core';
import { chatCompletions } from '../../src/index.ts';

export type ChatBody = { messages: { [field: string]: unknown; role: string }[]; [field: string]: unknown };

export const wire: Wire = { api: 'chat-completions', model: replayModel, reading };

export function chatCassettes(): Cassette[] {
  return cassettesOf(wire.api);
}

const presetNames: { [provider: string]: string } = {
  'azure-openai': 'azure',
  'google-openai-compat': 'gemini',
  moonshotai: 'moonshot',
  'anthropic-openai-compat': 'anthropic',
};

/** The name under which the adapter is to know the provider of a recording. */
export function providerName({ provider }: Cassette): string {
  return presetNames[provider] ?? provider.replace(/-via-gateway$/, '').replace(/^huggingface-.*/, 'huggingface');
}

export function replayModel(cassette: Cassette, baseURL: string): Model {
  return chatCompletions({ baseURL, apiKey: 'test-key', name: providerName(cassette) }).getModel(
    cassette.model || 'any',
  );
}
