export type {
  EasyMessage,
  FunctionCallItem,
  FunctionCallOutputItem,
  HostedKind,
  InputAudio,
  InputFile,
  InputImage,
  InputItem,
  InputPart,
  InputText,
  Item,
  ItemCommon,
  MessageItem,
  MessagePart,
  Origin,
  OutputItem,
  OutputText,
  ProviderItem,
  ReasoningItem,
  Refusal,
} from './protocol/items.ts';
export type { AttemptDiscardedEvent, ModelEvent, ResponseDoneEvent, WireEvent } from './protocol/events.ts';
export type { Json } from './protocol/json.ts';
export type { Adaptation, ModelErrorKind, ModelResponse, StopType } from './protocol/response.ts';
export { isFields, parseJson, toJson } from './protocol/json.ts';
export { contentText } from './protocol/text.ts';
export { addUsage, usageOf, type Usage } from './protocol/usage.ts';

export { mergeCapabilities, type Capabilities } from './model/capabilities.ts';
export { defineModel, type Codec, type ModelIdentity, type Transport } from './model/define-model.ts';
export type {
  CallContext,
  FunctionToolSpec,
  HostedToolSpec,
  Model,
  ModelProvider,
  ModelRequest,
  OutputSpec,
  ToolSpec,
} from './model/model.ts';
export { MultiProvider } from './model/multi-provider.ts';
export { ResponseEvents } from './model/response-events.ts';
export type { ModelSettings, ToolChoice } from './model/settings.ts';
export { wireIds } from './transcript/call-ids.ts';

export {
  AgentsError,
  ContentFilterError,
  GuardrailExecutionError,
  InputGuardrailTripwireTriggered,
  LimitReachedError,
  MaxTurnsExceededError,
  ModelBehaviorError,
  ModelError,
  ModelRefusalError,
  OutputGuardrailTripwireTriggered,
  OutputTruncatedError,
  SessionBusyError,
  ToolCallError,
  ToolInputGuardrailTripwireTriggered,
  ToolOutputGuardrailTripwireTriggered,
  ToolTimeoutError,
  UserError,
} from './errors.ts';
