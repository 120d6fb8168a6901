import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  Runner,
  RunState,
  textOf,
  tool,
  type AsToolOptions,
  type Hooks,
  type RunStreamEvent,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, outputsIn, rejection } from './scripts.ts';

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });

/** An outer agent that asks the agent Inner once. */
function asking(
  script: readonly ScriptedTurn[],
  options: AsToolOptions<unknown> = {},
  args: unknown = { input: 'question' },
) {
  const inner = new ScriptedModel(script);
  const innerAgent = new Agent({ name: 'Inner', instructions: 'Answer.', model: inner, tools: [ping] });
  const outer = new ScriptedModel([[call('inner', JSON.stringify(args))], 'done']);
  const agent = new Agent({ name: 'Outer', model: outer, tools: [innerAgent.asTool(options)] });
  return { agent, inner, outer, innerAgent, told: () => outputsIn(outer.requests[1]?.input ?? [])['call_inner'] };
}

/** Events as short words, those of inner runs with `>`. */
function words(event: RunStreamEvent): string {
  switch (event.type) {
    case 'raw_response_event':
      return event.data.type;
    case 'run_item_stream_event':
      return event.name;
    case 'agent_updated_stream_event':
      return `agent ${event.newAgent.name}`;
    case 'nested_run_event':
      return `> ${words(event.event)}`;
  }
}

