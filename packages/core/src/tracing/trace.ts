import { AgentsError, UserError } from '../errors.ts';
import type { Json } from '../protocol/json.ts';

type Data = { readonly [key: string]: Json };
export type SpanType = 'agent' | 'turn' | 'model' | 'tool' | 'handoff' | 'guardrail' | 'mcp_tools' | 'custom';

/** A trace as processors see it. Times are milliseconds since 1970, with fractions; `endMs` is null until it ends. */
export type TraceData = {
  readonly traceId: string;
  readonly workflowName: string;
  readonly groupId: string | null;
  readonly metadata: Data;
  readonly startMs: number;
  readonly endMs: number | null;
};
/** A span as processors see it, at its start and, with `endMs`, all of `data` and perhaps `error`, at its end. `parentId` null: right below the trace. */
export type SpanData = {
  readonly spanId: string;
  readonly traceId: string;
  readonly parentId: string | null;
  readonly type: SpanType;
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly data: Data;
  /** `message` is null where it might hold what a trace may not show. */
  readonly error: { readonly name: string; readonly message: string | null } | null;
};

/** Receives traces and spans, in the order in which they begin and end. One that throws is warned of and does not disturb the run. */
export interface TraceProcessor {
  onTraceStart?(trace: TraceData): void;
  onSpanStart?(span: SpanData): void;
  onSpanEnd?(span: SpanData): void;
  onTraceEnd?(trace: TraceData): void;
  /** Runs the work of a span, which begins and may end inside: here a processor makes the span the active one of another system. */
  within?<T>(span: SpanData, work: () => T): T;
  /** Resolves once everything received has been delivered. Never called by a run. */
  flush?(): Promise<void>;
}

/** A trace that goes on until `end`: several runs may share it (option `trace`), and spans may be added by hand. */
export type Trace = {
  readonly traceId: string;
  readonly workflowName: string;
  readonly groupId?: string;
  /** Begins a span; `parentId` default: right below the trace. */
  startSpan(options: { name: string; type?: SpanType; parentId?: string | null; data?: Data }): Span;
  /** Ends it for its processors; once. */
  end(): void;
};
/** A span that has begun. */
export type Span = {
  readonly spanId: string;
  /** Ends it, once, with more data, and what went wrong. */
  end(outcome?: { data?: Data; error?: unknown; includeMessage?: boolean }): void;
  /** Runs work as this span's: see `TraceProcessor.within`. */
  within<T>(work: () => T): T;
};
export type TraceOptions = {
  workflowName: string;
  /** Default: `trace_` and 32 hexadecimal digits. */
  traceId?: string | undefined;
  /** What traces of one conversation have in common. */
  groupId?: string | undefined;
  metadata?: Data | undefined;
  processors?: readonly TraceProcessor[] | undefined;
};

/** Begins a trace. Nothing leaves the process but through `processors`. */
export function startTrace({ workflowName, traceId, groupId, metadata = {}, processors = [] }: TraceOptions): Trace {
  for (const [field, value] of Object.entries({ workflowName, traceId, groupId })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw new UserError(`${field}: expected a text that is not empty.`);
  }
  const id = traceId ?? `trace_${hex(32)}`;
  const began = { traceId: id, workflowName, groupId: groupId ?? null, metadata, startMs: now(), endMs: null };
  let ended = false;
  tell(processors, (processor) => processor.onTraceStart?.(began));
  return {
    traceId: id,
    workflowName,
    ...(groupId !== undefined && { groupId }),
    startSpan: ({ name, type = 'custom', parentId = null, data = {} }) =>
      openSpan(processors, {
        spanId: `span_${hex(16)}`,
        traceId: id,
        parentId,
        type,
        name,
        startMs: now(),
        endMs: null,
        data,
        error: null,
      }),
    end() {
      if (ended) return;
      ended = true;
      tell(processors, (processor) => processor.onTraceEnd?.({ ...began, endMs: now() }));
    },
  };
}

/** What custom spans are made with: the work is told of the same for spans inside its own. */
export type Spanning = {
  /** Runs the work under a span of its own, until what it gives has settled. Without tracing it just runs. */
  withSpan<T>(name: string, work: (inner: Spanning) => T, data?: Data): T;
};

/** Custom spans below `parentId`. */
export function spanning(trace: Trace | undefined, parentId: string | null): Spanning {
  return {
    withSpan(name, work, data) {
      const span = trace?.startSpan({ name, parentId, ...(data && { data }) });
      if (span === undefined) return work(this);
      try {
        const value = span.within(() => work(spanning(trace, span.spanId)));
        const failed = (error: unknown) => span.end({ error });
        if (value instanceof Promise) value.then(() => span.end(), failed);
        else span.end();
        return value;
      } catch (error) {
        span.end({ error });
        throw error;
      }
    },
  };
}

function openSpan(processors: readonly TraceProcessor[], began: SpanData): Span {
  let ended = false;
  tell(processors, (processor) => processor.onSpanStart?.(began));
  return {
    spanId: began.spanId,
    end({ data, error, includeMessage = false } = {}) {
      if (ended) return;
      ended = true;
      const span: SpanData = {
        ...began,
        endMs: now(),
        data: { ...began.data, ...data },
        error: error === undefined ? null : described(error, includeMessage),
      };
      tell(processors, (processor) => processor.onSpanEnd?.(span));
    },
    within<T>(work: () => T): T {
      const run = (index: number): T => {
        const processor = processors[index];
        if (processor === undefined) return work();
        return processor.within ? processor.within(began, () => run(index + 1)) : run(index + 1);
      };
      return run(0);
    },
  };
}

/** Our own errors hold no keys, prompts or tool data; what others hold nobody knows. */
function described(error: unknown, includeMessage: boolean): SpanData['error'] {
  if (!(error instanceof Error)) return { name: 'Error', message: includeMessage ? String(error) : null };
  return { name: error.name, message: includeMessage || error instanceof AgentsError ? error.message : null };
}

function tell(processors: readonly TraceProcessor[], what: (processor: TraceProcessor) => void): void {
  for (const processor of processors) {
    try {
      what(processor);
    } catch (error) {
      // oxlint-disable-next-line no-console -- A trace must neither end a run nor vanish in silence.
      console.warn('Polyrun: a trace processor threw.', error);
    }
  }
}

function hex(length: number): string {
  return crypto.randomUUID().replaceAll('-', '').slice(0, length);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}
