import type { Json } from './json.ts';

/** Who produced an item. Opaque parts go back only to the same provider and api. */
export type Origin = { provider: string; api: string; model: string };

/** What every item may carry beside its own fields. An adapter reads only its own key of `provider_data`. */
export type ItemCommon = {
  id?: string;
  status?: 'in_progress' | 'completed' | 'incomplete';
  origin?: Origin;
  provider_data?: { [provider: string]: Json };
};

export type InputText = { type: 'input_text'; text: string };
export type InputImage = {
  type: 'input_image';
  image_url?: string;
  file_id?: string;
  detail?: 'low' | 'high' | 'auto';
};
export type InputFile = {
  type: 'input_file';
  filename?: string;
  file_data?: string;
  file_url?: string;
  file_id?: string;
};
export type InputAudio = { type: 'input_audio'; input_audio: { data: string; format: string } };
/** What a user message or a tool output may be made of. */
export type InputPart = InputText | InputImage | InputFile | InputAudio;
export type OutputText = { type: 'output_text'; text: string; annotations?: readonly Json[] };
export type Refusal = { type: 'refusal'; refusal: string };
export type MessagePart = InputPart | OutputText | Refusal;

/** A message. `{ role, content }` without `type` is accepted as input everywhere. */
export type MessageItem = ItemCommon & {
  type: 'message';
  role: 'user' | 'assistant' | 'system' | 'developer';
  content: string | readonly MessagePart[];
};
/** The model asks for a function tool; `arguments` is JSON text exactly as the model wrote it. */
export type FunctionCallItem = ItemCommon & { type: 'function_call'; call_id: string; name: string; arguments: string };
/** The answer to the function call of the same `call_id`. */
export type FunctionCallOutputItem = ItemCommon & {
  type: 'function_call_output';
  call_id: string;
  output: string | readonly InputPart[];
};
export type ReasoningItem = ItemCommon & {
  type: 'reasoning';
  summary: readonly { type: 'summary_text'; text: string }[];
  content?: readonly { type: 'reasoning_text'; text: string }[];
  encrypted_content?: string | null;
};
/** The Responses API's own kinds beside the core ones. */
export type HostedKind =
  | 'web_search_call'
  | 'file_search_call'
  | 'code_interpreter_call'
  | 'image_generation_call'
  | 'computer_call'
  | 'computer_call_output'
  | 'local_shell_call'
  | 'local_shell_call_output'
  | 'shell_call'
  | 'shell_call_output'
  | 'apply_patch_call'
  | 'apply_patch_call_output'
  | 'tool_search_call'
  | 'tool_search_output'
  | 'program'
  | 'program_output'
  | 'additional_tools'
  | 'mcp_list_tools'
  | 'mcp_call'
  | 'mcp_approval_request'
  | 'mcp_approval_response'
  | 'custom_tool_call'
  | 'custom_tool_call_output'
  | 'compaction'
  | 'item_reference';
/** Any other kind: hosted tool calls, vendor items (`slug:kind`), compaction, item references. Opaque to everyone but its issuer. */
export type ProviderItem = ItemCommon & { type: HostedKind | `${string}:${string}`; readonly [key: string]: unknown };

/** What a model may produce. */
export type OutputItem = MessageItem | FunctionCallItem | ReasoningItem | ProviderItem;
/** One entry of a conversation, as Open Responses spells it. */
export type Item = OutputItem | FunctionCallOutputItem;
export type EasyMessage = Omit<MessageItem, 'type'> & { type?: never };
/** What users may pass as input: items, and messages without their `type`. */
export type InputItem = Item | EasyMessage;
