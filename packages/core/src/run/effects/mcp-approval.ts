import type { Settled } from '../../loop/outcome.ts';
import type { Decision } from '../../loop/state.ts';
import type { ProviderItem } from '../../protocol/items.ts';
import { isFields, stringify } from '../../protocol/json.ts';
import { wait, type Steps } from '../steps.ts';
import { CallContext } from '../tool-context.ts';
import type { Work } from '../work.ts';

/** Answers a hosted MCP server's request for approval: as a person or the tool itself has decided, or by waiting for a person. */
export function* answerApproval(work: Work<'run_tool'>): Steps<Settled> {
  const { call, decision } = work.effect;
  const { callId } = call;
  const answer = decision ? answerOf(decision) : yield* ownAnswer(work);
  if (!isFields(answer)) return { type: 'tool_waiting', callId };
  const approve = answer['approve'] === true;
  const reason = approve || typeof answer['reason'] !== 'string' ? {} : { reason: answer['reason'] };
  const output: ProviderItem = { type: 'mcp_approval_response', approval_request_id: callId, approve, ...reason };
  return { type: 'tool_settled', callId, output, value: approve, isError: false, ran: false, verdicts: null };
}

function answerOf(decision: Decision): object {
  return decision.type === 'approved' ? { approve: true } : { reason: decision.message };
}

/** What the client tool of that server says, where there is one: `clientTool({ spec, answers: 'mcp_approval_response', execute })`. */
function* ownAnswer(work: Work<'run_tool'>): Steps<unknown> {
  const { effect, scope } = work;
  const { item } = effect.call;
  const agent = scope.agent(effect.agent);
  const { tools } = scope.known(agent.name).toolbox ?? (yield* scope.toolbox(agent, work));
  const answering = [...tools.values()].find(
    ({ client }) =>
      client?.answers === 'mcp_approval_response' &&
      item.type !== 'function_call' &&
      client.spec['server_label'] === item['server_label'],
  );
  const binding = answering && (yield* wait(answering.bind(stringify(item) ?? '')));
  return binding?.call && (yield* wait(binding.call.execute(new CallContext(work, agent))));
}
