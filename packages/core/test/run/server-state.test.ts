import { describe, expect, test } from 'vitest';
import {
  Agent,
  defineModel,
  handoff,
  MemorySession,
  ModelError,
  Runner,
  RunState,
  tool,
  usageOf,
  UserError,
  type Item,
  type ModelRequest,
  type OutputItem,
  type RunOptions,
  type StopType,
} from '../../src/index.ts';
import { call, message, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection, response } from './scripts.ts';

const parameters = { type: 'object' };
const echo = tool({ name: 'echo', description: 'Echoes.', parameters, execute: () => 'echoed' });
const ask = tool({ name: 'ask', description: 'Asks.', parameters, needsApproval: true, execute: () => 'asked' });

/** A response under the id that its provider gave it. */
const kept = (id: string, output: readonly OutputItem[], stop: StopType = 'end') => response(output, { id, stop });

function agentOf(
  turns: readonly ScriptedTurn[],
  more: Partial<ConstructorParameters<typeof Agent<unknown, string>>[0]> = {},
) {
  const model = new ScriptedModel(turns);
  return { model, agent: new Agent({ name: 'A', model, tools: [echo, ask], ...more }) };
}

/** What a request tells: what it hangs on, and its items in a word each. */
function told({ input, conversationId, previousResponseId }: ModelRequest) {
  const on = conversationId ?? previousResponseId ?? null;
  return [
    on,
    ...input.map((item) =>
      item.type === 'message'
        ? `${item.role} ${textIn(item)}`
        : 'call_id' in item
          ? `${item.type} ${String(item.call_id)}`
          : item.type,
    ),
  ];
}

function textIn(item: Item): string {
  if (item.type !== 'message') return '';
  return typeof item.content === 'string'
    ? item.content
    : item.content.map((part) => ('text' in part ? part.text : '')).join('');
}

const threeTurns = () => [
  kept('r1', [call('echo', {}, 'c1')]),
  kept('r2', [call('echo', {}, 'c2'), call('echo', {}, 'c3')]),
  kept('r3', [message('hi')]),
];

