import type { FunctionCallItem, Item, MessageItem, MessagePart } from '../protocol/items.ts';
import type { Adaptation } from '../protocol/response.ts';
import { isProviderItem } from '../protocol/validate.ts';
import { described, describedAnswer } from './describe.ts';
import { oncePerItem } from './once.ts';
import { isClientCall, isModels, isOutput, pairing } from './pairing.ts';

/** Whom views are for. `reasoningReplay` is the model's capability of that name. */
export type ViewTarget = {
  provider: string;
  api: string;
  reasoningReplay?: 'required' | 'optional' | 'forbidden' | undefined;
};
export type View = { items: readonly Item[]; adaptations: readonly Adaptation[] };

/**
 * Makes what one model may be shown of a conversation. The log itself is never touched; every difference is an adaptation.
 *
 * - Calls and outputs are paired; messages and parts without content are left out.
 * - What a provider made for itself goes back to it as it came, and to nobody else: ids, `provider_data` and annotations of
 *   foreign items stay out; foreign provider items are told as a short text.
 * - Reasoning goes back to the provider and api that it came from, other models of theirs included: providers read what they can of
 *   it and drop the rest (https://platform.claude.com/docs/en/build-with-claude/preserved-thinking). Reasoning of others is left out,
 *   visible or not: as words of the model it would pass for an answer. So is all of it where `reasoningReplay` is `'forbidden'`, and
 *   reasoning behind which nothing stands that it led to, which no wire takes.
 *
 * A view costs one pass, and what it makes of an item is the same object in the next view. `delta`: the provider has the
 * conversation and is only told what is new: it knows calls that are not here.
 */
export function requestView(target: ViewTarget): (log: readonly Item[], delta?: boolean) => View {
  const pair = pairing();
  const change = oncePerItem((item) => changed(item, target));
  const answer = oncePerItem(describedAnswer);
  return (log, delta) => {
    const view = new Shown();
    for (const item of pair(log, view.report, delta)) {
      if (view.isTold(item)) view.answers.push(answer(item));
      else if (isFit(item, target)) view.add(item, { item, own: true });
      else view.add(item, change(item));
    }
    return { items: view.end(), adaptations: view.adaptations };
  };
}

/** What becomes of an item: `item` is missing where nothing of it is shown, `told` where the change is not worth a word. */
type Change = {
  readonly item?: Item | undefined;
  readonly own: boolean;
  readonly told?: readonly [Adaptation['type'], string];
};

/** The items of a view as they come together. */
class Shown {
  readonly adaptations: Adaptation[] = [];
  /** Texts for the answers to foreign calls; they go behind all outputs. */
  readonly answers: Item[] = [];
  readonly #items: Item[] = [];
  /** Reasoning that waits for what it led to. */
  #thoughts: Item[] = [];
  /** Foreign calls that are told as a text. */
  readonly #told = new Set<unknown>();

  readonly report = (type: Adaptation['type'], name: string, detail: string): void => {
    this.adaptations.push({ type, name, detail });
  };

  /** True for the answer to a call that is told as a text. */
  isTold(item: Item): boolean {
    return this.#told.size > 0 && isOutput(item) && 'call_id' in item && this.#told.has(item.call_id);
  }

  add(from: Item, { item, own, told }: Change): void {
    if (this.answers.length > 0 && !isOutput(from)) this.#items.push(...this.answers.splice(0));
    if (told) this.report(told[0], from.type, told[1]);
    if (!own && isClientCall(from) && 'call_id' in from) this.#told.add(from.call_id);
    if (item) this.#push(item, own && isModels(from));
  }

  end(): Item[] {
    this.#think(false);
    return [...this.#items, ...this.answers];
  }

  #push(item: Item, models: boolean): void {
    if (item.type === 'reasoning') return void this.#thoughts.push(item);
    if (this.#thoughts.length > 0) this.#think(models && !isOutput(item));
    this.#items.push(item);
  }

  #think(led: boolean): void {
    if (led) this.#items.push(...this.#thoughts);
    else for (const { type } of this.#thoughts) this.report('dropped_item', type, 'nothing follows that it led to');
    this.#thoughts = [];
  }
}

/** True for what is shown as it is. Outputs come from this side: whose they are, their calls decide. */
function isFit(item: Item, target: ViewTarget): boolean {
  if (item.type === 'function_call_output') return item.output === '' || isFull(item.output);
  if (isOutput(item)) return true;
  if (item.type === 'message' && !isFull(item.content)) return false;
  return (item.type !== 'reasoning' || target.reasoningReplay !== 'forbidden') && isOwn(item, target);
}

/**
 * True for what holds nothing that is for another alone. What users wrote by hand is spelled as the Responses API spells it; a kind
 * of `slug:kind` names its provider.
 */
function isOwn(item: Item, { provider, api }: ViewTarget): boolean {
  const { origin, type } = item;
  if (origin) return origin.provider === provider && origin.api === api;
  if (item.type === 'reasoning' ? !item.encrypted_content : !isProviderItem(item)) return true;
  return type.includes(':') ? type.startsWith(`${provider}:`) : api === 'openai-responses';
}

function changed(item: Item, target: ViewTarget): Change {
  const own = isOwn(item, target);
  const from = item.origin?.provider ?? 'another provider';
  switch (item.type) {
    case 'message': {
      const content = full(item.content);
      if (content === '') return { own, told: ['dropped_item', `an empty ${item.role} message`] };
      return own ? { own, item: { ...item, content } } : withoutOpaque({ ...item, content }, from);
    }
    case 'function_call':
      return withoutOpaque(item, from);
    case 'function_call_output':
      return { own, item: { ...item, output: full(item.output) } };
    case 'reasoning':
      return { own, told: ['dropped_item', own ? 'this model takes no reasoning back' : `reasoning of ${from}`] };
    case 'item_reference':
      return { own, told: ['dropped_item', 'only its issuer can resolve it'] };
    default:
      return { own, told: ['described_item', `an item of ${from}, told as a short text`], item: described(item) };
  }
}

/** A foreign item without what only its issuer can read. Ids are not worth a word. */
function withoutOpaque(item: MessageItem | FunctionCallItem, from: string): Change {
  const { id: _id, provider_data, ...rest } = item;
  let left = provider_data === undefined ? '' : 'provider_data ';
  if (rest.type === 'message' && typeof rest.content !== 'string')
    rest.content = rest.content.map((part) => {
      if (part.type !== 'output_text' || !part.annotations?.length) return part;
      left ||= 'annotations ';
      return { ...part, annotations: [] };
    });
  const told = ['other', `without ${left}that only ${from} can read`] as const;
  return { own: false, item: rest, ...(left !== '' && { told }) };
}

function isFull(content: string | readonly MessagePart[]): boolean {
  return typeof content === 'string' ? content !== '' : content.length > 0 && !content.some(isEmpty);
}

/** Content without its empty parts; `''` when nothing remains. */
function full<Part extends MessagePart>(content: string | readonly Part[]): string | readonly Part[] {
  const parts = typeof content === 'string' ? content : content.filter((part) => !isEmpty(part));
  return parts.length > 0 ? parts : '';
}

function isEmpty(part: MessagePart): boolean {
  return 'text' in part ? part.text === '' : part.type === 'refusal' && part.refusal === '';
}
