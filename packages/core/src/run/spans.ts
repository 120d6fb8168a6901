import { UserError } from '../errors.ts';
import type { Control, Perform } from '../loop/drive.ts';
import type { Effect } from '../loop/effects.ts';
import type { Outcome } from '../loop/outcome.ts';
import { toJson, type Json } from '../protocol/json.ts';
import { startTrace, type Span, type SpanType, type Trace } from '../tracing/trace.ts';
import { failureIn } from './failure.ts';
import type { Run } from './run.ts';

/** The agent whose turn it is in one run, or in a run inside it, and that turn. */
type Frame = { agent: Span; readonly name: string; turn?: Span; readonly parentId: string | null; count: number };
type Data = { readonly [key: string]: Json };
const workflow = 'Agent workflow';

/** The spans of a run that is traced; `undefined` for one that is not, which then pays nothing. */
export function spansOf(run: Run): Spans | undefined {
  const { trace, runConfig = {} } = run.options;
  const { tracingDisabled, traceProcessors: processors = [], workflowName = workflow } = runConfig;
  if (tracingDisabled === true || (trace === undefined && processors.length === 0)) return undefined;
  if (trace !== undefined && typeof trace.startSpan !== 'function')
    throw new UserError('trace: expected what startTrace() gives.');
  const { traceId, groupId, traceMetadata: metadata } = runConfig;
  return new Spans(run, trace ?? startTrace({ workflowName, traceId, groupId, metadata, processors }));
}

/**
 * Derives spans from effects and their outcomes. A span's parent follows from where its effect stands in the run, so that it is
 * exact whatever goes on at the same time.
 */
export class Spans {
  readonly trace: Trace;
  readonly #run: Run;
  readonly #frames = new Map<string, Frame>();
  /** The calls that are agents at work, by their path. */
  readonly #calls = new Map<string, Span>();

  constructor(run: Run, trace: Trace) {
    this.#run = run;
    this.trace = trace;
  }

  /** Performs effects each under its span. */
  traced(perform: Perform): Perform {
    return (effect, control) => {
      const span = this.#begin(effect, control);
      const outcome = span === undefined ? perform(effect, control) : span.within(() => perform(effect, control));
      if (!(outcome instanceof Promise)) return this.#ended(effect, span, outcome);
      return outcome.then((settled) => this.#ended(effect, span, settled));
    };
  }

  /** A part of an effect, such as one guardrail: ended by what it gives back. */
  part(control: Control, type: SpanType, name: string): Span {
    return this.#open(type, name, { parentId: control.span ?? null });
  }

  /** Content of the conversation, where it is asked for. */
  content(data: object): Data {
    return this.#showsContent ? plain(data) : {};
  }

  get #showsContent(): boolean {
    return this.#run.options.runConfig?.traceIncludeSensitiveData === true;
  }

  /** Ends what is still open, and the trace unless others share it. */
  end(): void {
    const failure = failureIn(this.#run.state);
    const error = failure && this.#run.errorOf(failure);
    for (const call of this.#calls.values()) call.end({ error });
    for (const frame of [...this.#frames.values()].reverse()) this.#close(frame, error);
    if (this.#run.options.trace === undefined) this.trace.end();
  }

  #begin(effect: Effect, control: Control): Span | undefined {
    if (effect.type === 'start' || effect.type === 'save') return undefined;
    const { agent, turn = agent } = this.#frameOf(effect);
    const span = this.#spanOf(effect, turn.spanId);
    control.span = (span ?? turn).spanId;
    return span;
  }

  #spanOf(effect: Effect, parentId: string): Span | undefined {
    const { agent, path, state } = effect;
    switch (effect.type) {
      case 'call_model': {
        const scope = this.#run.scopeAt(path);
        const { name, provider } = scope.modelOf(scope.agent(agent));
        const { request, input } = effect.plan;
        const shown = this.content({ ...request, input: input ?? state.log.items.items });
        return this.#open('model', name, { parentId, data: { provider, ...shown } });
      }
      case 'run_tool': {
        const { callId, name, arguments: text } = effect.call;
        const data = { callId, ...this.content({ arguments: text }) };
        return this.#calls.get(callPath(effect)) ?? this.#open('tool', name, { parentId, data });
      }
      case 'hand_off': {
        const { step } = state;
        const to = step.type === 'hand_off' && step.call.route.type === 'handoff' ? step.call.route.to : '';
        return this.#open('handoff', to, { parentId, data: { from: agent, to } });
      }
      default:
        return undefined;
    }
  }

  #ended(effect: Effect, span: Span | undefined, outcome: Outcome): Outcome {
    if (outcome.type === 'tool_nested' && span) this.#calls.set(callPath(effect), span);
    else span?.end(this.#told(outcome));
    if (effect.type === 'run_tool' && effect.ended !== null) this.#leave(callPath(effect));
    return outcome;
  }

  #told(outcome: Outcome): { data?: Data; error?: unknown; includeMessage?: boolean } {
    switch (outcome.type) {
      case 'responded': {
        const { model, stop, id = null, output } = outcome.responses.at(-1) ?? {};
        const facts = { responseModel: model, stop: stop?.type, responseId: id, usage: outcome.usage };
        return { data: { ...plain(facts), ...this.content({ output }) } };
      }
      case 'tool_settled':
        return { data: { isError: outcome.isError, ...this.content({ output: outcome.value }) } };
      case 'tool_waiting':
        return { data: { waitsForApproval: true } };
      case 'failed':
        return { error: this.#run.errorOf(outcome.failure), includeMessage: this.#showsContent };
      case 'aborted':
        return { data: { aborted: true } };
      default:
        return {};
    }
  }

  /** The frame in which an effect stands, its agent and turn being those of the effect. */
  #frameOf(effect: Effect): Frame {
    const key = effect.path.join('/');
    let frame = this.#frames.get(key);
    if (frame?.name !== effect.agent) {
      if (frame) this.#close(frame);
      const parentId = frame ? frame.parentId : this.#parentOf(effect.path);
      frame = { agent: this.#open('agent', effect.agent, { parentId }), name: effect.agent, parentId, count: 0 };
      this.#frames.set(key, frame);
    }
    const { type, turn } = effect;
    if (type !== 'check_input' && type !== 'finish' && frame.count !== turn) {
      frame.turn?.end();
      frame.count = turn;
      frame.turn = this.#open('turn', `turn ${turn}`, { parentId: frame.agent.spanId, data: { turn } });
    }
    return frame;
  }

  /** A run inside a run stands below the call that it is; after a resume that call's own span is over. */
  #parentOf(path: readonly string[]): string | null {
    if (path.length === 0) return null;
    const outer = this.#frames.get(path.slice(0, -1).join('/'));
    return (this.#calls.get(path.join('/')) ?? outer?.turn ?? outer?.agent)?.spanId ?? null;
  }

  #leave(path: string): void {
    const frame = this.#frames.get(path);
    if (frame) this.#close(frame);
    this.#frames.delete(path);
    this.#calls.delete(path);
  }

  #close({ agent, turn }: Frame, error?: unknown): void {
    turn?.end({ error });
    agent.end({ error });
  }

  #open(type: SpanType, name: string, at: { parentId: string | null; data?: Data }): Span {
    return this.trace.startSpan({ type, name, ...at });
  }
}

function callPath(effect: Effect): string {
  return effect.type === 'run_tool' ? [...effect.path, effect.call.callId].join('/') : '';
}

function plain(facts: object): Data {
  return Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, toJson(value)]));
}
