import { answerTo, answerKinds } from '../protocol/answers.ts';
import type { MessageItem, OutputItem, ProviderItem } from '../protocol/items.ts';
import { parseJson, stringify } from '../protocol/json.ts';
import type { ModelResponse, StopType } from '../protocol/response.ts';
import { contentText } from '../protocol/text.ts';
import { append, type Fact } from './log.ts';
import type { Candidate, Draft, LocalCall, Route, ServerState, Slot, SlotState, TurnPlan } from './state.ts';
import { flush, toolsStep } from './tools.ts';
import { extend } from './turn.ts';

const cutOff = 'Not run: the call was cut off. Make it again, shorter if need be.';
const secondHandoff = 'Multiple handoffs detected, ignoring this one.';

/**
 * Takes in what the model answered. Only the content decides what follows: calls for this side are run, whatever the provider's
 * finish reason says; without any the answer is up for being final.
 */
export function respond(state: Draft, responses: readonly ModelResponse[]): void {
  const { plan, agent } = state;
  if (state.step.type !== 'model' || plan === null) return;
  const [only, ...more] = responses;
  const items = only && more.length === 0 ? only.output : responses.flatMap(({ output }) => output);
  const stop = responses.at(-1)?.stop.type ?? 'other';
  const slots: Slot[] = [];
  const facts = items.map((item) => {
    const call = localCall(item, plan);
    if (call) slots.push({ ...slotFor(call, slots, stop), call });
    return factOf(item, call, agent);
  });
  extend(state, items, facts);
  state.server &&= kept(state.server, responses, state.log.items.length);
  state.responses = append(state.responses, responses);
  state.step = slots.length > 0 ? toolsStep(slots) : { type: 'finish', candidate: answerOf(items, stop) };
  flush(state);
}

/** The provider has all that was sent, and what it answered. */
function kept(server: ServerState, responses: readonly ModelResponse[], sent: number): ServerState {
  if (!server.chain) return { ...server, sent };
  const id = responses.at(-1)?.id;
  // Without an id there is nothing to hang on to: all since the last one is told again.
  return id === undefined ? server : { ...server, previousResponseId: id, sent };
}

/** The call that this side must answer, if the item is one. */
export function localCall(item: OutputItem, plan: TurnPlan): LocalCall | undefined {
  if (item.type === 'message' || item.type === 'reasoning') return undefined;
  if (item.type !== 'function_call') return providerCall(item, plan);
  const { name } = item;
  return { item, callId: item.call_id, name, arguments: item.arguments, route: routeOf(name, plan) };
}

function providerCall(item: ProviderItem, plan: TurnPlan): LocalCall | undefined {
  const text = (key: string) => (typeof item[key] === 'string' ? item[key] : '');
  const client = own(plan.clients, item.type);
  // There may be several custom tools: the call says which.
  const call = { item, callId: text('call_id') || (item.id ?? ''), name: text('name') || (client ?? item.type) };
  if (item.type === 'mcp_approval_request')
    return { ...call, arguments: text('arguments'), route: { type: 'approval' } };
  if (client === undefined && !Object.hasOwn(answerKinds, item.type)) return undefined;
  return { ...call, arguments: stringify(item) ?? '', route: routeOf(call.name, plan) };
}

function routeOf(name: string, { routes }: TurnPlan): Route {
  return own(routes, name) ?? { type: 'unknown' };
}

function own<T>(table: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function slotFor(call: LocalCall, before: readonly Slot[], stop: StopType): SlotState {
  // Not every model marks what its output limit has cut off.
  const broken = stop === 'length' && call.arguments !== '' && parseJson(call.arguments) === undefined;
  if (broken || call.item.status === 'incomplete') return refusedCall(call, cutOff);
  if (call.route.type !== 'handoff') return { type: 'ready' };
  return before.some(({ type }) => type === 'handoff') ? refusedCall(call, secondHandoff) : { type: 'handoff' };
}

function refusedCall({ item, callId }: LocalCall, value: string): SlotState {
  return { type: 'done', logged: false, output: answerTo(item, callId, value), value, isError: true, ran: false };
}

function factOf({ type }: OutputItem, call: LocalCall | undefined, agent: string): Fact {
  if (call) return callFact(call, agent);
  if (type === 'message') return { type: 'message_output_item', agent };
  return { type: type === 'reasoning' || type === 'mcp_list_tools' ? `${type}_item` : 'provider_item', agent };
}

function callFact({ route, name: toolName }: LocalCall, agent: string): Fact {
  if (route.type === 'handoff') return { type: 'handoff_call_item', agent, toolName, to: route.to };
  if (route.type === 'approval') return { type: 'mcp_approval_request_item', agent };
  return { type: 'tool_call_item', agent, toolName };
}

/** The last message speaks for the answer. */
function answerOf(items: readonly OutputItem[], stop: StopType): Candidate {
  const message = items.findLast((item): item is MessageItem => item.type === 'message');
  if (message === undefined) return { type: 'answer', text: null, refusal: null, stop };
  const refusal = refusalOf(message);
  return { type: 'answer', text: contentText(message.content), refusal, stop };
}

function refusalOf({ content }: MessageItem): string | null {
  if (typeof content === 'string') return null;
  const refusal = content.find((part) => part.type === 'refusal');
  return refusal && !content.some((part) => part.type === 'output_text' && part.text !== '') ? refusal.refusal : null;
}
