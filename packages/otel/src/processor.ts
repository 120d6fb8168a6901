import {
  context,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type MeterProvider,
  type Span,
  type TracerProvider,
} from '@opentelemetry/api';
import type { SpanData, TraceData, TraceProcessor } from '@polyrun/core';
import { endAttributes, spanName, startAttributes } from './attributes.ts';
import { meters } from './meters.ts';

export type OpenTelemetryOptions = {
  /** Default: the global one. */
  tracerProvider?: TracerProvider;
  /** Default: the global one. */
  meterProvider?: MeterProvider;
};

type Open = { readonly trace: TraceData; readonly root: Context };

/**
 * A trace processor that makes OpenTelemetry spans and metrics of runs. Spans hang below the span that is active when the run starts, and
 * each is the active one for what runs inside it, so that the spans of HTTP clients and databases in tools hang below their call.
 */
export function openTelemetry({ tracerProvider, meterProvider }: OpenTelemetryOptions = {}): TraceProcessor {
  const tracer = (tracerProvider ?? trace).getTracer('@polyrun/otel');
  const measure = meters((meterProvider ?? metrics).getMeter('@polyrun/otel'));
  const traces = new Map<string, Open>();
  const spans = new Map<string, { readonly span: Span; readonly within: Context }>();

  return {
    onTraceStart(began) {
      traces.set(began.traceId, { trace: began, root: context.active() });
    },
    onSpanStart(began) {
      const open = traces.get(began.traceId);
      if (open === undefined) return;
      const parent = began.parentId === null ? open.root : (spans.get(began.parentId)?.within ?? open.root);
      const kind = began.type === 'model' ? SpanKind.CLIENT : SpanKind.INTERNAL;
      const attributes = startAttributes(began, open.trace);
      const span = tracer.startSpan(spanName(began), { kind, startTime: began.startMs, attributes }, parent);
      spans.set(began.spanId, { span, within: trace.setSpan(parent, span) });
    },
    onSpanEnd(ended) {
      const open = spans.get(ended.spanId);
      if (open === undefined) return;
      spans.delete(ended.spanId);
      finish(open.span, ended);
      measure(ended, open.within);
    },
    onTraceEnd({ traceId }) {
      traces.delete(traceId);
    },
    within({ spanId }, work) {
      const open = spans.get(spanId);
      return open === undefined ? work() : context.with(open.within, work);
    },
  };
}

function finish(span: Span, ended: SpanData): void {
  const { error, endMs, data } = ended;
  span.setAttributes(endAttributes(ended));
  if (error !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message ?? error.name });
  else if (data['isError'] === true) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs ?? undefined);
}
