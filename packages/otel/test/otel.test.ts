import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { TracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { Agent, ModelError, Runner, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTelemetry } from '../src/index.ts';

type Value = { stringValue?: string; intValue?: number; arrayValue?: { values: Value[] } };
type Sent = {
  name: string;
  spanId: string;
  startTimeUnixNano: string;
  parentSpanId?: string;
  traceId: string;
  kind: number;
  status: { code?: number; message?: string };
  attributes: { key: string; value: Value }[];
};

/** A collector on the loopback interface that keeps what it is sent. */
class Collector {
  readonly spans: Sent[] = [];
  readonly metrics: {
    name: string;
    histogram: { dataPoints: { count: number; sum: number; attributes: Sent['attributes'] }[] };
  }[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => {
        const body = JSON.parse(text) as {
          resourceSpans?: { scopeSpans: { spans: Sent[] }[] }[];
          resourceMetrics?: { scopeMetrics: { metrics: Collector['metrics'] }[] }[];
        };
        for (const { scopeSpans } of body.resourceSpans ?? [])
          for (const { spans } of scopeSpans) this.spans.push(...spans);
        for (const { scopeMetrics } of body.resourceMetrics ?? [])
          for (const { metrics } of scopeMetrics) this.metrics.push(...metrics);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((done) => void this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The first that began: each comes in a request of its own, and these may overtake each other. */
  named(name: string): Sent {
    const [found] = this.spans
      .filter((span) => span.name === name)
      .toSorted((a, b) => Number(BigInt(a.startTimeUnixNano) - BigInt(b.startTimeUnixNano)));
    if (!found) throw new Error(`no span ${name} among ${this.spans.map((span) => span.name).join(', ')}`);
    return found;
  }
}

function attributes({ attributes }: { attributes: Sent['attributes'] }): { [name: string]: unknown } {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

function plain(value: Value): unknown {
  if (value.arrayValue) return value.arrayValue.values.map(plain);
  return value.stringValue ?? value.intValue ?? Object.values(value)[0];
}

describe('a run, told to OpenTelemetry', () => {
  const collector = { now: new Collector() };
  let tracerProvider: TracerProvider;
  let meterProvider: MeterProvider;

  beforeEach(async () => {
    collector.now = new Collector();
    const url = await collector.now.open();
    tracerProvider = new TracerProvider({
      spanProcessors: [new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${url}/v1/traces` }) })],
    });
    meterProvider = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter({ url: `${url}/v1/metrics` }) })],
    });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  });

  afterEach(async () => {
    await tracerProvider.shutdown();
    await meterProvider.shutdown();
    context.disable();
    propagation.disable();
    collector.now.close();
  });

  async function flushed(): Promise<Collector> {
    await tracerProvider.forceFlush();
    await meterProvider.forceFlush();
    return collector.now;
  }

  test('spans have the names and attributes of the conventions, each below what caused it', async () => {
    const lookup = tool({
      name: 'lookup',
      description: 'd',
      parameters: { type: 'object', properties: { city: { type: 'string' } } },
      execute: async () => {
        await Promise.resolve();
        // What a database client inside a tool does.
        tracerProvider.getTracer('db').startSpan('SELECT').end();
        return 'Sunny.';
      },
    });
    const agent = new Agent({
      name: 'Weather',
      model: new ScriptedModel([[call('lookup', { city: 'Oslo' })], 'It is sunny.'], {
        provider: 'mistral',
        name: 'small',
      }),
      tools: [lookup],
      inputGuardrails: [{ name: 'polite', execute: () => ({ tripwireTriggered: false }) }],
    });
    const outside = tracerProvider.getTracer('http').startSpan('POST /chat');
    await context.with(trace.setSpan(context.active(), outside), () =>
      Runner.run(agent, 'Weather in Oslo?', {
        runConfig: { traceProcessors: [openTelemetry({ tracerProvider, meterProvider })], groupId: 'chat-1' },
      }),
    );
    outside.end();

    const sent = await flushed();
    const above = (name: string) => sent.spans.find(({ spanId }) => spanId === sent.named(name).parentSpanId)?.name;
    expect(above('invoke_agent Weather')).toBe('POST /chat');
    expect(above('turn 1')).toBe('invoke_agent Weather');
    expect(above('guardrail polite')).toBe('invoke_agent Weather');
    expect(above('chat small')).toBe('turn 1');
    expect(above('execute_tool lookup')).toBe('turn 1');
    expect(above('SELECT')).toBe('execute_tool lookup');
    expect(new Set(sent.spans.map(({ traceId }) => traceId)).size).toBe(1);
    expect(attributes(sent.named('chat small'))).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'mistral_ai',
      'gen_ai.request.model': 'small',
      'gen_ai.response.finish_reasons': ['tool_calls'],
      'gen_ai.conversation.id': 'chat-1',
    });
    expect(sent.named('chat small').kind).toBe(3);
    const call_ = attributes(sent.named('execute_tool lookup'));
    expect(call_).toMatchObject({ 'gen_ai.tool.name': 'lookup', 'gen_ai.tool.type': 'function' });
    expect(call_).not.toHaveProperty('gen_ai.tool.call.arguments');
    expect(JSON.stringify(sent.spans)).not.toContain('Oslo');
  });

  test('content is told when it is asked for', async () => {
    const agent = new Agent({
      name: 'A',
      instructions: 'Be brief.',
      model: new ScriptedModel(['Hello.'], { name: 'm' }),
    });
    const traceProcessors = [openTelemetry({ tracerProvider, meterProvider })];
    await Runner.run(agent, 'Hi', { runConfig: { traceProcessors, traceIncludeSensitiveData: true } });
    const told = attributes((await flushed()).named('chat m'));
    expect(told['gen_ai.system_instructions']).toBe('Be brief.');
    expect(told['gen_ai.input.messages']).toContain('Hi');
    expect(told['gen_ai.output.messages']).toContain('Hello.');
  });

  test('failures are told by their kind, tokens and durations are counted', async () => {
    const error = new ModelError({ kind: 'auth', message: 'no such key' });
    const traceProcessors = [openTelemetry({ tracerProvider, meterProvider })];
    const failing = new Agent({ name: 'A', model: new ScriptedModel([error], { name: 'broken' }) });
    await expect(Runner.run(failing, 'Hi', { runConfig: { traceProcessors } })).rejects.toThrow('no such key');
    const agent = new Agent({ name: 'B', model: new ScriptedModel(['Hello.'], { name: 'm' }) });
    await Runner.run(agent, 'Hi', { runConfig: { traceProcessors } });

    const sent = await flushed();
    const broken = sent.named('chat broken');
    expect(broken.status).toMatchObject({ code: 2, message: 'no such key' });
    expect(attributes(broken)).toMatchObject({ 'error.type': 'ModelError' });
    const points = (name: string) => sent.metrics.find((metric) => metric.name === name)?.histogram.dataPoints ?? [];
    const durations = points('gen_ai.client.operation.duration').map(attributes);
    expect(durations).toContainEqual({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'scripted',
      'gen_ai.request.model': 'broken',
      'error.type': 'ModelError',
    });
    expect(durations).toContainEqual({ 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'B' });
    expect(points('gen_ai.client.token.usage').map(attributes)).toContainEqual(
      expect.objectContaining({ 'gen_ai.request.model': 'm', 'gen_ai.token.type': 'input' }),
    );
  });
});
