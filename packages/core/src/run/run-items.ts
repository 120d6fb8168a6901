import type { AnyAgent } from '../agent/agent.ts';
import { agentNamed } from '../agent/graph.ts';
import type { Fact, Log } from '../loop/log.ts';
import { slotsIn, type LocalCall, type LoopState } from '../loop/state.ts';
import { sealOf } from '../loop/tools.ts';
import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  Item,
  MessageItem,
  ProviderItem,
  ReasoningItem,
} from '../protocol/items.ts';
import { stringify } from '../protocol/json.ts';
import { itemText } from '../protocol/text.ts';

type RunItemOf<T extends string, R extends Item, F = unknown> = {
  readonly type: T;
  readonly agent: AnyAgent;
  readonly rawItem: R;
  toInputItem(): Item;
} & F;
type CallFacts = { readonly toolName: string; readonly callId: string; readonly arguments: string };

/** An item as the run produced it: the item plus the agent that owns it. */
export type RunItem =
  | RunItemOf<'message_output_item', MessageItem, { readonly text: string }>
  | RunItemOf<'tool_call_item', FunctionCallItem | ProviderItem, CallFacts>
  /** `output`: the tool's own return value, not what was sent to the model. `isError`: an error, a rejection or an unknown tool. */
  | RunItemOf<
      'tool_call_output_item',
      FunctionCallOutputItem | ProviderItem,
      { readonly toolName: string; readonly callId: string; readonly output: unknown; readonly isError: boolean }
    >
  | RunItemOf<'handoff_call_item', FunctionCallItem, CallFacts & { readonly to: AnyAgent }>
  | RunItemOf<'handoff_output_item', FunctionCallOutputItem, { readonly from: AnyAgent; readonly to: AnyAgent }>
  | RunItemOf<'reasoning_item', ReasoningItem>
  | RunItemOf<'tool_approval_item', FunctionCallItem | ProviderItem, CallFacts & { readonly path: readonly string[] }>
  | RunItemOf<'mcp_approval_request_item', ProviderItem, CallFacts & { readonly path: readonly string[] }>
  | RunItemOf<'mcp_approval_response_item', ProviderItem>
  | RunItemOf<'mcp_list_tools_item', ProviderItem>
  | RunItemOf<'provider_item', ProviderItem>;
export type RunItemType = RunItem['type'];
/** A call that waits for a person. `path` names the calls of the agents as tools around it, outermost first. */
export type ToolApprovalItem = Extract<RunItem, { type: 'tool_approval_item' | 'mcp_approval_request_item' }>;

type Agents = ReadonlyMap<string, AnyAgent>;

/** The run items of a log: everything that the run itself added, in order. */
export function runItemsOf(log: Log, agents: Agents, from = 0): RunItem[] {
  const items: RunItem[] = [];
  for (let index = from; index < log.facts.length; index++) {
    const item = log.items.items[log.inputLength + index];
    const fact = log.facts.items[index];
    const made = item && fact && runItem({ item, fact, agents });
    if (made) items.push(made);
  }
  return items;
}

/** One item with what the run knows of it; `undefined` for messages that the run itself wrote to the model. */
function runItem({ item, fact, agents }: { item: Item; fact: Fact; agents: Agents }): RunItem | undefined {
  const { type } = fact;
  if (type === 'input') return undefined;
  const shared = { type, agent: agentNamed(fact.agent, agents), rawItem: item, toInputItem: () => item };
  const made = { ...shared, ...details(item, fact, agents) };
  // A fact is made for the item beside it, which its type cannot say.
  return made as RunItem;
}

/** What the items of a type have beside what all have. */
function details(item: Item, fact: Fact, agents: Agents): object {
  const text = (key: string) => fieldOf(item, key);
  const call = { toolName: fact.toolName ?? text('name'), callId: text('call_id') || text('id') };
  const to = fact.to === undefined ? undefined : agentNamed(fact.to, agents);
  switch (fact.type) {
    case 'message_output_item':
      return { text: itemText(item) };
    case 'tool_call_item':
      return { ...call, arguments: item.type === 'function_call' ? item.arguments : stringify(item) };
    case 'handoff_call_item':
      return { ...call, arguments: text('arguments'), to };
    case 'mcp_approval_request_item':
      return { ...call, arguments: text('arguments'), path: [] };
    case 'tool_call_output_item':
      return { ...call, output: fact.value, isError: fact.isError ?? false };
    case 'handoff_output_item':
      return { from: agentNamed(fact.agent, agents), to };
    default:
      return {};
  }
}

/** The call that waits in a slot, as a person is asked about it. */
export function approvalItem(call: LocalCall, agent: AnyAgent, path: readonly string[]): ToolApprovalItem {
  const { item, name: toolName, callId, route } = call;
  const facts = { agent, toolName, callId, arguments: call.arguments, path, toInputItem: () => item };
  return route.type === 'approval' && item.type !== 'function_call'
    ? { type: 'mcp_approval_request_item', rawItem: item, ...facts }
    : { type: 'tool_approval_item', rawItem: item, ...facts };
}

/** The calls that wait for a person, in call order, those of inner runs among them. */
export function interruptionsOf(state: LoopState, agents: ReadonlyMap<string, AnyAgent>): ToolApprovalItem[] {
  const waiting = [...slotsIn(state)].filter(({ slot }) => slot.type === 'waiting');
  return waiting.map(({ slot, state: { agent }, path }) => approvalItem(slot.call, agentNamed(agent, agents), path));
}

/** The first call that is not the one which a person was asked about, or whose answer is not what the person said. */
export function changedCall(state: LoopState): LocalCall | undefined {
  const changed = [...slotsIn(state)].find(({ slot }) => {
    const decision = slot.type === 'decided' ? slot.decision : null;
    return 'seal' in slot && slot.seal !== sealOf(slot.call, decision);
  });
  return changed?.slot.call;
}

/** What a log remembers of a run item, for items that a filter hands back. */
export function factOfRunItem(item: RunItem): Fact {
  return {
    type: item.type === 'tool_approval_item' ? 'tool_call_item' : item.type,
    agent: item.agent.name,
    ...('toolName' in item && { toolName: item.toolName }),
    ...('to' in item && { to: item.to.name }),
    ...('output' in item && { value: item.output, isError: item.isError }),
  };
}

/** All text of an item or run item; `''` when it has none. */
export function textOf(item: Item | RunItem): string {
  return itemText(isRunItem(item) ? item.toInputItem() : item);
}

function isRunItem(item: Item | RunItem): item is RunItem {
  return 'rawItem' in item && 'toInputItem' in item && typeof item.toInputItem === 'function';
}

function fieldOf(item: Item, key: string): string {
  const value: unknown = Reflect.get(item, key);
  return typeof value === 'string' ? value : '';
}
