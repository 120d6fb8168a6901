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
export type {
  FunctionToolSpec,
  HostedToolSpec,
  ModelRequest,
  ModelSettings,
  OutputSpec,
  ToolChoice,
  ToolSpec,
} from './protocol/request.ts';
export type { Adaptation, ModelErrorKind, ModelResponse, StopType } from './protocol/response.ts';
export { isFields, parseJson, toJson, type Fields } from './protocol/json.ts';
export { contentText } from './protocol/text.ts';
export { isProviderItem, kindOf } from './protocol/validate.ts';
export { addUsage, usageOf, type Usage } from './protocol/usage.ts';

export { mergeCapabilities, type Capabilities } from './model/capabilities.ts';
export { defineModel, type Codec, type ModelIdentity, type Transport } from './model/define-model.ts';
export { fallback, type FallbackEntry } from './model/fallback.ts';
export type { CallContext, Candidate, Model, ModelProvider, ProviderReference, SyncCall } from './model/model.ts';
export { MultiProvider, type ModelTable } from './model/multi-provider.ts';
export { providerOf, type ProviderOptions } from './model/provider-of.ts';
export { ResponseEvents } from './model/response-events.ts';
export { wireIds } from './transcript/call-ids.ts';
export { mediaApart } from './transcript/media.ts';
export { oncePerItem } from './transcript/once.ts';

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
  type ErrorFacts,
  type ModelErrorFacts,
} from './errors.ts';

export {
  Agent,
  type AgentHandoffs,
  type AgentOptions,
  type AnyAgent,
  type ToolResult,
  type ToolUseBehavior,
} from './agent/agent.ts';
export type { AsToolOptions, NestedRun } from './agent/agent-tool.ts';
export type { RunContext, ToolContext } from './agent/context.ts';
export type { InputGuardrail, OutputGuardrail, ToolGuardrail } from './agent/guardrails.ts';
export {
  handoff,
  removeAllTools,
  type Handoff,
  type HandoffBinding,
  type HandoffInputData,
  type HandoffInputFilter,
  type HandoffOptions,
} from './agent/handoff.ts';
export type { Hooks } from './agent/hooks.ts';
export type { MaybePromise } from './agent/maybe-promise.ts';
export { toDialect, type DialectSchema, type SchemaDialect, type SchemaLoss } from './agent/schema/dialect.ts';
export { strictSchema, type SchemaGap, type StrictSchema } from './agent/schema/strict.ts';
export {
  jsonSchema,
  type JsonSchema,
  type Schema,
  type StandardResult,
  type StandardSchema,
} from './agent/schema/standard-schema.ts';
export {
  clientTool,
  tool,
  type BoundCall,
  type IsEnabled,
  type Tool,
  type ToolBinding,
  type ToolOptions,
  type ToolSource,
} from './agent/tool.ts';
export type {
  GuardrailOutput,
  GuardrailResult,
  ToolGuardrailOutput,
  ToolGuardrailResult,
} from './protocol/verdicts.ts';

export type { Failure } from './loop/state.ts';
export type {
  ErrorHandlerName,
  ErrorHandlers,
  ModelData,
  RunArguments,
  RunConfig,
  RunInput,
  RunOptions,
} from './run/config.ts';
export { inputToItems } from './run/input.ts';
export { textOf, type RunItem, type RunItemType, type ToolApprovalItem } from './run/run-items.ts';
export type { RunItemEventName, RunStreamEvent } from './run/run-events.ts';
export { RunState } from './run/run-state.ts';
export type { RunData, RunResult } from './run/result.ts';
export { plan, type AgentPlan, type Finding } from './run/plan.ts';
export { MemoryJournal, type Journal, type JournalEntry, type SyncJournal } from './run/journal.ts';
export { runBlocking } from './run/blocking.ts';
export { Runner } from './run/runner.ts';
export type { StreamedRunResult } from './run/streamed-run.ts';
export { failureOf, rebuiltError } from './run/failure.ts';
export { MemorySession } from './session/memory-session.ts';
export type { Session, SyncSession } from './session/session.ts';
export { consoleTraceProcessor, MemoryTraceProcessor } from './tracing/processors.ts';
export {
  startTrace,
  type Span,
  type SpanData,
  type Spanning,
  type SpanType,
  type Trace,
  type TraceData,
  type TraceOptions,
  type TraceProcessor,
} from './tracing/trace.ts';
