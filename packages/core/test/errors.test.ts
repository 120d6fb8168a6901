import { beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import * as api from '../src/index.ts';
import {
  Agent,
  AgentsError,
  handoff,
  MaxTurnsExceededError,
  MemorySession,
  ModelError,
  Runner,
  RunState,
  tool,
  UserError,
  type AnyAgent,
  type RunInput,
  type RunOptions,
} from '../src/index.ts';
import { call, ScriptedModel } from '../src/testing/index.ts';
import { verifies } from './requirements.ts';
import { rejection } from './run/scripts.ts';

const result = { guardrail: 'g', agent: 'A', output: { tripwireTriggered: true } };
const toolResult = { guardrail: 'g', toolName: 't', callId: 'c', output: { type: 'raise_exception' as const } };

/** One of every class, made by a given copy of the package. */
function oneOfEach(from: typeof api): { [name: string]: AgentsError } {
  return {
    AgentsError: new from.AgentsError('x'),
    UserError: new from.UserError('x'),
    MaxTurnsExceededError: new from.MaxTurnsExceededError('x'),
    LimitReachedError: new from.LimitReachedError('x', { limit: 'wallMs' }),
    ModelBehaviorError: new from.ModelBehaviorError('x'),
    ModelRefusalError: new from.ModelRefusalError('x', { refusal: 'no' }),
    OutputTruncatedError: new from.OutputTruncatedError('x', { partialText: 'so' }),
    ContentFilterError: new from.ContentFilterError('x', { partialText: 'so' }),
    ToolTimeoutError: new from.ToolTimeoutError('x'),
    ToolCallError: new from.ToolCallError('x'),
    GuardrailExecutionError: new from.GuardrailExecutionError('x'),
    SessionBusyError: new from.SessionBusyError('x'),
    ModelError: new from.ModelError({ kind: 'server', message: 'x' }),
    InputGuardrailTripwireTriggered: new from.InputGuardrailTripwireTriggered('x', { result }),
    OutputGuardrailTripwireTriggered: new from.OutputGuardrailTripwireTriggered('x', { result }),
    ToolInputGuardrailTripwireTriggered: new from.ToolInputGuardrailTripwireTriggered('x', { result: toolResult }),
    ToolOutputGuardrailTripwireTriggered: new from.ToolOutputGuardrailTripwireTriggered('x', { result: toolResult }),
  };
}

const classes = Object.entries(api).filter(
  (entry): entry is [string, typeof AgentsError] =>
    typeof entry[1] === 'function' && (entry[1] === AgentsError || entry[1].prototype instanceof Error),
);

describe('the error classes', () => {
  let other: typeof api;
  beforeAll(async () => {
    vi.resetModules();
    other = await import('../src/index.ts');
  });

  test('all are told apart by instanceof, within one copy of the package and across two', () => {
    expect(other.AgentsError).not.toBe(AgentsError);
    const kinds = classes.map(([name]) => name).toSorted();
    expect(kinds).toEqual(Object.keys(oneOfEach(api)).toSorted());
    for (const from of [api, other]) {
      for (const [name, error] of Object.entries(oneOfEach(from))) {
        expect(error).toBeInstanceOf(Error);
        const fitting = classes.filter(([, type]) => error instanceof type).map(([each]) => each);
        expect(fitting.toSorted()).toEqual([...new Set(['AgentsError', name])].toSorted());
        expect(error.name).toBe(name);
      }
    }
  });

  test('nothing else is an instance of them', () => {
    for (const [, type] of classes) {
      for (const value of [new Error('x'), new TypeError('x'), {}, null, undefined, 'UserError', { name: 'UserError' }])
        expect(value instanceof type).toBe(false);
    }
  });

  test("a user's subclass is told apart by its prototype, and stays one of its parent", () => {
    class QuotaError extends UserError {}
    const error = new QuotaError('x');
    expect(error).toBeInstanceOf(QuotaError);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toBeInstanceOf(AgentsError);
    expect(new UserError('x')).not.toBeInstanceOf(QuotaError);
  });

  test('each keeps its own fields and its cause', () => {
    const each = oneOfEach(api);
    expect(each['LimitReachedError']).toMatchObject({ limit: 'wallMs' });
    expect(each['ModelRefusalError']).toMatchObject({ refusal: 'no' });
    expect(each['OutputTruncatedError']).toMatchObject({ partialText: 'so' });
    expect(each['ContentFilterError']).toMatchObject({ partialText: 'so' });
    expect(each['InputGuardrailTripwireTriggered']).toMatchObject({ result });
    expect(each['OutputGuardrailTripwireTriggered']).toMatchObject({ result });
    expect(each['ToolInputGuardrailTripwireTriggered']).toMatchObject({ result: toolResult });
    expect(each['ToolOutputGuardrailTripwireTriggered']).toMatchObject({ result: toolResult });
    const cause = new Error('why');
    expect(new UserError('x', { cause }).cause).toBe(cause);
    expect(new UserError('x')).not.toHaveProperty('cause');
    const facts = {
      kind: 'rate_limit',
      message: 'Slow down.',
      status: 429,
      requestId: 'r',
      retryAfterMs: 5,
      body: {},
      cause,
    } as const;
    expect(new ModelError(facts)).toMatchObject({ ...facts, retryable: true });
    expect(new ModelError({ kind: 'server', message: 'x', retryable: false }).retryable).toBe(false);
  });

  test('retryable follows the kind', () => {
    const kinds = [
      'rate_limit',
      'quota',
      'auth',
      'invalid_request',
      'not_found',
      'context_length',
      'content_filter',
      'overloaded',
      'server',
      'network',
      'timeout',
      'aborted',
      'protocol',
      'unknown',
    ] as const;
    const retryable = kinds.filter((kind) => new ModelError({ kind, message: 'x' }).retryable);
    expect(retryable).toEqual(['rate_limit', 'overloaded', 'server', 'network', 'timeout']);
  });

  test('an error of a run carries what it had done and a state that resumes it', async () => {
    const ping = tool({ name: 'ping', description: 'P.', parameters: { type: 'object' }, execute: () => 'pong' });
    const model = new ScriptedModel([[call('ping')], 'done']);
    const agent = new Agent({ name: 'A', model, tools: [ping] });
    const error = await rejection(Runner.run(agent, 'go', { maxTurns: 1 }));
    if (!(error instanceof MaxTurnsExceededError)) throw new Error('another error');
    expect(error.runData).toMatchObject({ input: [{ content: 'go' }], usage: { requests: 1 }, lastAgent: agent });
    expect(error.runData?.newItems.map(({ type }) => type)).toEqual(['tool_call_item', 'tool_call_output_item']);
    expect(error.state).toBeInstanceOf(RunState);
    expect((await Runner.run(agent, error.state!, { maxTurns: 2 })).finalOutput).toBe('done');
    // Printed or sent to a log, an error does not show the conversation.
    expect(JSON.stringify(error)).not.toContain('pong');
    expect(Object.keys(error)).not.toContain('runData');
  });
});

describe('wrong configuration', () => {
  const schema = { type: 'object' } as const;
  const execute = () => 'x';

  type Case = {
    agent?: (model: ScriptedModel) => AnyAgent;
    input?: unknown;
    options?: RunOptions<unknown>;
    says: readonly string[];
  };
  const provider = { name: 'p', getModel: () => new ScriptedModel(['x']) };
  const cases: { readonly [what: string]: Case } = {
    'an agent without a model or provider': {
      agent: () => new Agent({ name: 'A' }),
      says: ["Agent 'A' has no model", 'runConfig.modelProvider'],
    },
    'a model name without a provider': {
      agent: () => new Agent({ name: 'A', model: 'gpt-5' }),
      says: ["Agent 'A' names the model 'gpt-5'", 'runConfig.modelProvider'],
    },
    'an agent without a model behind a handoff': {
      agent: (model) =>
        new Agent({
          name: 'A',
          model,
          handoffs: [new Agent({ name: 'B', model, handoffs: [new Agent({ name: 'C' })] })],
        }),
      says: ["Agent 'C' has no model"],
    },
    'two agents of one name': {
      agent: (model) => new Agent({ name: 'A', model, handoffs: [new Agent({ name: 'A', model })] }),
      says: ["two of them have the name 'A'", 'rename'],
    },
    'two tools of one name': {
      agent: (model) => {
        const tools = [1, 2].map(() => tool({ name: 't', description: 'T.', parameters: schema, execute }));
        return new Agent({ name: 'A', model, tools });
      },
      says: ["Agent 'A' tools", "called 't'"],
    },
    'an agent among the tools': {
      agent: (model) => new Agent({ name: 'A', model, tools: [new Agent({ name: 'B', model }) as never] }),
      says: ["Agent 'A' tools", 'agent.asTool()'],
    },
    'a function tool as the Responses API spells it': {
      agent: (model) => new Agent({ name: 'A', model, tools: [{ type: 'function', name: 't', parameters: {} }] }),
      says: ["Agent 'A' tools", 'tool()'],
    },
    'undefined among the tools': {
      agent: (model) => new Agent({ name: 'A', model, tools: [undefined as never] }),
      says: ["Agent 'A' tools", 'got undefined'],
    },
    'an output type without a JSON Schema': {
      agent: (model) =>
        new Agent({
          name: 'A',
          model,
          outputType: { '~standard': { version: 1, vendor: 'acme', validate: (value) => ({ value }) } },
        }),
      says: ["Agent 'A' outputType", 'acme'],
    },
    'something that is no agent': {
      agent: () => ({ name: 'A', instructions: 'Hi.' }) as never,
      says: ['agent: expected an Agent', 'new Agent('],
    },
    'no agent at all': { agent: () => undefined as never, says: ['agent: expected an Agent', 'got undefined'] },
    'no input': { input: undefined, says: ['input: expected a string or an array of items, got undefined'] },
    'an input that is one item': { input: { role: 'user', content: 'x' }, says: ['input: expected', 'got an object'] },
    'an input with a wrong role': { input: [{ role: 'bot', content: 'x' }], says: ['input[0].role', "'user'"] },
    'an input without content': { input: [{ role: 'user', text: 'x' }], says: ['input[0].content'] },
    'an input with a wrong part': {
      input: ['a', { role: 'user', content: [{ type: 'text', text: 'x' }] }].slice(1),
      says: ['input[0].content[0].type', 'input_text'],
    },
    'maxTurns of 0': { options: { maxTurns: 0 }, says: ['maxTurns', 'above 0 or null, got 0'] },
    'maxTurns that is no number': { options: { runConfig: { maxTurns: '3' as never } }, says: ['maxTurns', 'got 3'] },
    'a concurrency of 0': {
      options: { runConfig: { toolExecution: { maxConcurrency: 0 } } },
      says: ['runConfig.toolExecution.maxConcurrency', 'above 0', 'got 0'],
    },
    'a session and a conversation': {
      options: { session: new MemorySession(), conversationId: 'c' },
      says: ['session, conversationId', 'give one of them'],
    },
    'a session and a previous response': {
      options: { session: new MemorySession(), previousResponseId: 'r' },
      says: ['session, previousResponseId', 'give one of them'],
    },
    'a conversation and a previous response': {
      options: { conversationId: 'c', previousResponseId: 'r' },
      says: ['conversationId, previousResponseId', 'give one of them'],
    },
    'an input filter that returns nothing': {
      options: { runConfig: { callModelInputFilter: (async () => undefined) as never } },
      says: ['runConfig.callModelInputFilter', '{ input, instructions }', 'got undefined'],
    },
    'a session callback that returns nothing': {
      options: {
        session: new MemorySession({ items: [{ role: 'user', content: 'before' }] }),
        runConfig: { sessionInputCallback: (async () => undefined) as never },
      },
      says: ['runConfig.sessionInputCallback', 'got undefined'],
    },
  };

  test.for(Object.entries(cases))(
    verifies('E2', '%s is a UserError before any request, streamed or not'),
    async ([, { agent, input, options = {}, says }]) => {
      const model = new ScriptedModel(['never']);
      const started = (agent ?? (() => new Agent({ name: 'A', model })))(model) as Agent;
      const given = (says.some((word) => word.startsWith('input')) ? input : 'go') as RunInput;
      const plain = await rejection(Runner.run(started, given, options));
      const streamed = await rejection(
        (async () => {
          for await (const event of Runner.runStreamed(started, given, options)) void event;
        })(),
      );
      for (const error of [plain, streamed]) {
        expect(error).toBeInstanceOf(UserError);
        for (const word of says) expect(String(error)).toContain(word);
      }
      expect(model.requests).toHaveLength(0);
    },
  );

  test(verifies('E2', 'a right one of each is accepted'), async () => {
    const options = { maxTurns: null, runConfig: { modelProvider: provider, toolExecution: { maxConcurrency: 1 } } };
    const input = [{ role: 'user' as const, content: [{ type: 'input_text' as const, text: 'x' }] }];
    const agent = new Agent({ name: 'A', handoffs: [new Agent({ name: 'B' })], tools: [{ type: 'web_search' }] });
    await expect(Runner.run(agent, input, options)).resolves.toMatchObject({ finalOutput: 'x' });
  });

  test(verifies('E2', 'what is wrong in a tool, a handoff or an agent is said where it is written'), () => {
    const wrong: readonly [() => unknown, string][] = [
      [
        () => tool({ name: 't', description: 'T.', execute } as never),
        "Tool 't' parameters: expected a Standard Schema or a JSON Schema",
      ],
      [
        () => tool({ name: 't', description: 'T.', parameters: { type: 'string' }, execute }),
        "Tool 't' parameters: expected a schema of type 'object'",
      ],
      [() => tool({ name: 't', description: 'T.', parameters: z.array(z.string()), execute }), "Tool 't' parameters"],
      [() => tool({ name: 'two words', description: 'T.', parameters: schema, execute }), 'Tool name: expected'],
      [() => tool({ name: '', description: 'T.', parameters: schema, execute }), 'Tool name: expected'],
      [() => tool({ name: 't', parameters: schema, execute } as never), "Tool 't' description"],
      [
        () => tool({ name: 't', description: 'T.', parameters: schema } as never),
        "Tool 't' execute: expected a function",
      ],
      [() => new Agent({ name: ' ' }), 'Agent name: expected a non-empty string'],
      [() => new Agent({} as never), 'Agent name: expected a non-empty string, got undefined'],
      [() => handoff(new Agent({ name: 'B' }), { inputSchema: { type: 'number' } }), "Handoff to 'B' inputSchema"],
    ];
    for (const [make, words] of wrong) {
      expect(make).toThrow(UserError);
      expect(make).toThrow(words);
    }
  });

  const asks = tool({ name: 'asks', description: 'A.', parameters: schema, needsApproval: true, execute });
  async function stopped() {
    const model = new ScriptedModel([[call('asks')], 'done']);
    const agent = new Agent({ name: 'First', model, tools: [asks] });
    return { model, agent, state: (await Runner.run(agent, 'go')).state };
  }

  test(verifies('E2', 'a state of another agent is refused, as text and as it is'), async () => {
    const { model, state } = await stopped();
    const other = new Agent({ name: 'Other', model });
    expect(() => RunState.fromString(other, state.toString())).toThrow(UserError);
    expect(() => RunState.fromString(other, state.toString())).toThrow(/no agent 'First' .* only 'Other'/);
    const error = await rejection(Runner.run(other, state));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/no agent 'First' .* only 'Other'/);
    expect(model.requests).toHaveLength(1);
  });

  test(verifies('E2', 'a state of a newer version is refused, and so is what is no state'), async () => {
    const { agent, state } = await stopped();
    const stored = JSON.parse(state.toString()) as { version: number };
    const newer = JSON.stringify({ ...stored, version: stored.version + 1 });
    const read = (text: string) => () => RunState.fromString(agent, text);
    expect(read(newer)).toThrow(UserError);
    expect(read(newer)).toThrow(/version 2; update @polyrun\/core/);
    for (const text of [
      '',
      'null',
      '[]',
      '{}',
      '{"version":1}',
      '{"version":1,"state":{}}',
      state.toString().slice(0, -1),
    ]) {
      expect(read(text)).toThrow(UserError);
      expect(read(text)).toThrow(/RunState\.fromString text/);
    }
  });

  test(verifies('E2', 'a decision on something that does not wait is refused'), async () => {
    const { state } = await stopped();
    const [item] = state.interruptions;
    expect(() => state.approve({ ...item!, callId: 'other' })).toThrow(/no call 'other' waits for approval/);
    expect(() => state.reject({ ...item!, arguments: '{"x":1}' })).toThrow(UserError);
  });
});
