import type { Item, MessageItem, MessagePart } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';
import { isProviderItem } from '../protocol/validate.ts';
import { asRan, noteEdit } from './edits.ts';
import { pair } from './pairing.ts';

/** Whom the view is for. `reasoningReplay` is the model's capability of that name. */
export type ViewTarget = {
  provider: string;
  api: string;
  reasoningReplay?: 'required' | 'optional' | 'forbidden' | undefined;
  /** True where the provider has the conversation, and is only told what is new: it knows calls that are not here. */
  delta?: boolean | undefined;
};
export type View = { items: readonly Item[]; adaptations: readonly Adaptation[] };

/**
 * What one model may be shown of a conversation: calls and outputs paired, nothing empty, opaque parts only for their issuer,
 * foreign provider items as a short text. The log itself is never touched; every difference is an adaptation.
 */
export function requestView(log: readonly Item[], target: ViewTarget): View {
  const adaptations: Adaptation[] = [];
  const report = (adaptation: Adaptation) => void adaptations.push(adaptation);
  const edits = new Map<string, string>();
  for (const item of log) noteEdit(item, edits);
  const items = asRan(pair(log, report, target.delta), edits).flatMap((item) => show(item, target, report) ?? []);
  return { items, adaptations };
}

/** An item as the target may see it; `undefined`: not at all. */
function show(item: Item, target: ViewTarget, report: (adaptation: Adaptation) => void): Item | undefined {
  const drop = (detail: string) => {
    report({ type: 'dropped_item', name: item.type, detail });
    return undefined;
  };
  if (item.type === 'message') return withoutEmpty(item) ?? drop(`an empty ${item.role} message`);
  const own = isOwn(item, target);
  if (item.type === 'reasoning') {
    if (target.reasoningReplay === 'forbidden') return drop('this model takes no reasoning back');
    return own ? item : drop('reasoning of another model');
  }
  if (own) return item;
  if (item.type === 'item_reference') return drop('only its issuer can resolve it');
  report({ type: 'described_item', name: item.type, detail: 'an item of another provider, told as a short text' });
  return { type: 'message', role: 'assistant', content: describe(item) };
}

/** What others are told of a provider item: nothing that only its issuer can read. */
function describe(item: Item): string {
  const told = [
    'type',
    'name',
    'status',
    'query',
    'queries',
    'action',
    'code',
    'arguments',
    'text',
    'output',
    'result',
  ];
  return JSON.stringify(item, told).slice(0, 500);
}

/** Items of our own kinds hold nothing opaque but reasoning. Those that users wrote by hand are spelled as the Responses API spells them. */
function isOwn(item: Item, target: ViewTarget): boolean {
  const isProviders = isProviderItem(item);
  if (!isProviders && (item.type !== 'reasoning' || item.origin === undefined)) return true;
  const { provider, api } = item.origin ?? { provider: 'openai', api: 'openai-responses' };
  return provider === target.provider && api === target.api;
}

/** A message without its empty parts; `undefined` when nothing remains. */
function withoutEmpty(item: MessageItem): MessageItem | undefined {
  const { content } = item;
  const parts = typeof content === 'string' ? content : content.filter((part) => !isEmpty(part));
  if (parts.length === content.length && parts.length > 0) return item;
  return parts.length > 0 ? { ...item, content: parts } : undefined;
}

function isEmpty(part: MessagePart): boolean {
  return 'text' in part ? part.text === '' : part.type === 'refusal' && part.refusal === '';
}
