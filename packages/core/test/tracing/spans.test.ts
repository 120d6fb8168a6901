import { describe, expect, test } from 'vitest';
import {
  Agent,
  consoleTraceProcessor,
  handoff,
  MemoryTraceProcessor,
  Runner,
  RunState,
  startTrace,
  tool,
  type SpanData,
  type TraceData,
  type TraceProcessor,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';

const parameters = { type: 'object', properties: { n: { type: 'number' } } } as const;

/** Keeps in which order spans began, too. */
class Recorder extends MemoryTraceProcessor {
  readonly started: SpanData[] = [];

  onSpanStart(span: SpanData): void {
    this.started.push(span);
  }
}

/** The spans as a tree of `type name`, children in the order in which they began. */
function tree({ started }: Recorder, parentId: string | null = null): unknown[] {
  return started
    .filter((span) => span.parentId === parentId)
    .map((span) => {
      const inner = tree({ started } as Recorder, span.spanId);
      const title = `${span.type} ${span.name}`;
      return inner.length === 0 ? title : [title, ...inner];
    });
}

function named(spans: readonly SpanData[], name: string): SpanData {
  const found = spans.find((span) => span.name === name);
  if (!found) throw new Error(`no span ${name}`);
  return found;
}

describe('the spans of a run', () => {
  test(verifies('O1', 'one trace a run, its spans below one another as the work was'), async () => {
    const memory = new Recorder();
    const billing = new Agent({
      name: 'Billing',
      model: new ScriptedModel(['Paid.']),
      outputGuardrails: [{ name: 'polite', execute: () => ({ tripwireTriggered: false }) }],
    });
    const source = {
      type: 'tool_source',
      name: 'files',
      listTools: () => [tool({ name: 'read', description: 'd', parameters, execute: () => 'text' })],
    } as const;
    const lookup = tool({
      name: 'lookup',
      description: 'd',
      parameters,
      execute: (_args, context) =>
        context.withSpan('query', (inner) => inner.withSpan('parse', () => Promise.resolve('row')), {
          table: 'orders',
        }),
      inputGuardrails: [{ name: 'allowed', execute: () => ({ type: 'allow' }) }],
    });
    const agent = new Agent({
      name: 'Triage',
      model: new ScriptedModel([[call('lookup', { n: 1 }), call('read', {})], [call('transfer_to_billing', {})]]),
      tools: [lookup, source],
      handoffs: [handoff(billing)],
      inputGuardrails: [{ name: 'on topic', execute: async () => ({ tripwireTriggered: false }) }],
    });
    const result = await Runner.run(agent, 'Hello', {
      runConfig: {
        traceProcessors: [memory],
        workflowName: 'Support',
        traceId: 'trace_mine',
        groupId: 'chat-1',
        traceMetadata: { user: 7 },
      },
    });

    expect(result.finalOutput).toBe('Paid.');
    expect(memory.started).toHaveLength(memory.spans.length);
    expect(memory.traces).toMatchObject([
      {
        traceId: 'trace_mine',
        workflowName: 'Support',
        groupId: 'chat-1',
        metadata: { user: 7 },
      },
    ]);
    expect(tree(memory)).toEqual([
      [
        'agent Triage',
        'guardrail on topic',
        [
          'turn turn 1',
          'mcp_tools files',
          'model scripted-model',
          ['tool lookup', 'guardrail allowed', ['custom query', 'custom parse']],
          'tool read',
        ],
        ['turn turn 2', 'mcp_tools files', 'model scripted-model', 'handoff Billing'],
      ],
      ['agent Billing', ['turn turn 3', 'model scripted-model', 'guardrail polite']],
    ]);
    for (const span of memory.spans) {
      expect(span.traceId).toBe(memory.traces[0]?.traceId);
      expect(span.endMs).toBeGreaterThanOrEqual(span.startMs);
      expect(span.error).toBe(null);
    }
    expect(named(memory.spans, 'query').data).toEqual({ table: 'orders' });
    expect(named(memory.spans, 'scripted-model').data).toMatchObject({ provider: 'scripted', usage: { requests: 1 } });
  });

  test(
    verifies('O1', 'parents are exact when agents, tools and their own spans are at work at the same time'),
    async () => {
      const memory = new Recorder();
      const gate = Promise.withResolvers<void>();
      let waiting = 0;
      const together = async () => {
        if (++waiting === 6) gate.resolve();
        await gate.promise;
      };
      const helpers = ['One', 'Two', 'Three'].map((name) => {
        const work = tool({
          name: 'work',
          description: 'd',
          parameters,
          execute: async ({ n }: { n: number }, context) => {
            await together();
            return context.withSpan(`part ${name} ${n}`, () => Promise.resolve(n));
          },
        });
        return new Agent({
          name,
          tools: [work],
          model: new ScriptedModel([[call('work', { n: 1 }), call('work', { n: 2 })], 'done']),
        });
      });
      const agent = new Agent({
        name: 'Lead',
        tools: helpers.map((helper) => helper.asTool({ toolName: helper.name.toLowerCase() })),
        model: new ScriptedModel([
          helpers.map((helper) => call(helper.name.toLowerCase(), { input: 'go' })),
          'all done',
        ]),
      });
      const traced = { traceProcessors: [memory] };
      await Runner.run(agent, 'go', { runConfig: traced });
      expect(memory.traces[0]?.traceId).toMatch(/^trace_[\da-f]{32}$/);

      const inner = (name: string) => [
        `tool ${name.toLowerCase()}`,
        [
          `agent ${name}`,
          [
            'turn turn 1',
            'model scripted-model',
            ['tool work', `custom part ${name} 1`],
            ['tool work', `custom part ${name} 2`],
          ],
          ['turn turn 2', 'model scripted-model'],
        ],
      ];
      expect(tree(memory)).toEqual([
        [
          'agent Lead',
          ['turn turn 1', 'model scripted-model', inner('One'), inner('Two'), inner('Three')],
          ['turn turn 2', 'model scripted-model'],
        ],
      ]);
    },
  );

  test(verifies('O1', 'runs share a trace that the program began, and leave it open'), async () => {
    const memory = new Recorder();
    const trace = startTrace({ workflowName: 'Chat', groupId: 'g', traceId: 'trace_1', processors: [memory] });
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['one', 'two']) });
    await Runner.run(agent, 'Hello', { trace });
    await Runner.run(agent, 'Again', { trace, runConfig: { workflowName: 'ignored' } });
    trace.startSpan({ name: 'by hand' }).end({ data: { n: 1 } });
    expect(memory.traces).toEqual([]);
    trace.end();
    trace.end();
    expect(memory.traces).toMatchObject([{ traceId: 'trace_1', workflowName: 'Chat', groupId: 'g' }]);
    expect(tree(memory)).toEqual([
      ['agent A', ['turn turn 1', 'model scripted-model']],
      ['agent A', ['turn turn 1', 'model scripted-model']],
      'custom by hand',
    ]);
  });

  test('a streamed run has the same spans', async () => {
    const [plain, streamed] = [new Recorder(), new Recorder()];
    const agent = () =>
      new Agent({
        name: 'A',
        tools: [tool({ name: 'f', description: 'd', parameters, execute: () => 'ok' })],
        model: new ScriptedModel([[call('f', {})], 'done']),
      });
    await Runner.run(agent(), 'go', { runConfig: { traceProcessors: [plain] } });
    await Runner.runStreamed(agent(), 'go', { runConfig: { traceProcessors: [streamed] } }).completed;
    expect(tree(streamed)).toEqual(tree(plain));
    expect(plain.spans).toHaveLength(6);
  });

  test('a call that waits for a person, and the run that takes it up, inside an agent as a tool too', async () => {
    const memory = new Recorder();
    const runConfig = { traceProcessors: [memory] };
    const pay = tool({ name: 'pay', description: 'd', parameters, execute: () => 'paid', needsApproval: true });
    const inner = new Agent({ name: 'Inner', tools: [pay], model: new ScriptedModel([[call('pay', {})], 'done']) });
    const agent = new Agent({
      name: 'Outer',
      tools: [inner.asTool({ toolName: 'inner' })],
      model: new ScriptedModel([[call('inner', { input: 'pay' })], 'all done']),
    });
    const first = await Runner.run(agent, 'go', { runConfig });
    expect(named(memory.spans, 'pay').data).toMatchObject({ waitsForApproval: true });
    const state = RunState.fromString(agent, first.state.toString());
    for (const item of state.interruptions) state.approve(item);
    const second = await Runner.run(agent, state, { runConfig });
    expect(second.finalOutput).toBe('all done');
    expect(memory.traces).toHaveLength(2);
    const later = memory.spans.filter(({ traceId }) => traceId === memory.traces[1]?.traceId);
    expect(later.map(({ type, name, data }) => [type, name, data['isError']])).toContainEqual(['tool', 'pay', false]);
    const known = new Set(later.map(({ spanId }) => spanId));
    expect(later.filter(({ parentId }) => parentId !== null && !known.has(parentId))).toEqual([]);
  });

  test('what fails is told on the span that failed and on those around it', async () => {
    const memory = new Recorder();
    const broken = tool({
      name: 'broken',
      description: 'd',
      parameters,
      errorFunction: null,
      execute: (_args, context) =>
        context.withSpan('inside', () => {
          throw new TypeError('secret words');
        }),
    });
    const agent = new Agent({ name: 'A', tools: [broken], model: new ScriptedModel([[call('broken', {})]]) });
    await expect(Runner.run(agent, 'go', { runConfig: { traceProcessors: [memory] } })).rejects.toThrow('broken');
    expect(named(memory.spans, 'inside').error).toEqual({ name: 'TypeError', message: null });
    expect(named(memory.spans, 'broken').error?.name).toBe('ToolCallError');
    expect(named(memory.spans, 'A').error?.name).toBe('ToolCallError');
    expect(memory.traces).toHaveLength(1);
  });

  test('a guardrail that is no longer waited for ends with the run', async () => {
    const memory = new Recorder();
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel(['hi']),
      inputGuardrails: [
        { name: 'never', gate: 'model', execute: () => new Promise(() => {}) },
        { name: 'trips', gate: 'model', execute: () => ({ tripwireTriggered: true }) },
      ],
    });
    await expect(Runner.run(agent, 'go', { runConfig: { traceProcessors: [memory] } })).rejects.toThrow('trips');
    expect(named(memory.spans, 'trips').data).toEqual({ triggered: true });
    expect(named(memory.spans, 'never').endMs).not.toBe(null);
  });
});

