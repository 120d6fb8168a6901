import { misfit, refuseOthers, UserError } from '../errors.ts';
import type { HostedToolSpec } from '../protocol/request.ts';
import type { HostedKind, ProviderItem } from '../protocol/items.ts';
import { parseJson, type Json } from '../protocol/json.ts';
import type { AnyAgent } from './agent.ts';
import type { NestedRun } from './agent-tool.ts';
import type { RunContext, ToolContext } from './context.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { ToolGuardrail } from './guardrails.ts';
import { compileSchema, requireObject } from './schema/compile.ts';
import { bindArguments } from './schema/parse-arguments.ts';
import type { Schema } from './schema/standard-schema.ts';

/** Whether a tool or handoff is offered; a function is asked at each turn. Default true. */
export type IsEnabled<C> = boolean | ((at: { runContext: RunContext<C>; agent: AnyAgent }) => MaybePromise<boolean>);

export type ToolOptions<C, A> = {
  name: string;
  description: string;
  /** Any Standard Schema, or a JSON Schema; it must describe an object. */
  parameters: Schema<A>;
  execute: (args: A, context: ToolContext<C>) => MaybePromise<unknown>;
  /** Whether the model is held to the schema exactly, where its provider can. Default true. */
  strict?: boolean | undefined;
  /** Default: the run config's, else 5 minutes. */
  timeoutMs?: number | undefined;
  /** What a timeout becomes: an error output that the model sees (default), or a failed run. */
  timeoutBehavior?: 'error_as_result' | 'raise' | undefined;
  /** Words an error for the model (also for invalid arguments); null: the run fails with ToolCallError. */
  errorFunction?: null | ((at: { error: unknown; context: ToolContext<C> }) => MaybePromise<string>) | undefined;
  isEnabled?: IsEnabled<C> | undefined;
  /** Whether a person must approve a call before it runs. Default false. */
  needsApproval?:
    | boolean
    | ((at: { runContext: RunContext<C>; arguments: A; callId: string }) => MaybePromise<boolean>)
    | undefined;
  inputGuardrails?: readonly ToolGuardrail<C>[] | undefined;
  outputGuardrails?: readonly ToolGuardrail<C>[] | undefined;
};

/** A call whose arguments have passed the schema. */
export type BoundCall<in C> = {
  needsApproval(at: { runContext: RunContext<C>; callId: string }): MaybePromise<boolean>;
  execute(context: ToolContext<C>): MaybePromise<unknown>;
};
export type ToolBinding<C> = { call: BoundCall<C>; problem?: undefined } | { call?: undefined; problem: string };

/** A function that a model may call. Made by `tool`, `clientTool` or `agent.asTool`. */
export type Tool<in C = unknown> = {
  readonly type: 'function';
  readonly name: string;
  readonly description: string;
  readonly execute: (args: never, context: ToolContext<C>) => MaybePromise<unknown>;
  /** The JSON Schema of the arguments, as models are shown it. */
  readonly parameters: Json;
  readonly strict: boolean;
  readonly timeoutMs?: number | undefined;
  readonly timeoutBehavior: 'error_as_result' | 'raise';
  readonly errorFunction?:
    | null
    | ((at: { error: unknown; context: ToolContext<C> }) => MaybePromise<string>)
    | undefined;
  readonly isEnabled: IsEnabled<C>;
  readonly inputGuardrails: readonly ToolGuardrail<C>[];
  readonly outputGuardrails: readonly ToolGuardrail<C>[];
  /** Reads the arguments of a call and ties them to this tool. `problem` words for the model what does not fit. */
  readonly bind: (text: string) => MaybePromise<ToolBinding<C>>;
  /** Set by `agent.asTool`: the call is a run of its own inside the run. */
  readonly nested?: NestedRun<C>;
  /** Set by `clientTool`: what the provider is told, and the kind of item that answers its calls. */
  readonly client?: { readonly spec: HostedToolSpec; readonly answers: HostedKind };
};

/** Tools that are known only at run time (an MCP server, a registry); asked at each turn, so it caches for itself and keeps a stable order. */
export type ToolSource<C = unknown> = {
  readonly type: 'tool_source';
  readonly name: string;
  listTools(at: { runContext: RunContext<C>; agent: AnyAgent; signal: AbortSignal }): MaybePromise<readonly Tool<C>[]>;
};