describe('only what is new is sent', () => {
  test(verifies('V1', 'with a conversationId: the input, then outputs only, all in that conversation'), async () => {
    const { agent, model } = agentOf(threeTurns());
    const result = await Runner.run(agent, 'go', { conversationId: 'conv' });
    expect(model.requests.map(told)).toEqual([
      ['conv', 'user go'],
      ['conv', 'function_call_output c1'],
      ['conv', 'function_call_output c2', 'function_call_output c3'],
    ]);
    expect(model.requests.every(({ previousResponseId }) => previousResponseId === undefined)).toBe(true);
    expect(result.toInputList()).toHaveLength(8);
  });

  test(
    verifies('V1', 'with a previousResponseId: each response becomes the previous one of the next request'),
    async () => {
      const { agent, model } = agentOf(threeTurns());
      const result = await Runner.run(agent, 'go', { previousResponseId: 'r0' });
      expect(model.requests.map(told)).toEqual([
        ['r0', 'user go'],
        ['r1', 'function_call_output c1'],
        ['r2', 'function_call_output c2', 'function_call_output c3'],
      ]);
      expect(result.lastResponseId).toBe('r3');
    },
  );

  test(verifies('V1', 'autoPreviousResponseId starts a chain, which another run can go on with'), async () => {
    const { agent, model } = agentOf([...threeTurns(), kept('r4', [message('yes')])]);
    const first = await Runner.run(
      agent,
      [
        { role: 'user', content: 'a' },
        { role: 'user', content: 'b' },
      ],
      { autoPreviousResponseId: true },
    );
    const previousResponseId = first.lastResponseId;
    if (previousResponseId === undefined) throw new Error('no id');
    await Runner.run(agent, 'more', { previousResponseId });
    expect(model.requests.map(told)).toEqual([
      [null, 'user a', 'user b'],
      ['r1', 'function_call_output c1'],
      ['r2', 'function_call_output c2', 'function_call_output c3'],
      ['r3', 'user more'],
    ]);
  });

  test(verifies('V1', 'a run config may name them; options beat it'), async () => {
    const bound = agentOf([kept('r1', [message('hi')]), kept('r2', [message('hi')])]);
    const runner = new Runner({ conversationId: 'bound' });
    await runner.run(bound.agent, 'a');
    await runner.run(bound.agent, 'b', { conversationId: 'own' });
    expect(bound.model.requests.map(told)).toEqual([
      ['bound', 'user a'],
      ['own', 'user b'],
    ]);
  });

  test(verifies('V1', 'a response without an id: all since the last known one is told again'), async () => {
    const { agent, model } = agentOf([
      response([call('echo', {}, 'c1')]),
      kept('r2', [call('echo', {}, 'c2')]),
      response([call('echo', {}, 'c3')]),
      kept('r4', [message('hi')]),
    ]);
    await Runner.run(agent, 'go', { autoPreviousResponseId: true });
    expect(model.requests.map(told)).toEqual([
      [null, 'user go'],
      [null, 'user go', 'function_call c1', 'function_call_output c1'],
      ['r2', 'function_call_output c2'],
      ['r2', 'function_call_output c2', 'function_call c3', 'function_call_output c3'],
    ]);
  });

  test(verifies('V1', 'after an approval, in another process, only the outputs are sent'), async () => {
    const { agent, model } = agentOf([
      kept('r1', [call('ask', {}, 'c1'), call('echo', {}, 'c2')]),
      kept('r2', [message('hi')]),
    ]);
    const { state } = await Runner.run(agent, 'go', { autoPreviousResponseId: true });
    for (const item of state.interruptions) state.approve(item);
    await Runner.run(agent, RunState.fromString(agent, state.toString()));
    expect(told(model.requests[1] ?? never())).toEqual(['r1', 'function_call_output c2', 'function_call_output c1']);
  });

  test(verifies('V1', 'a pause goes on from the paused response and repeats nothing'), async () => {
    const pausing = () => [kept('r1', [message('wait')], 'pause'), kept('r2', [message('hi')])];
    const chained = agentOf(pausing());
    await Runner.run(chained.agent, 'go', { autoPreviousResponseId: true });
    expect(chained.model.requests.map(told)).toEqual([[null, 'user go'], ['r1']]);
    const stored = agentOf(pausing());
    await Runner.run(stored.agent, 'go', { conversationId: 'conv' });
    expect(stored.model.requests.map(told)).toEqual([['conv', 'user go'], ['conv']]);
    const alone = agentOf(pausing());
    await Runner.run(alone.agent, 'go');
    expect(alone.model.requests.map(told)).toEqual([
      [null, 'user go'],
      [null, 'user go', 'assistant wait'],
    ]);
  });

  test(verifies('V1', 'a message that the run itself writes is new as well: a re-ask'), async () => {
    const outputType = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value: unknown) => (value === 1 ? { value: 'one' } : { issues: [{ message: 'not one' }] }),
        jsonSchema: { input: () => ({ type: 'integer' }) },
      },
    } as const;
    const { agent, model } = agentOf([kept('r1', [message('2')]), kept('r2', [message('1')])], {
      outputType,
      outputRetries: 1,
    });
    await Runner.run(agent, 'go', { autoPreviousResponseId: true });
    expect(told(model.requests[1] ?? never())).toEqual([
      'r1',
      expect.stringContaining('user Your answer does not fit'),
    ]);
  });

  test(
    verifies('V1', 'a handoff passes the conversation on, and the new agent is told what it has not been'),
    async () => {
      const second = new ScriptedModel([kept('r2', [message('hi')])]);
      const expert = new Agent({ name: 'Expert', model: second });
      const { agent, model } = agentOf([kept('r1', [call('transfer_to_expert', {}, 't')])], { handoffs: [expert] });
      await Runner.run(agent, 'go', { autoPreviousResponseId: true });
      expect(model.requests.map(told)).toEqual([[null, 'user go']]);
      expect(second.requests.map(told)).toEqual([['r1', 'function_call_output t']]);
    },
  );

  test.for<[string, RunOptions<unknown>['runConfig'], boolean]>([
    ['an inputFilter', {}, true],
    ['a handoffInputFilter', { handoffInputFilter: (data) => data }, false],
    ['nestHandoffHistory', { nestHandoffHistory: true }, false],
  ])(verifies('V1', '%s cannot change what the provider keeps: a UserError'), async ([, runConfig, own]) => {
    const expert = new Agent({ name: 'Expert', model: new ScriptedModel([kept('r2', [message('hi')])]) });
    const passing = own ? handoff(expert, { inputFilter: (data) => data }) : expert;
    const turns = [kept('r1', [call('transfer_to_expert', {}, 't')])];
    const error = await rejection(
      Runner.run(agentOf(turns, { handoffs: [passing] }).agent, 'go', { conversationId: 'c', runConfig }),
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: expect.stringContaining('the provider keeps the conversation') });
  });

  test(verifies('V1', 'an input filter sees and edits what is new only'), async () => {
    const { agent, model } = agentOf([kept('r1', [call('echo', {}, 'c1')]), kept('r2', [message('hi')])]);
    const seen: number[] = [];
    await Runner.run(agent, 'go', {
      conversationId: 'conv',
      runConfig: {
        callModelInputFilter: ({ modelData }) => {
          seen.push(modelData.input.length);
          return { ...modelData, input: [...modelData.input, { type: 'message', role: 'user', content: 'PS' }] };
        },
      },
    });
    expect(seen).toEqual([1, 1]);
    expect(model.requests.map(told)).toEqual([
      ['conv', 'user go', 'user PS'],
      ['conv', 'function_call_output c1', 'user PS'],
    ]);
  });

  test(
    verifies('V1', 'a session callback decides about the first request of a chain, and repeats nothing later'),
    async () => {
      const session = new MemorySession({ items: [{ role: 'user', content: 'old' }] });
      const { agent, model } = agentOf(threeTurns());
      const sessionInputCallback = ({ newItems }: { newItems: readonly Item[] }) => newItems;
      await Runner.run(agent, 'go', { session, autoPreviousResponseId: true, runConfig: { sessionInputCallback } });
      expect(model.requests.map(told)).toEqual([
        [null, 'user go'],
        ['r1', 'function_call_output c1'],
        ['r2', 'function_call_output c2', 'function_call_output c3'],
      ]);
    },
  );

  test('an agent as a tool has a conversation of its own', async () => {
    const innerModel = new ScriptedModel([kept('i1', [call('echo', {}, 'e')]), kept('i2', [message('inner')])]);
    const sub = new Agent({ name: 'W', model: innerModel, tools: [echo] }).asTool({ toolName: 'sub' });
    const { agent } = agentOf([kept('r1', [call('sub', { input: 'x' }, 's')]), kept('r2', [message('hi')])], {
      tools: [sub],
    });
    await Runner.run(agent, 'go', { conversationId: 'conv' });
    expect(innerModel.requests.map(told)).toEqual([
      [null, 'user x'],
      [null, 'user x', 'function_call e', 'function_call_output e'],
    ]);
  });
});