describe('an agent as a tool', () => {
  test(verifies('T11', 'takes { input } and answers with its final output, having seen nothing else'), async () => {
    const { agent, inner, outer, told } = asking(['42']);
    const result = await Runner.run(agent, 'What is it?');
    expect(result.finalOutput).toBe('done');
    expect(told()).toBe('42');
    expect(outer.requests[0]?.tools).toMatchObject([
      { name: 'inner', parameters: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] } },
    ]);
    expect(inner.requests[0]).toMatchObject({
      instructions: 'Answer.',
      input: [{ role: 'user', content: 'question' }],
    });
    expect(inner.requests[0]?.input).toHaveLength(1);
    expect(brief(result.newItems)).toEqual(['call inner', 'output inner', 'message done']);
    expect(result.lastAgent).toBe(agent);
  });

  test(verifies('T11', 'refuses other arguments without running the agent'), async () => {
    const { agent, inner, told } = asking(['42'], {}, { question: 'x' });
    await Runner.run(agent, 'go');
    expect(told()).toContain('Invalid arguments');
    expect(inner.requests).toHaveLength(0);
  });

  test(verifies('T11', 'toolName, toolDescription, parameters and inputBuilder shape the call'), async () => {
    const inner = new ScriptedModel(['done inside']);
    const made = new Agent({ name: 'Inner', model: inner }).asTool({
      toolName: 'search',
      toolDescription: 'Searches.',
      parameters: z.object({ query: z.string(), limit: z.number() }),
      inputBuilder: async ({ arguments: args }) => {
        const { query, limit } = args as { query: string; limit: number };
        return [{ type: 'message', role: 'user', content: `${limit} of ${query}` }];
      },
    });
    const outer = new ScriptedModel([[call('search', { query: 'cats', limit: 3 })], 'done']);
    await Runner.run(new Agent({ name: 'Outer', model: outer, tools: [made] }), 'go');
    expect(outer.requests[0]?.tools).toMatchObject([{ name: 'search', description: 'Searches.' }]);
    expect(inner.requests[0]?.input).toEqual([{ type: 'message', role: 'user', content: '3 of cats' }]);
  });

  test(verifies('T11', 'with parameters and no inputBuilder the arguments are the input, as JSON'), async () => {
    const { agent, inner } = asking(['x'], { parameters: z.object({ a: z.number() }) }, { a: 1 });
    await Runner.run(agent, 'go');
    expect(inner.requests[0]?.input).toMatchObject([{ role: 'user', content: '{"a":1}' }]);
  });

  test(verifies('T11', 'outputExtractor makes the output from the result of the inner run'), async () => {
    const seen: string[][] = [];
    const { agent, told } = asking([[call('ping')], 'inner answer'], {
      outputExtractor: async ({ result }) => {
        seen.push(brief(result.newItems), [
          String(result.finalOutput),
          result.lastAgent.name,
          `${result.usage.requests}`,
        ]);
        return 'extracted';
      },
    });
    await Runner.run(agent, 'go');
    expect(told()).toBe('extracted');
    expect(seen).toEqual([
      ['call ping', 'output ping', 'message inner answer'],
      ['inner answer', 'Inner', '2'],
    ]);
  });

  test(verifies('T11', 'an output that is no text is given as JSON, its value kept'), async () => {
    const inner = new Agent({
      name: 'Inner',
      model: new ScriptedModel(['{"n":1}']),
      outputType: z.object({ n: z.number() }),
    });
    const outer = new ScriptedModel([[call('inner', { input: 'x' })], 'done']);
    const result = await Runner.run(new Agent({ name: 'Outer', model: outer, tools: [inner.asTool()] }), 'go');
    expect(outputsIn(outer.requests[1]?.input ?? [])).toEqual({ call_inner: '{"n":1}' });
    expect(result.newItems[1]).toMatchObject({ output: { n: 1 } });
  });

  const pinging = (turns: number): ScriptedTurn[] =>
    Array.from({ length: turns }, (_, index) => [call('ping', {}, `p${index}`)]);

  test(verifies('T11', 'has ten turns of its own, or maxTurns; the outer run has its own, too'), async () => {
    const ten = asking([...pinging(9), 'at last']);
    await Runner.run(ten.agent, 'go', { maxTurns: 2 });
    expect(ten.told()).toBe('at last');
    const eleven = asking([...pinging(10), 'never']);
    expect((await Runner.run(eleven.agent, 'go')).finalOutput).toBe('done');
    expect(eleven.told()).toContain('used up its 10 turns');
    expect(eleven.inner.requests).toHaveLength(10);
    const two = asking(pinging(3), { maxTurns: 2 });
    await Runner.run(two.agent, 'go');
    expect(two.told()).toContain('used up its 2 turns');
    const unbounded = asking([...pinging(30), 'far'], { maxTurns: null });
    await Runner.run(unbounded.agent, 'go', { runConfig: { maxTurns: 2 } });
    expect(unbounded.told()).toBe('far');
  });

  test(
    verifies('T11', 'an inner failure is an error output of the call, and no error handler of the outer run is asked'),
    async () => {
      const { agent, told } = asking([new Error('inner model down')]);
      const result = await Runner.run(agent, 'go', {
        errorHandlers: { default: () => ({ finalOutput: 'handled' }) },
        runConfig: { retry: { maxRetries: 0 } },
      });
      expect(result.finalOutput).toBe('done');
      expect(told()).toContain('An error occurred while running the tool');
      expect(result.newItems[1]).toMatchObject({ isError: true });
    },
  );

  test.for(['inputBuilder', 'outputExtractor'] as const)('a throwing %s is an error output, too', async (option) => {
    const { agent, told } = asking(['x'], {
      [option]: () => {
        throw new Error('cannot');
      },
    });
    expect((await Runner.run(agent, 'go')).finalOutput).toBe('done');
    expect(told()).toContain('Error: cannot');
  });

  test(verifies('T11', 'shares usage, context and config'), async () => {
    const contexts: unknown[] = [];
    const inner = new Agent<{ user: string }>({
      name: 'Inner',
      instructions: ({ runContext }) => {
        contexts.push(runContext.context, runContext.usage.requests);
        return 'Hi.';
      },
      model: 'never looked up',
    });
    const model = new ScriptedModel([[call('inner', { input: 'x' })], 'inner answer', 'done']);
    const context = { user: 'ada' };
    const outer = new Agent<{ user: string }>({ name: 'Outer', tools: [inner.asTool()] });
    const result = await Runner.run(outer, 'go', { context, runConfig: { model } });
    expect(contexts).toEqual([context, 1]);
    expect(contexts[0]).toBe(context);
    expect(result.usage).toMatchObject({ requests: 3, inputTokens: 30, outputTokens: 15 });
    expect(result.rawResponses).toHaveLength(2);
  });

  test(verifies('T11', 'its runConfig overlays the outer one'), async () => {
    const own = new ScriptedModel(['by its own model']);
    const { agent, told, inner } = asking([], { runConfig: { model: own, modelSettings: { temperature: 1 } } });
    await Runner.run(agent, 'go');
    expect(told()).toBe('by its own model');
    expect(inner.requests).toHaveLength(0);
    expect(own.requests[0]?.settings).toEqual({ temperature: 1 });
  });

  test(verifies('T11', 'shares the signal'), async () => {
    const controller = new AbortController();
    let seen: AbortSignal | undefined;
    const wait = tool({
      name: 'wait',
      description: 'W.',
      parameters: { type: 'object' },
      execute: async (_, { signal }) => {
        seen = signal;
        controller.abort(new Error('enough'));
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      },
    });
    const inner = new Agent({ name: 'Inner', model: new ScriptedModel([[call('wait')]]), tools: [wait] });
    const outer = new Agent({
      name: 'Outer',
      model: new ScriptedModel([[call('inner', { input: 'x' })]]),
      tools: [inner.asTool()],
    });
    const error = await rejection(Runner.run(outer, 'go', { signal: controller.signal }));
    expect(error).toBe(controller.signal.reason);
    expect(seen?.aborted).toBe(true);
  });

  test(verifies('T11', 'its interruptions surface in the outer run, at any depth, through JSON'), async () => {
    const ran: string[] = [];
    const asks = tool({
      name: 'asks',
      description: 'Asks.',
      parameters: { type: 'object' },
      needsApproval: true,
      execute: () => {
        ran.push('asks');
        return 'granted';
      },
    });
    const make = () => {
      const deep = new Agent({
        name: 'Deep',
        model: new ScriptedModel([[call('asks')], 'deep answer']),
        tools: [asks],
      });
      const middle = new Agent({
        name: 'Middle',
        model: new ScriptedModel([[call('deep', { input: 'x' })], 'middle answer']),
        tools: [deep.asTool()],
      });
      const outer = new ScriptedModel([[call('middle', { input: 'x' })], 'done']);
      return new Agent({ name: 'Outer', model: outer, tools: [middle.asTool()] });
    };
    const agent = make();
    const stopped = await Runner.run(agent, 'go');
    expect(stopped.interruptions).toMatchObject([{ toolName: 'asks', path: ['call_middle', 'call_deep'] }]);
    expect(stopped.interruptions[0]?.agent.name).toBe('Deep');
    const state = RunState.fromString(agent, stopped.state.toString());
    state.approve(state.interruptions[0]!);
    const result = await Runner.run(agent, state);
    expect(ran).toEqual(['asks']);
    expect(result.finalOutput).toBe('done');
    expect(outputsIn(result.toInputList())).toEqual({ call_middle: 'middle answer' });
  });

  test(verifies('T11', 'needsApproval asks about the call itself'), async () => {
    const { agent, inner } = asking(['42'], { needsApproval: true });
    const stopped = await Runner.run(agent, 'go');
    expect(stopped.interruptions).toMatchObject([{ toolName: 'inner', path: [] }]);
    expect(inner.requests).toHaveLength(0);
    stopped.state.approve(stopped.interruptions[0]!);
    expect((await Runner.run(agent, stopped.state)).finalOutput).toBe('done');
    expect(inner.requests).toHaveLength(1);
  });

  test(
    verifies(
      'T11',
      'its stream events come as nested_run_event in a streamed run, and no agent update of the outer run',
    ),
    async () => {
      const { agent } = asking([[call('ping')], 'x']);
      const events: string[] = [];
      const callIds = new Set<string>();
      for await (const event of Runner.runStreamed(agent, 'go')) {
        events.push(words(event));
        if (event.type === 'nested_run_event') callIds.add(event.callId);
      }
      const shown = events.filter((name) => !name.includes('response.') && !name.includes('polyrun:'));
      expect(shown).toEqual([
        'agent Outer',
        'tool_called',
        '> agent Inner',
        '> tool_called',
        '> tool_output',
        '> message_output_created',
        'tool_output',
        'message_output_created',
      ]);
      expect(events.filter((name) => name === '> polyrun:response_done')).toHaveLength(2);
      expect([...callIds]).toEqual(['call_inner']);
    },
  );

  test(verifies('T11', 'onStream sees them, also in an unstreamed run'), async () => {
    for (const how of ['run', 'runStreamed'] as const) {
      const seen: string[] = [];
      const { agent } = asking(['some text'], {
        onStream: async ({ event, callId }) => {
          await Promise.resolve();
          expect(callId).toBe('call_inner');
          seen.push(words(event));
        },
      });
      if (how === 'run') await Runner.run(agent, 'go');
      else await Runner.runStreamed(agent, 'go').completed;
      expect(seen).toContain('agent Inner');
      expect(seen).toContain('response.output_text.delta');
      expect(seen.at(-1)).toBe('message_output_created');
    }
  });

  test(verifies('T11', 'the outer hooks do not fire for it, but its own do'), async () => {
    const events: string[] = [];
    const hooks = (who: string): Hooks<unknown> => ({
      onAgentStart: ({ agent }) => void events.push(`${who}: start ${agent.name}`),
      onModelStart: ({ agent }) => void events.push(`${who}: model ${agent.name}`),
      onToolStart: ({ tool: each }) => void events.push(`${who}: tool ${each.name}`),
      onToolEnd: ({ tool: each, output }) => void events.push(`${who}: tool end ${each.name} ${String(output)}`),
      onAgentEnd: ({ agent }) => void events.push(`${who}: end ${agent.name}`),
    });
    const inner = new Agent({
      name: 'Inner',
      model: new ScriptedModel([[call('ping')], 'x']),
      tools: [ping],
      hooks: hooks('inner'),
    });
    const model = new ScriptedModel([[call('inner', { input: 'x' })], 'done']);
    await Runner.run(new Agent({ name: 'Outer', model, tools: [inner.asTool()] }), 'go', { hooks: hooks('run') });
    expect(events.filter((event) => event.startsWith('run'))).toEqual([
      'run: start Outer',
      'run: model Outer',
      'run: tool inner',
      'run: tool end inner x',
      'run: model Outer',
      'run: end Outer',
    ]);
    expect(events.filter((event) => event.startsWith('inner'))).toEqual([
      'inner: start Inner',
      'inner: model Inner',
      'inner: tool ping',
      'inner: tool end ping pong',
      'inner: model Inner',
      'inner: end Inner',
    ]);
  });

  test(verifies('T11', 'many run at the same time, each in its own state'), async () => {
    const inner = new ScriptedModel(
      Array.from(
        { length: 20 },
        () =>
          ({ input }) =>
            `echo ${input[0] ? textOf(input[0]) : ''}`,
      ),
    );
    const names = Array.from({ length: 20 }, (_, index) => `q${index}`);
    const outer = new ScriptedModel([names.map((name) => call('inner', { input: name }, name)), 'done']);
    const agent = new Agent({
      name: 'Outer',
      model: outer,
      tools: [new Agent({ name: 'Inner', model: inner }).asTool()],
    });
    await Runner.run(agent, 'go');
    expect(outputsIn(outer.requests[1]?.input ?? [])).toEqual(
      Object.fromEntries(names.map((name) => [name, `echo ${name}`])),
    );
  });
});