/**
 * Makes a tool from a function. Arguments are validated by `parameters` before `execute` is called; what it returns is given to the
 * model (a string as it is, content parts as media, anything else as JSON). Throws `UserError` for a schema that is not an object's.
 */
export function tool<C = unknown, A = unknown>(options: ToolOptions<C, A>): Tool<C> {
  const {
    parameters,
    strict = true,
    timeoutBehavior = 'error_as_result',
    isEnabled = true,
    needsApproval: _asked,
    inputGuardrails = [],
    outputGuardrails = [],
    ...rest
  } = options;
  checkToolOptions(rest);
  const schema = requireObject(compileSchema(parameters, `Tool '${rest.name}' parameters`));
  const bound = (value: A): ToolBinding<C> => ({ call: new Bound(options, value) });
  return {
    type: 'function',
    ...rest,
    parameters: schema.json,
    strict,
    timeoutBehavior,
    isEnabled,
    inputGuardrails,
    outputGuardrails,
    bind: (text) => bindArguments(schema, text, bound),
  };
}

/** A call of a tool: what is to be asked and done, tied to the arguments. */
class Bound<C, A> implements BoundCall<C> {
  readonly #options: Pick<ToolOptions<C, A>, 'execute' | 'needsApproval'>;
  readonly #value: A;

  constructor(options: Pick<ToolOptions<C, A>, 'execute' | 'needsApproval'>, value: A) {
    this.#options = options;
    this.#value = value;
  }

  needsApproval(at: { runContext: RunContext<C>; callId: string }): MaybePromise<boolean> {
    const { needsApproval = false } = this.#options;
    return typeof needsApproval === 'function' ? needsApproval({ ...at, arguments: this.#value }) : needsApproval;
  }

  execute(context: ToolContext<C>): MaybePromise<unknown> {
    return this.#options.execute(this.#value, context);
  }
}

/** Tells a function tool from what else an agent's `tools` may hold. */
export function isTool<C>(entry: Tool<C> | HostedToolSpec | ToolSource<C>): entry is Tool<C> {
  return entry?.type === 'function' && 'execute' in entry;
}

/** Tells a source of tools from what else an agent's `tools` may hold. */
export function isToolSource<C>(entry: Tool<C> | HostedToolSpec | ToolSource<C>): entry is ToolSource<C> {
  return entry?.type === 'tool_source';
}

/** A tool that the provider defines and the client must answer (computer, local shell, custom tool): `execute` returns the output item. */
export function clientTool<C = unknown>(options: {
  spec: HostedToolSpec;
  answers: HostedKind;
  execute: (call: ProviderItem, context: ToolContext<C>) => MaybePromise<ProviderItem>;
  needsApproval?: boolean | undefined;
}): Tool<C> {
  const { spec, answers, execute, needsApproval = false } = options;
  const given = spec['name'] ?? spec['server_label'];
  const name = typeof given === 'string' ? given : spec.type;
  return {
    ...tool<C>({
      name,
      description: `Answers ${spec.type}.`,
      parameters: { type: 'object' },
      execute: () => undefined,
    }),
    execute,
    bind: (text) => ({
      call: { needsApproval: () => needsApproval, execute: (context) => execute(callItem(text, name), context) },
    }),
    client: { spec, answers },
  };
}

function callItem(text: string, name: string): ProviderItem {
  const item = parseJson(text);
  if (isCallItem(item)) return item;
  throw new UserError(`Client tool '${name}': expected the provider's call item, got ${text.slice(0, 80)}.`);
}

function isCallItem(value: unknown): value is ProviderItem {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** `rest` may hold options that there are none of: a misspelt `needsApproval` must not pass for none. */
function checkToolOptions(rest: {
  name: unknown;
  description: unknown;
  execute: unknown;
  timeoutMs?: unknown;
  errorFunction?: unknown;
}): void {
  const { name, description, execute, timeoutMs: _timeout, errorFunction: _words, ...others } = rest;
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,64}$/.test(name))
    throw new UserError(`Tool name: expected 1 to 64 of [a-zA-Z0-9_-], got '${String(name)}'.`);
  if (typeof description !== 'string') throw misfit(`Tool '${name}' description`, 'a string', description);
  if (typeof execute !== 'function') throw misfit(`Tool '${name}' execute`, 'a function', execute);
  refuseOthers(`Tool '${name}'`, others);
}
