import type { ModelSettings } from '../protocol/request.ts';

/** `over`'s fields that are neither null nor undefined overlay `base`'s; `providerOptions` are merged per provider. */
export function mergeSettings(base: ModelSettings | undefined, over: ModelSettings | undefined): ModelSettings {
  if (over === undefined) return base ?? {};
  if (base === undefined) return given(over);
  const merged: ModelSettings = { ...base, ...given(over) };
  if (base.providerOptions && over.providerOptions)
    merged.providerOptions = mergeOptions(base.providerOptions, over.providerOptions);
  return merged;
}

function mergeOptions(
  base: NonNullable<ModelSettings['providerOptions']>,
  over: NonNullable<ModelSettings['providerOptions']>,
) {
  const merged = { ...base };
  for (const [provider, options] of Object.entries(over)) merged[provider] = { ...base[provider], ...options };
  return merged;
}

/** The fields that are neither null nor undefined. */
export function given<T extends object>(fields: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const result: { [K in keyof T]?: NonNullable<T[K]> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (value !== undefined && value !== null) result[key] = value;
  }
  return result;
}
