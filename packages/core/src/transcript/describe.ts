import type { InputPart, Item, MessageItem } from '../protocol/items.ts';
import { isFields } from '../protocol/json.ts';

/** The longest description, in characters. */
const longest = 1000;

/** A provider item as its own model would sum it up to another: what it was, what was asked, what came back, in at most 1,000 characters. */
export function described(item: Item): MessageItem {
  return { type: 'message', role: 'assistant', content: summary(item) };
}

/** The answer to such an item, which came from outside the model: media stay media. */
export function describedAnswer(item: Item): MessageItem {
  const media = 'output' in item ? mediaIn(item.output) : [];
  return { type: 'message', role: 'user', content: [{ type: 'input_text', text: summary(item) }, ...media] };
}

function summary(item: Item): string {
  const { origin, status = 'completed' } = item;
  const kind = item.type.slice(item.type.indexOf(':') + 1);
  const told = tell({ ...item, status: status === 'completed' ? undefined : status });
  const text = `[${origin ? `${origin.provider} ` : ''}${kind.replaceAll('_', ' ')}] ${told}`.trim();
  // A cut within a pair of surrogates would leave half a character.
  return text.length > longest ? `${text.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}

/** What only the issuer can read, or what says nothing to a reader. */
const hidden =
  /^(type|origin|provider_data|index|annotations|logprobs|caller)$|(^|_)(id|ids|hash|index)$|encrypted|signature/;

function tell(value: unknown): string {
  if (Array.isArray(value)) return value.map(tell).filter(Boolean).join(', ');
  if (isFields(value))
    return Object.entries(value)
      .map(([name, inner]) => [name, hidden.test(name) ? '' : tell(inner)])
      .filter(([, told]) => told !== '')
      .map(([name, told]) => `${name}: ${told}`)
      .join('; ');
  if (typeof value === 'string') return isData(value) ? '(data)' : value.trim();
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
}

/** Images, files and blobs, not words. */
function isData(text: string): boolean {
  return text.startsWith('data:') || (text.length > 200 && !/[\s{}]/.test(text.slice(0, 200)));
}

function mediaIn(output: unknown): InputPart[] {
  const parts: readonly unknown[] = Array.isArray(output) ? output : [output];
  return parts.flatMap((part) => {
    const url = isFields(part) ? part['image_url'] : undefined;
    return typeof url === 'string' ? [{ type: 'input_image', image_url: url }] : [];
  });
}
