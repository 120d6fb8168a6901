import { isFields, parseJson, type SpanData, type TraceData } from '@polyrun/core';

/** One trace of a file: `trace` is missing while it goes on, or when the process died first. */
export type StoredTrace = {
  readonly traceId: string;
  readonly trace?: TraceData;
  /** In the order in which they began. */
  readonly spans: readonly SpanData[];
};

/**
 * Reads the traces of a file as `FileTraceProcessor` of `@polyrun/node` writes it: one JSON object a line, `{ "span": … }` or `{ "trace": … }`.
 * A last line that was cut off is left out; any other line that is neither is an error that names it.
 */
export function readTraces(text: string): StoredTrace[] {
  const traces = new Map<string, { trace?: TraceData; spans: SpanData[] }>();
  const at = (traceId: string) => {
    const known = traces.get(traceId) ?? { spans: [] };
    traces.set(traceId, known);
    return known;
  };
  const lines = text.split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const entry: unknown = parseJson(line);
    if (isFields(entry) && isSpan(entry['span'])) at(entry['span'].traceId).spans.push(entry['span']);
    else if (isFields(entry) && isTrace(entry['trace'])) at(entry['trace'].traceId).trace = entry['trace'];
    else if (index < lines.length - 1) throw new SyntaxError(`line ${index + 1} holds neither a span nor a trace.`);
  }
  return [...traces].map(([traceId, { trace, spans }]) => ({
    traceId,
    ...(trace && { trace }),
    spans: spans.toSorted((a, b) => a.startMs - b.startMs),
  }));
}

function isSpan(value: unknown): value is SpanData {
  return isFields(value) && typeof value['traceId'] === 'string' && typeof value['spanId'] === 'string';
}

function isTrace(value: unknown): value is TraceData {
  return isFields(value) && typeof value['traceId'] === 'string' && typeof value['workflowName'] === 'string';
}
