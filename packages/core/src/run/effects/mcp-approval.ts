import type { EffectOf } from '../../loop/effects.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { ProviderItem } from '../../protocol/items.ts';

/** Answers a hosted MCP server's request for approval with a person's decision, or waits for one. */
export function answerApproval({ call, decision }: EffectOf<'run_tool'>): Settled {
  const { callId } = call;
  if (decision === null) return { type: 'tool_waiting', callId };
  const approve = decision.type === 'approved';
  const reason = decision.type === 'rejected' && decision.message !== undefined ? { reason: decision.message } : {};
  const output: ProviderItem = { type: 'mcp_approval_response', approval_request_id: callId, approve, ...reason };
  return { type: 'tool_settled', callId, output, value: approve, isError: false, ran: false, verdicts: null };
}
