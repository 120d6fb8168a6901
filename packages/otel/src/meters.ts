import { ValueType, type Attributes, type Context, type Meter } from '@opentelemetry/api';
import type { SpanData } from '@polyrun/core';
import { attributeNames as names, operationOf, providerOf, usageIn } from './attributes.ts';

/** Records what a span that has ended tells: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/ */
export function meters(meter: Meter): (span: SpanData, within: Context) => void {
  const duration = meter.createHistogram('gen_ai.client.operation.duration', {
    description: 'How long an operation took.',
    unit: 's',
    valueType: ValueType.DOUBLE,
    advice: { explicitBucketBoundaries: powers(0.01, 2, 14) },
  });
  const usage = meter.createHistogram('gen_ai.client.token.usage', {
    description: 'Tokens that an operation took in and gave out.',
    unit: '{token}',
    valueType: ValueType.INT,
    advice: { explicitBucketBoundaries: powers(1, 4, 14) },
  });
  return (span, within) => {
    const operation = operationOf(span.type);
    if (operation === undefined || span.endMs === null) return;
    const { error, data } = span;
    const attributes = { [names.operation]: operation, ...subject(span) };
    const failed: Attributes = error === null ? {} : { [names.errorType]: error.name };
    duration.record((span.endMs - span.startMs) / 1000, { ...attributes, ...failed }, within);
    for (const [type, count] of Object.entries(tokens(data)))
      usage.record(count, { ...attributes, [names.tokenType]: type }, within);
  };
}

/** What an operation was done with: never an id, so that there are few combinations. */
function subject({ type, name, data }: SpanData): Attributes {
  if (type === 'tool') return { [names.tool]: name };
  if (type === 'agent') return { [names.agent]: name };
  const model = data['responseModel'];
  const response = typeof model === 'string' ? { [names.responseModel]: model } : {};
  return { [names.provider]: providerOf(data), [names.requestModel]: name, ...response };
}

function tokens(data: SpanData['data']): { [type: string]: number } {
  const usage = usageIn(data);
  const { inputTokens: input, outputTokens: output } = usage ?? {};
  return { ...(typeof input === 'number' && { input }), ...(typeof output === 'number' && { output }) };
}

function powers(first: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first * factor ** index);
}
