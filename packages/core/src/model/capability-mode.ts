import { UserError } from '../errors.ts';
import type { Adaptation } from '../protocol/response.ts';

/**
 * True when an adaptation changes or weakens what was asked: a setting left out, a schema that is not enforced in full, an output type
 * asked for in words, reasoning switched off, media that go elsewhere or nowhere. Repairs of a conversation's past are none, nor is a
 * strategy that gives the same output.
 */
export function changesRequest({ type, name }: Adaptation): boolean {
  if (type === 'output_strategy') return name === 'prompted';
  if (type === 'dropped_item') return name.startsWith('input_');
  return /^(?:unsupported_setting|changed_schema|reasoning_off|moved_media)$/.test(type);
}

/** What `capabilityMode: 'strict'` does before a request: a `UserError` that names everything that would change. */
export function refuseChanges(adaptations: readonly Adaptation[], model: { provider: string; name: string }): void {
  const changes = adaptations.filter(changesRequest);
  if (changes.length === 0) return;
  const words = changes.map(({ type, name, detail }) => `${type} ${name} (${detail})`).join('; ');
  throw new UserError(
    `capabilityMode 'strict': ${model.provider}/${model.name} cannot do as asked: ${words}. Ask for less, or use 'adapt'.`,
  );
}
