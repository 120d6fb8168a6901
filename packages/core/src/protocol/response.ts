import type { OutputItem } from './items.ts';
import type { Usage } from './usage.ts';

/** Why a response ended, in the words all providers share. */
export type StopType = 'end' | 'tool_calls' | 'length' | 'content_filter' | 'refusal' | 'pause' | 'other';

/** A recorded difference between what was asked and what the wire could carry. */
export type Adaptation = {
  type:
    | 'unsupported_setting'
    | 'changed_schema'
    | 'dropped_item'
    | 'described_item'
    | 'moved_media'
    | 'output_strategy'
    | 'reasoning_off'
    | 'added_message'
    | 'other';
  name: string;
  detail: string;
};

/** What one model call returned. `id` is the provider's own, never a made-up one. */
export type ModelResponse = {
  id?: string;
  model: string;
  output: readonly OutputItem[];
  usage: Usage;
  stop: { type: StopType; raw: string | null };
  adaptations: readonly Adaptation[];
  requestId?: string;
};

/** The kinds of failure of a model call, the same for all providers. */
export type ModelErrorKind =
  | 'rate_limit'
  | 'quota'
  | 'auth'
  | 'invalid_request'
  | 'not_found'
  | 'context_length'
  | 'content_filter'
  | 'overloaded'
  | 'server'
  | 'network'
  | 'timeout'
  | 'aborted'
  | 'protocol'
  | 'unknown';
