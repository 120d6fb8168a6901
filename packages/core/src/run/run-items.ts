import type { AnyAgent } from '../agent/agent.ts';
import { UserError } from '../errors.ts';
import type { Fact, Log } from '../loop/log.ts';
import type { LocalCall } from '../loop/state.ts';
import type {
  FunctionCallItem,
  FunctionCallOutputItem,
  Item,
  MessageItem,
  ProviderItem,
  ReasoningItem,
} from '../protocol/items.ts';
import { stringify } from '../protocol/json.ts';
import { contentText, itemText } from '../protocol/text.ts';

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
export function runItem({ item, fact, agents }: { item: Item; fact: Fact; agents: Agents }): RunItem | undefined {
  const agent = agentNamed(fact.agent, agents);
  const toInputItem = () => item;
  switch (item.type) {
    case 'message':
      return fact.type === 'input'
        ? undefined
        : { type: 'message_output_item', agent, rawItem: item, text: contentText(item.content), toInputItem };
    case 'reasoning':
      return { type: 'reasoning_item', agent, rawItem: item, toInputItem };
    case 'function_call': {
      const call = {
        agent,
        rawItem: item,
        toolName: item.name,
        callId: item.call_id,
        arguments: item.arguments,
        toInputItem,
      };
      return fact.to === undefined
        ? { type: 'tool_call_item', ...call }
        : { type: 'handoff_call_item', ...call, to: agentNamed(fact.to, agents) };
    }
    case 'function_call_output':
      if (fact.to !== undefined) {
        return {
          type: 'handoff_output_item',
          agent,
          rawItem: item,
          from: agent,
          to: agentNamed(fact.to, agents),
          toInputItem,
        };
      }
      return toolOutputItem({ item, fact, agent, callId: item.call_id });
    default:
      return providerRunItem({ item, fact, agent });
  }
}

function providerRunItem({ item, fact, agent }: { item: ProviderItem; fact: Fact; agent: AnyAgent }): RunItem {
  const toInputItem = () => item;
  const facts = {
    toolName: fact.toolName ?? fieldOf(item, 'name'),
    callId: fieldOf(item, 'call_id') || (item.id ?? ''),
    arguments: fieldOf(item, 'arguments'),
  };
  switch (fact.type) {
    case 'tool_call_item':
      return { type: 'tool_call_item', agent, rawItem: item, ...facts, arguments: stringify(item) ?? '', toInputItem };
    case 'tool_call_output_item':
      return toolOutputItem({ item, fact, agent, callId: facts.callId });
    case 'mcp_approval_request_item':
      return { type: 'mcp_approval_request_item', agent, rawItem: item, ...facts, path: [], toInputItem };
    case 'mcp_approval_response_item':
    case 'mcp_list_tools_item':
      return { type: fact.type, agent, rawItem: item, toInputItem };
    default:
      return { type: 'provider_item', agent, rawItem: item, toInputItem };
  }
}

type Output = { item: FunctionCallOutputItem | ProviderItem; fact: Fact; agent: AnyAgent; callId: string };

function toolOutputItem({ item, fact, agent, callId }: Output): RunItem {
  const { toolName = '', value, isError = false } = fact;
  return {
    type: 'tool_call_output_item',
    agent,
    rawItem: item,
    toolName,
    callId,
    output: value,
    isError,
    toInputItem: () => item,
  };
}

/** The call that waits in a slot, as a person is asked about it. */
export function approvalItem({
  call,
  agent,
  path,
}: {
  call: LocalCall;
  agent: AnyAgent;
  path: readonly string[];
}): ToolApprovalItem {
  const { item, name: toolName, callId } = call;
  const facts = { agent, toolName, callId, arguments: call.arguments, path, toInputItem: () => item };
  if (call.route.type === 'approval' && item.type !== 'function_call')
    return { type: 'mcp_approval_request_item', rawItem: item, ...facts };
  return { type: 'tool_approval_item', rawItem: item, ...facts };
}

/** What a log remembers of a run item, for items that a filter hands back. */
export function factOfRunItem(item: RunItem): Fact {
  const base = { agent: item.agent.name };
  switch (item.type) {
    case 'tool_approval_item':
      return { ...base, type: 'tool_call_item', toolName: item.toolName };
    case 'tool_call_item':
    case 'mcp_approval_request_item':
      return { ...base, type: item.type, toolName: item.toolName };
    case 'handoff_call_item':
      return { ...base, type: item.type, toolName: item.toolName, to: item.to.name };
    case 'handoff_output_item':
      return { ...base, type: item.type, to: item.to.name };
    case 'tool_call_output_item':
      return { ...base, type: item.type, toolName: item.toolName, value: item.output, isError: item.isError };
    default:
      return { ...base, type: item.type };
  }
}

/** All text of an item or run item; `''` when it has none. */
export function textOf(item: Item | RunItem): string {
  return itemText(isRunItem(item) ? item.toInputItem() : item);
}

function isRunItem(item: Item | RunItem): item is RunItem {
  return 'rawItem' in item && 'toInputItem' in item && typeof item.toInputItem === 'function';
}

function agentNamed(name: string, agents: Agents): AnyAgent {
  const agent = agents.get(name);
  if (agent) return agent;
  throw new UserError(
    `There is no agent '${name}' in this run, though an item of it says so; pass the agents that made it.`,
  );
}

function fieldOf(item: ProviderItem, key: string): string {
  const value = item[key];
  return typeof value === 'string' ? value : '';
}
