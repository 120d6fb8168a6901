import type { AnyAgent } from '../agent/agent.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { RunItem, RunItemType } from './run-items.ts';

export type RunItemEventName =
  | 'message_output_created'
  | 'tool_called'
  | 'tool_output'
  | 'handoff_requested'
  | 'handoff_occurred'
  | 'reasoning_item_created'
  | 'tool_approval_requested'
  | 'mcp_approval_requested'
  | 'mcp_approval_response'
  | 'mcp_list_tools'
  | 'provider_item_created';

/** What a streamed run tells while it goes on. */
export type RunStreamEvent =
  | { type: 'raw_response_event'; data: ModelEvent }
  | { type: 'run_item_stream_event'; name: RunItemEventName; item: RunItem }
  | { type: 'agent_updated_stream_event'; newAgent: AnyAgent }
  | { type: 'nested_run_event'; callId: string; event: RunStreamEvent };

/** The name of the event that announces a run item. */
export const eventNames: { readonly [T in RunItemType]: RunItemEventName } = {
  message_output_item: 'message_output_created',
  tool_call_item: 'tool_called',
  tool_call_output_item: 'tool_output',
  handoff_call_item: 'handoff_requested',
  handoff_output_item: 'handoff_occurred',
  reasoning_item: 'reasoning_item_created',
  tool_approval_item: 'tool_approval_requested',
  mcp_approval_request_item: 'mcp_approval_requested',
  mcp_approval_response_item: 'mcp_approval_response',
  mcp_list_tools_item: 'mcp_list_tools',
  provider_item: 'provider_item_created',
};
