import type { Item } from '../protocol/items.ts';

/**
 * An append-only list that the states of one run share: each state sees its first `length` entries. Appending to the newest state
 * pushes; appending to an older one copies what it sees first, so that no state ever changes.
 */
export type Shared<T> = { readonly items: T[]; readonly length: number };

export function shared<T>(items: readonly T[]): Shared<T> {
  return { items: [...items], length: items.length };
}

export function append<T>(list: Shared<T>, more: readonly T[]): Shared<T> {
  const items = list.items.length === list.length ? list.items : list.items.slice(0, list.length);
  for (const item of more) items.push(item);
  return { items, length: items.length };
}

/** What a state sees of a list. The list itself where it sees all of it: do not change it. */
export function seen<T>(list: Shared<T>): readonly T[] {
  return list.items.length === list.length ? list.items : list.items.slice(0, list.length);
}

/** What the run knows of an item that it added, beside the item itself. `input`: a message that the run itself wrote to the model. */
export type Fact = {
  readonly type:
    | 'input'
    | 'message_output_item'
    | 'reasoning_item'
    | 'tool_call_item'
    | 'tool_call_output_item'
    | 'handoff_call_item'
    | 'handoff_output_item'
    | 'mcp_approval_request_item'
    | 'mcp_approval_response_item'
    | 'mcp_list_tools_item'
    | 'provider_item';
  /** The agent that owns the item. */
  readonly agent: string;
  readonly toolName?: string;
  /** Of a handoff: the agent it goes to. */
  readonly to?: string;
  /** Of a tool output: what the tool itself returned. */
  readonly value?: unknown;
  readonly isError?: boolean;
};

/** A conversation: the input, then everything the run added, each added item with its fact. */
export type Log = { readonly items: Shared<Item>; readonly facts: Shared<Fact>; readonly inputLength: number };

export function newLog(input: readonly Item[]): Log {
  return { items: shared(input), facts: shared<Fact>([]), inputLength: input.length };
}

/** The input of a log: what the run began with. */
export function inputOf({ items, inputLength }: Log): Item[] {
  return items.items.slice(0, inputLength);
}

export function record(log: Log, items: readonly Item[], facts: readonly Fact[]): Log {
  return { items: append(log.items, items), facts: append(log.facts, facts), inputLength: log.inputLength };
}
