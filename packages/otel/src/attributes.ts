import type { Attributes } from '@opentelemetry/api';
import { isFields, type Fields, type SpanData, type TraceData } from '@polyrun/core';

/** The version of the semantic conventions for generative AI whose names this package writes: https://opentelemetry.io/docs/specs/semconv/gen-ai/ */
export const conventionsVersion = '1.41.0';

/** What the conventions call each thing. They are in development, so the names stand here and not in a dependency. */
const names = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  agent: 'gen_ai.agent.name',
  conversation: 'gen_ai.conversation.id',
  requestModel: 'gen_ai.request.model',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  finishReasons: 'gen_ai.response.finish_reasons',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheRead: 'gen_ai.usage.cache_read.input_tokens',
  cacheCreation: 'gen_ai.usage.cache_creation.input_tokens',
  reasoning: 'gen_ai.usage.reasoning.output_tokens',
  tool: 'gen_ai.tool.name',
  toolType: 'gen_ai.tool.type',
  callId: 'gen_ai.tool.call.id',
  arguments: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
  instructions: 'gen_ai.system_instructions',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  toolDefinitions: 'gen_ai.tool.definitions',
  tokenType: 'gen_ai.token.type',
  errorType: 'error.type',
} as const;
export { names as attributeNames };

/** Providers that the conventions name otherwise than their adapters do. */
const providers: { readonly [provider: string]: string } = {
  mistral: 'mistral_ai',
  azure: 'azure.ai.openai',
  gemini: 'gcp.gemini',
  xai: 'x_ai',
  bedrock: 'aws.bedrock',
};

/** What a span is called: `chat gpt-5`, `execute_tool weather`, `invoke_agent Triage`; kinds without a convention keep their own. */
export function spanName({ type, name }: SpanData): string {
  const operation = operationOf(type);
  if (operation !== undefined) return `${operation} ${name}`;
  return type === 'turn' ? name : `${type} ${name}`;
}

export function operationOf(type: SpanData['type']): string | undefined {
  const operations: { readonly [type: string]: string } = {
    agent: 'invoke_agent',
    model: 'chat',
    tool: 'execute_tool',
  };
  return operations[type];
}

/** What is known of a span when it begins. */
export function startAttributes(span: SpanData, { groupId, workflowName }: TraceData): Attributes {
  const { type, name, data } = span;
  const operation = operationOf(type);
  const common = {
    'polyrun.workflow.name': workflowName,
    ...(operation !== undefined && { [names.operation]: operation }),
    ...(groupId !== null && { [names.conversation]: groupId }),
  };
  switch (type) {
    case 'agent':
      return { ...common, [names.agent]: name };
    case 'model':
      return { ...common, [names.provider]: providerOf(data), [names.requestModel]: name, ...requestContent(data) };
    case 'tool':
      return {
        ...common,
        [names.tool]: name,
        [names.toolType]: 'function',
        ...text(names.callId, data['callId']),
        ...text(names.arguments, data['arguments']),
      };
    default:
      return { ...common, ...own(data) };
  }
}

/** What is known once it has ended. */
export function endAttributes({ type, data, error }: SpanData): Attributes {
  const failed = error === null ? {} : { [names.errorType]: error.name };
  switch (type) {
    case 'agent':
      return failed;
    case 'model': {
      const stop = data['stop'];
      return {
        ...failed,
        ...text(names.responseModel, data['responseModel']),
        ...text(names.responseId, data['responseId']),
        ...(typeof stop === 'string' && { [names.finishReasons]: [stop] }),
        ...tokens(data),
        ...text(names.outputMessages, data['output']),
      };
    }
    case 'tool':
      return {
        ...(data['isError'] === true && { [names.errorType]: 'tool_error' }),
        ...failed,
        ...text(names.result, data['output']),
      };
    default:
      return { ...own(data), ...failed };
  }
}

export function providerOf(data: SpanData['data']): string {
  const { provider } = data;
  return typeof provider === 'string' ? (providers[provider] ?? provider) : '_OTHER';
}

/** Tokens of a model span; inputs include cached ones, as the conventions want it. */
export function usageIn(data: SpanData['data']): Fields | undefined {
  return isFields(data['usage']) ? data['usage'] : undefined;
}

function tokens(data: SpanData['data']): Attributes {
  const usage = usageIn(data);
  if (usage === undefined) return {};
  const { inputTokensDetails: input, outputTokensDetails: output } = usage;
  return {
    ...count(names.inputTokens, usage['inputTokens']),
    ...count(names.outputTokens, usage['outputTokens']),
    ...(isFields(input) && {
      ...count(names.cacheRead, input['cachedTokens']),
      ...count(names.cacheCreation, input['cacheWriteTokens']),
    }),
    ...(isFields(output) && count(names.reasoning, output['reasoningTokens'])),
  };
}

function requestContent(data: SpanData['data']): Attributes {
  return {
    ...text(names.instructions, data['instructions']),
    ...text(names.inputMessages, data['input']),
    ...text(names.toolDefinitions, data['tools']),
  };
}

/** What no convention names goes under our own prefix. */
function own(data: SpanData['data']): Attributes {
  return Object.assign({}, ...Object.entries(data).map(([key, value]) => text(`polyrun.${key}`, value)));
}

/** A value as an attribute: primitives as they are, everything else as JSON text. */
function text(name: string, value: unknown): Attributes {
  if (value === undefined || value === null) return {};
  const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return { [name]: simple ? value : JSON.stringify(value) };
}

function count(name: string, value: unknown): Attributes {
  return typeof value === 'number' && value > 0 ? { [name]: value } : {};
}
