import type { SpanData, TraceData, TraceProcessor } from './trace.ts';

/** Keeps everything that has ended, for tests and for a look afterwards. */
export class MemoryTraceProcessor implements TraceProcessor {
  readonly traces: TraceData[] = [];
  /** In the order in which they ended: children before their parents. */
  readonly spans: SpanData[] = [];

  onSpanEnd(span: SpanData): void {
    this.spans.push(span);
  }

  onTraceEnd(trace: TraceData): void {
    this.traces.push(trace);
  }
}

/** Writes one line for each span that ends, and one for the trace. `write` default: `console.log`. */
export function consoleTraceProcessor(options: { write?: (line: string) => void } = {}): TraceProcessor {
  // oxlint-disable-next-line no-console -- It is what this processor is for.
  const { write = (line: string) => console.log(line) } = options;
  const depths = new Map<string, number>();
  return {
    onSpanStart({ spanId, parentId }) {
      depths.set(spanId, (depths.get(parentId ?? '') ?? 0) + 1);
    },
    onSpanEnd({ spanId, type, name, startMs, endMs, error }) {
      const failed = error ? ` failed: ${error.name}${error.message === null ? '' : `: ${error.message}`}` : '';
      const title = type === 'turn' ? name : `${type} ${name}`;
      write(`${'  '.repeat(depths.get(spanId) ?? 1)}${title} ${took(startMs, endMs)}${failed}`);
      depths.delete(spanId);
    },
    onTraceEnd({ traceId, workflowName, startMs, endMs }) {
      write(`trace ${workflowName} ${took(startMs, endMs)} ${traceId}`);
    },
  };
}

function took(startMs: number, endMs: number | null): string {
  return `${((endMs ?? startMs) - startMs).toFixed(1)} ms`;
}
