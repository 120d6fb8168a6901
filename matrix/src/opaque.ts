import type { Item, Origin } from '@polyrun/core';

/** What only one issuer can read: ids of items, encrypted and signed parts, whatever it put on an item for itself. */
export type Secret = { readonly issuer: Pick<Origin, 'provider' | 'api'>; readonly text: string };

/** Shorter texts, and the wire's own words such as `reasoning.encrypted`, may stand anywhere by chance. */
const shortest = 16;
const plainWords = /^reasoning[a-z_.]*$|\s/;
const opaqueFields = /encrypted|signature|redacted|^(id|tool_use_id|server_tool_use_id|item_id|file_id|container_id)$/;

/** Everything opaque in a conversation, without what stands in its words, its calls or its outputs too. */
export function secretsIn(items: readonly Item[]): Secret[] {
  const open = items.map(openPart).join('\n');
  return items.flatMap((item) => {
    const { origin } = item;
    if (!origin) return [];
    const own = [...leaves(item).filter(({ field }) => opaqueFields.test(field)), ...leaves(item.provider_data)];
    const texts = own
      .map(({ text }) => inJson(text))
      .filter((text) => text.length >= shortest && !plainWords.test(text));
    return [...new Set(texts)].filter((text) => !open.includes(text)).map((text) => ({ issuer: origin, text }));
  });
}

/** What stands in the JSON of a body though it is another's. */
export function leaked(json: string, secrets: readonly Secret[], reader: Secret['issuer']): string[] {
  const others = secrets.filter(({ issuer }) => issuer.provider !== reader.provider || issuer.api !== reader.api);
  const own = new Set(secrets.filter((secret) => !others.includes(secret)).map(({ text }) => text));
  return others.filter(({ text }) => !own.has(text) && json.includes(text)).map(({ text }) => text);
}

/** What a user wrote by hand is nobody's secret. */
function openPart(item: Item): string {
  if (!item.origin) return JSON.stringify(item);
  switch (item.type) {
    case 'message':
      return JSON.stringify(typeof item.content === 'string' ? item.content : item.content.map(withoutAnnotations));
    case 'function_call':
      return `${inJson(item.call_id)} ${inJson(item.name)} ${inJson(item.arguments)}`;
    default:
      return '';
  }
}

function withoutAnnotations(part: object): object {
  return { ...part, annotations: [] };
}

function leaves(value: unknown, field = ''): { field: string; text: string }[] {
  if (typeof value === 'string') return [{ field, text: value }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, Array.isArray(value) ? field : name));
}

/** A text as it stands within JSON. */
function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
