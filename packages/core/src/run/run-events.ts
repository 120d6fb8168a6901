import type { AnyAgent } from '../agent/agent.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { RunItem } from './run-items.ts';

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
