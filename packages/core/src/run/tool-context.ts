import type { AnyAgent } from '../agent/agent.ts';
import type { ToolContext } from '../agent/context.ts';
import { Control } from '../loop/drive.ts';
import type { Json } from '../protocol/json.ts';
import type { Usage } from '../protocol/usage.ts';
import { spanning, type Spanning } from '../tracing/trace.ts';
import type { Work } from './work.ts';

/** The context of one tool call. Its signal is only made when the tool asks for it. */
export class CallContext implements ToolContext<never> {
  readonly context: never;
  readonly agent: AnyAgent;
  readonly #work: Work<'run_tool'>;
  readonly #usage: { readonly usage: Usage };
  #control: Control | undefined;

  constructor(work: Work<'run_tool'>, agent: AnyAgent) {
    const runContext = work.scope.contextOf(agent);
    this.context = runContext.context;
    this.agent = agent;
    this.#work = work;
    this.#usage = runContext;
  }

  get usage(): Usage {
    return this.#usage.usage;
  }

  get toolName(): string {
    return this.#work.effect.call.name;
  }

  get callId(): string {
    return this.#work.effect.call.callId;
  }

  get idempotencyKey(): string {
    return this.#work.run.idempotencyKey(callKey(this.#work.effect.id));
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  withSpan<T>(name: string, work: (inner: Spanning) => T, data?: { readonly [key: string]: Json }): T {
    const { run, control } = this.#work;
    return spanning(run.spans?.trace, control.span ?? null).withSpan(name, work, data);
  }

  abort(reason: unknown): void {
    this.#own.abort(reason);
  }

  get #own(): Control {
    return (this.#control ??= new Control(this.#work.control));
  }
}

/** The same key for a call before and after its approval. */
function callKey(effectId: string): string {
  return effectId.replace(/\/(decided|ended)$/, '');
}
