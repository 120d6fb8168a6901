import type { Item, MessageItem, MessagePart, Origin, ReasoningItem } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';
import { itemText } from '../protocol/text.ts';
import { isProviderItem } from '../protocol/validate.ts';
import { asRan, noteEdit } from './edits.ts';
import { outputsApart, pair } from './pairing.ts';

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
  const apart: ReadonlySet<Item> = target.delta ? outputsApart(log) : new Set();
  const whole = apart.size === 0 ? log : log.filter((item) => !apart.has(item));
  const items: Item[] = [];
  for (const item of [...apart, ...asRan(pair(whole, report), edits)]) {
    const shown = show(item, target, report);
    if (shown !== undefined) items.push(shown);
  }
  return { items, adaptations };
}

function show(item: Item, target: ViewTarget, report: (adaptation: Adaptation) => void): Item | undefined {
  if (item.type === 'message') return showMessage(item, report);
  if (item.type === 'reasoning') return showReasoning(item, target, report);
  if (!isProviderItem(item) || isOwn(item.origin ?? defaultOrigin, target)) return item;
  if (item.type === 'item_reference') {
    report({ type: 'dropped_item', name: item.type, detail: `only its issuer can resolve ${item.id ?? 'it'}` });
    return undefined;
  }
  report({ type: 'described_item', name: item.type, detail: 'an item of another provider, described by a short text' });
  return { type: 'message', role: 'assistant', content: describe(item) };
}

/** Provider items that users wrote by hand are spelled as the Responses API spells them. */
const defaultOrigin: Origin = { provider: 'openai', api: 'openai-responses', model: '' };

function isOwn(origin: Origin | undefined, target: ViewTarget): boolean {
  return origin === undefined || (origin.provider === target.provider && origin.api === target.api);
}

function showMessage(item: MessageItem, report: (adaptation: Adaptation) => void): Item | undefined {
  if (typeof item.content === 'string') {
    if (item.content !== '') return item;
  } else {
    const parts = item.content.filter((part) => !isEmpty(part));
    if (parts.length === item.content.length && parts.length > 0) return item;
    if (parts.length > 0) return { ...item, content: parts };
  }
  report({ type: 'dropped_item', name: 'message', detail: `an empty ${item.role} message` });
  return undefined;
}

function isEmpty(part: MessagePart): boolean {
  if (part.type === 'input_text' || part.type === 'output_text') return part.text === '';
  return part.type === 'refusal' && part.refusal === '';
}

function showReasoning(
  item: ReasoningItem,
  target: ViewTarget,
  report: (adaptation: Adaptation) => void,
): Item | undefined {
  if (target.reasoningReplay !== 'forbidden' && isOwn(item.origin, target)) return item;
  const detail =
    target.reasoningReplay === 'forbidden'
      ? 'this model takes no reasoning back'
      : 'reasoning of another model is not sent';
  report({ type: 'dropped_item', name: 'reasoning', detail });
  return undefined;
}

/** One line about a provider item, for models that cannot read it. */
function describe(item: Item): string {
  const text = itemText(item);
  const facts = ['name', 'status', 'query', 'action', 'output', 'result']
    .filter((key) => key in item)
    .map((key) => `${key}: ${brief(Object.getOwnPropertyDescriptor(item, key)?.value)}`);
  return `[${[item.type, ...facts].join('; ')}]${text}`;
}

function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