describe('processors', () => {
  test(verifies('O2', 'nothing is traced without one, and each runner has its own'), async () => {
    const [mine, yours] = [new Recorder(), new Recorder()];
    const agent = () => new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    await new Runner({ traceProcessors: [mine] }).run(agent(), 'go');
    await new Runner({ traceProcessors: [yours], tracingDisabled: true }).run(agent(), 'go');
    await Runner.run(agent(), 'go');
    expect(mine.traces).toHaveLength(1);
    expect(yours.traces).toHaveLength(0);
    const trace = startTrace({ workflowName: 'w', processors: [yours] });
    await Runner.run(agent(), 'go', { trace, runConfig: { tracingDisabled: true } });
    expect(yours.spans).toHaveLength(0);
  });

  test(verifies('O2', 'a run makes no request of its own'), async () => {
    const requests: unknown[] = [];
    const { fetch } = globalThis;
    globalThis.fetch = (...args) => {
      requests.push(args);
      return fetch(...args);
    };
    try {
      const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
      await Runner.run(agent, 'go', { runConfig: { traceProcessors: [new Recorder()] } });
    } finally {
      globalThis.fetch = fetch;
    }
    expect(requests).toEqual([]);
  });

  test('one that throws is warned of and disturbs nobody', async ({ onTestFinished }) => {
    const warnings: unknown[] = [];
    const { warn } = console;
    console.warn = (...words) => void warnings.push(words);
    onTestFinished(() => {
      console.warn = warn;
    });
    const memory = new Recorder();
    const broken: TraceProcessor = {
      onSpanStart: () => {
        throw new Error('full disk');
      },
    };
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    const result = await Runner.run(agent, 'go', { runConfig: { traceProcessors: [broken, memory] } });
    expect(result.finalOutput).toBe('hi');
    expect(memory.spans).toHaveLength(3);
    expect(warnings).toHaveLength(3);
  });

  test('are told of everything in order, and may make a span the active one', async () => {
    const told: string[] = [];
    let active = 'nothing';
    const processor: TraceProcessor = {
      onTraceStart: ({ endMs }: TraceData) => told.push(`trace ${endMs}`),
      onSpanStart: ({ type, endMs }) => told.push(`${type} ${endMs}`),
      onSpanEnd: ({ type }) => told.push(`${type} ended`),
      onTraceEnd: () => told.push('trace ended'),
      within(span, work) {
        const before = active;
        active = span.name;
        try {
          return work();
        } finally {
          active = before;
        }
      },
    };
    const look = tool({ name: 'look', description: 'd', parameters, execute: () => active });
    const agent = new Agent({
      name: 'A',
      tools: [look],
      model: new ScriptedModel([[call('look', {})], 'done']),
    });
    const result = await Runner.run(agent, 'go', { runConfig: { traceProcessors: [processor] } });
    expect(result.newItems.find(({ type }) => type === 'tool_call_output_item')).toMatchObject({ output: 'look' });
    expect(told.slice(0, 5)).toEqual(['trace null', 'agent null', 'turn null', 'model null', 'model ended']);
    expect(told.at(-1)).toBe('trace ended');
  });

  test('the console processor writes one line a span', async () => {
    const lines: string[] = [];
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    const traceProcessors = [consoleTraceProcessor({ write: (line) => lines.push(line) })];
    await Runner.run(agent, 'go', { runConfig: { traceProcessors } });
    expect(lines.map((line) => line.replace(/[\d.]+ ms/, 'T').replace(/trace_\w+/, 'ID'))).toEqual([
      '      model scripted-model T',
      '    turn 1 T',
      '  agent A T',
      'trace Agent workflow T ID',
    ]);
  });

  test('what is no trace is refused, and an empty name', async () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['hi']) });
    const trace = { traceId: 't', workflowName: 'w', end: () => undefined } as never;
    await expect(Runner.run(agent, 'go', { trace })).rejects.toThrow('trace: expected what startTrace() gives.');
    expect(() => startTrace({ workflowName: '' })).toThrow('workflowName: expected a text');
  });
});
