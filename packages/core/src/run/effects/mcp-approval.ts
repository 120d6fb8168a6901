import type { Settled } from '../../loop/outcome.ts';
import type { Decision } from '../../loop/state.ts';
import type { ProviderItem } from '../../protocol/items.ts';
import { isFields, toJson } from '../../protocol/json.ts';
import { wait, type Steps } from '../steps.ts';
import { CallContext } from '../tool-context.ts';
import type { Work } from '../work.ts';

/** Answers a hosted MCP server's request for approval: as a person or the tool itself has decided, or by waiting for a person. */
export function* answerApproval(work: Work<'run_tool'>): Steps<Settled> {
  const { call, decision: given } = work.effect;
  const { callId } = call;
  const decision = given ?? (yield* ownDecision(work));
  if (decision === undefined) return { type: 'tool_waiting', callId };
  const approve = decision.type === 'approved';
  const reason = decision.type === 'rejected' && decision.message !== undefined ? { reason: decision.message } : {};
  const output: ProviderItem = { type: 'mcp_approval_response', approval_request_id: callId, approve, ...reason };
  return { type: 'tool_settled', callId, output, value: approve, isError: false, ran: false, verdicts: null };
}

/** What the client tool of that server says, where there is one: `clientTool({ spec, answers: 'mcp_approval_response', execute })`. */
function* ownDecision(work: Work<'run_tool'>): Steps<Decision | undefined> {
  const { effect, scope, control } = work;
  const { item } = effect.call;
  const agent = scope.agent(effect.agent);
  const { tools } = yield* scope.openedToolbox(agent, control.signal);
  const answering = [...tools.values()].find(
    ({ client }) =>
      client?.answers === 'mcp_approval_response' &&
      item.type !== 'function_call' &&
      client.spec['server_label'] === item['server_label'],
  );
  if (answering === undefined) return undefined;
  const { call } = yield* wait(answering.bind(toJson(item)));
  const answer = call && (yield* wait(call.execute(new CallContext(work, agent))));
  if (isFields(answer) && answer['approve'] === true) return { type: 'approved' };
  return isFields(answer) && typeof answer['reason'] === 'string'
    ? { type: 'rejected', message: answer['reason'] }
    : { type: 'rejected' };
}