describe('retries', () => {
  const overloaded = (retryAfterMs?: number) =>
    new ModelError({
      kind: 'overloaded',
      message: 'busy',
      retryable: true,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  const runConfig = { retry: { maxRetries: 1, backoff: { initialMs: 0, jitter: false } } };

  test(verifies('V1', 'a retry sends the same delta on the same response'), async () => {
    const { agent, model } = agentOf([
      kept('r1', [call('echo', {}, 'c1')]),
      overloaded(0),
      kept('r2', [message('hi')]),
    ]);
    await Runner.run(agent, 'go', { autoPreviousResponseId: true, runConfig });
    expect(model.requests.map(told)).toEqual([
      [null, 'user go'],
      ['r1', 'function_call_output c1'],
      ['r1', 'function_call_output c1'],
    ]);
  });

  test(verifies('V1', 'a resume after an error sends the same delta again'), async () => {
    const { agent, model } = agentOf([kept('r1', [call('echo', {}, 'c1')]), overloaded(), kept('r2', [message('hi')])]);
    const error = await rejection(Runner.run(agent, 'go', { autoPreviousResponseId: true, runConfig }));
    expect(error).toMatchObject({ kind: 'overloaded' });
    const { state } = error as ModelError;
    if (!state) throw new Error('no state');
    await Runner.run(agent, RunState.fromString(agent, state.toString()));
    expect(model.requests.map(told)).toEqual([
      [null, 'user go'],
      ['r1', 'function_call_output c1'],
      ['r1', 'function_call_output c1'],
    ]);
  });
});

test(verifies('V1', 'the view of a delta keeps outputs whose calls the provider has'), async () => {
  const bodies: (readonly Item[])[] = [];
  const model = defineModel(
    { provider: 'p', api: 'a', name: 'm', capabilities: {} },
    {
      encode: ({ input }, _capabilities) => ({ body: input, adaptations: [] }),
      decode: () => ({ model: 'm', output: [], usage: usageOf({}), stop: { type: 'end', raw: null } }),
      accumulate: () => ({ add: () => [], end: () => null }),
    },
    {
      send: async (body) => {
        bodies.push(body);
        return null;
      },
      open: () => {
        throw new Error('not streamed');
      },
      toError: (error) => error as never,
    },
  );
  const output: Item = { type: 'function_call_output', call_id: 'c', output: 'ok' };
  const user: Item = { type: 'message', role: 'user', content: 'and' };
  const rest = { input: [output, user], tools: [], settings: {} };
  await model.getResponse({ ...rest, previousResponseId: 'r1' });
  await model.getResponse({ ...rest, conversationId: 'conv' });
  const alone = await model.getResponse(rest);
  expect(bodies).toEqual([[output, user], [output, user], [user]]);
  expect(alone.adaptations).toMatchObject([{ type: 'dropped_item' }]);
});

function never(): never {
  throw new Error('There is no such request.');
}
