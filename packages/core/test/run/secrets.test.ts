import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  Agent,
  AgentsError,
  handoff,
  MemoryTraceProcessor,
  ModelError,
  RunState,
  Runner,
  tool,
  type AgentOptions,
  type InputItem,
  type Model,
  type RunOptions,
  type Tool,
} from '../../src/index.ts';
import { call, message, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { response } from './scripts.ts';
import { PlainSession } from './stage.ts';

const canary = {
  key: 'sk-canary-key',
  prompt: 'canary-prompt',
  instructions: 'canary-instructions',
  arguments: 'canary-arguments',
  output: 'canary-output',
  history: 'canary-history',
} as const;

/** A model that holds a key, as an adapter's does. */
class KeyedModel extends ScriptedModel {
  readonly #key = canary.key;
  get authorization(): string {
    return `Bearer ${this.#key}`;
  }
}

const parameters = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

function leaky(more: Partial<Parameters<typeof tool>[0]> = {}): Tool {
  return tool({ name: 'leaky', description: 'Handles secrets.', parameters, execute: () => canary.output, ...more });
}

function agentOf(
  turns: readonly ScriptedTurn[],
  more: Partial<AgentOptions<unknown, unknown>> = {},
): Agent<unknown, unknown> {
  return new Agent({
    name: 'A',
    instructions: canary.instructions,
    model: new KeyedModel(turns),
    tools: [leaky()],
    ...more,
  });
}

const secret = call('leaky', { text: canary.arguments });
const badModel: Model = {
  provider: 'p',
  name: 'm',
  capabilities: {},
  getResponse: () => Promise.reject(new Error('no')),
  streamResponse: () => {
    throw new Error('no');
  },
};

/** Every way in which a run that handles secrets may fail. */
const failures: readonly [string, () => Agent<unknown, unknown>, RunOptions<unknown>?, InputItem[]?][] = [
  [
    'the provider fails',
    () => agentOf([[secret], new ModelError({ kind: 'server', message: 'down' })]),
    { runConfig: { retry: { maxRetries: 0 } } },
  ],
  ['a model of one’s own fails', () => agentOf([], { model: badModel })],
  ['turns run out', () => agentOf([[secret]]), { maxTurns: 1 }],
  ['a limit is reached', () => agentOf([[secret]]), { runConfig: { limits: { toolCalls: 0 } } }],
  [
    'arguments do not fit and errorFunction is null',
    () => agentOf([[call('leaky', { text: 1, more: canary.arguments })]], { tools: [leaky({ errorFunction: null })] }),
  ],
  [
    'arguments are no JSON and errorFunction is null',
    () => agentOf([[call('leaky', canary.arguments)]], { tools: [leaky({ errorFunction: null })] }),
  ],
  [
    'a tool takes too long',
    () =>
      agentOf([[secret]], {
        tools: [leaky({ timeoutMs: 5, timeoutBehavior: 'raise', execute: () => new Promise(() => {}) })],
      }),
  ],
  [
    'a tool is unknown',
    () => agentOf([[call('nobody', { text: canary.arguments })]]),
    { runConfig: { toolNotFoundBehavior: 'raise' } },
  ],
  [
    'a tool guardrail raises',
    () =>
      agentOf([[secret]], {
        tools: [leaky({ outputGuardrails: [{ name: 'g', execute: () => ({ type: 'raise_exception' }) }] })],
      }),
  ],
  [
    'an input guardrail trips',
    () => agentOf(['hi'], { inputGuardrails: [{ name: 'g', execute: () => ({ tripwireTriggered: true }) }] }),
  ],
  [
    'an output guardrail trips',
    () =>
      agentOf([[secret]], {
        toolUseBehavior: 'stop_on_first_tool',
        outputGuardrails: [{ name: 'g', execute: () => ({ tripwireTriggered: true }) }],
      }),
  ],
  [
    'a guardrail fails',
    () =>
      agentOf(['hi'], {
        inputGuardrails: [
          {
            name: 'g',
            execute: () => {
              throw new Error('broken');
            },
          },
        ],
      }),
  ],
  [
    'the answer is of no output type',
    () =>
      agentOf([[secret], 'no json'], {
        outputType: {
          '~standard': {
            version: 1,
            vendor: 'x',
            validate: () => ({ issues: [{ message: 'no' }] }),
            jsonSchema: { input: () => ({}) },
          },
        },
      }),
  ],
  [
    'the model refuses',
    () => agentOf([[secret], [{ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] }]]),
  ],
  ['the answer is cut', () => agentOf([[secret], response([message('half')], { stop: 'length' })])],
  [
    'the response is malformed',
    () => agentOf([[secret], response([{ type: 'reasoning', summary: canary.output as never }])]),
  ],
  [
    'the response is no response',
    () => agentOf([[secret], 'hi']),
    { runConfig: { callModelOutputFilter: () => canary.output as never } },
  ],
  [
    'the request is no request',
    () => agentOf([[secret], 'hi']),
    { runConfig: { callModelInputFilter: () => canary.prompt as never } },
  ],
  [
    'instructions are filtered away',
    () => agentOf(['hi']),
    {
      runConfig: {
        callModelInputFilter: ({ modelData }) => ({ ...modelData, instructions: [canary.instructions] as never }),
      },
    },
  ],
  [
    'a handoff filter is wrong',
    () =>
      agentOf([[secret], [call('transfer_to_b')]], {
        handoffs: [handoff(new Agent({ name: 'B', model: badModel }), { inputFilter: () => canary.prompt as never })],
      }),
  ],
  [
    'an error handler is wrong',
    () => agentOf([[secret]]),
    { maxTurns: 1, errorHandlers: { maxTurns: () => canary.output as never } },
  ],
  ['the input is a list of texts', () => agentOf(['hi']), {}, [canary.prompt as never]],
  ['the content is a list of texts', () => agentOf(['hi']), {}, [{ role: 'user', content: [canary.prompt] as never }]],
  ['the input is an odd item', () => agentOf(['hi']), {}, [{ type: 'reasoning', summary: canary.prompt as never }]],
  [
    'a session combines wrongly',
    () => agentOf(['hi']),
    { session: filled(), runConfig: { sessionInputCallback: () => [canary.history] as never } },
  ],
  ['two ways to keep a conversation', () => agentOf(['hi']), { session: filled(), conversationId: 'c' }],
];

function filled(): PlainSession {
  const session = new PlainSession();
  session.items.push({ type: 'message', role: 'user', content: canary.history });
  return session;
}

/** All that a program would log of an error. */
function logged(error: unknown): string {
  const chain: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) chain.push(String(at), at.stack ?? '');
  return [...chain, inspect(error, { depth: 10 }), JSON.stringify(error)].join('\n');
}

describe('errors', () => {
  test.for(failures)(
    verifies('E3', 'hold neither keys nor prompts nor tool data when %s'),
    async ([, agent, options = {}, input]) => {
      const given = input ?? [{ role: 'user', content: canary.prompt }];
      for (const run of [Runner.run(agent(), given, options), Runner.runStreamed(agent(), given, options).completed]) {
        const error: unknown = await run.then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(AgentsError);
        const text = logged(error);
        for (const [what, value] of Object.entries(canary)) expect(text, what).not.toContain(value);
      }
    },
  );

  test(
    verifies('E3', 'what a tool throws is its own words, told to the model and kept as the cause, no further'),
    async () => {
      const broken = leaky({
        errorFunction: null,
        execute: () => {
          throw new Error(canary.output);
        },
      });
      const error: unknown = await Runner.run(agentOf([[secret]], { tools: [broken] }), canary.prompt).catch(
        (reason: unknown) => reason,
      );
      if (!(error instanceof AgentsError) || !(error.state instanceof RunState)) throw new Error('no state');
      expect(error.message).not.toContain('canary');
      expect(error.cause).toMatchObject({ message: canary.output });
      const { failure } = JSON.parse(error.state.toString()).state.end as { failure: unknown };
      expect(JSON.stringify(failure)).not.toContain('canary');
    },
  );

  test.for(failures)(
    verifies('E3', 'what the state keeps of the failure holds none either when %s'),
    async ([, agent, options = {}, input]) => {
      const given = input ?? [{ role: 'user', content: canary.prompt }];
      const error: unknown = await Runner.run(agent(), given, options).catch((reason: unknown) => reason);
      const state: unknown = error instanceof AgentsError ? error.state : undefined;
      const end: unknown = state instanceof RunState ? JSON.parse(state.toString()).state.end : null;
      for (const value of Object.values(canary)) expect(JSON.stringify(end)).not.toContain(value);
    },
  );

  test.for(failures)(verifies('E3', 'spans hold none either when %s'), async ([, agent, options = {}, input]) => {
    const given = input ?? [{ role: 'user', content: canary.prompt }];
    const memory = new MemoryTraceProcessor();
    const runConfig = { ...options.runConfig, traceProcessors: [memory] };
    await Runner.run(agent(), given, { ...options, runConfig }).catch(() => undefined);
    const told = JSON.stringify([memory.spans, memory.traces]);
    for (const value of Object.values(canary)) expect(told).not.toContain(value);
  });

  test(verifies('E3', 'spans hold content when it is asked for, and never keys'), async () => {
    const memory = new MemoryTraceProcessor();
    const runConfig = { traceProcessors: [memory], traceIncludeSensitiveData: true };
    await Runner.run(agentOf([[secret], 'done']), canary.prompt, { runConfig });
    const told = JSON.stringify(memory.spans);
    for (const what of ['prompt', 'instructions', 'arguments', 'output'] as const) expect(told).toContain(canary[what]);
    expect(told).not.toContain(canary.key);
  });

  test(
    verifies('E3', 'events made into JSON show of agents their names: no instructions, no keys, no prompts'),
    async () => {
      const careful = leaky({ name: 'careful', needsApproval: true });
      const inner = agentOf([[secret], 'inner'], { name: 'Inner' });
      const b = agentOf([[call('careful', { text: canary.arguments })]], { name: 'B', tools: [careful] });
      const a = agentOf([[secret, call('inner', { input: 'x' })], [call('transfer_to_b')]], {
        tools: [leaky(), inner.asTool()],
        handoffs: [b],
      });
      const told: string[] = [];
      for await (const event of Runner.runStreamed(a, canary.prompt)) told.push(JSON.stringify(event));
      const text = told.join('\n');
      for (const what of ['key', 'instructions', 'prompt'] as const) expect(text, what).not.toContain(canary[what]);
      for (const name of ['A', 'B', 'Inner']) expect(text).toContain(`{"name":"${name}"}`);
      for (const type of [
        'agent_updated_stream_event',
        'nested_run_event',
        'handoff_output_item',
        'tool_approval_item',
      ])
        expect(text).toContain(`"type":"${type}"`);
    },
  );

  test(verifies('E3', 'a void attempt is told of in the provider’s words only'), async () => {
    const sound = new KeyedModel(['hi']);
    let attempts = 0;
    const model: Model = {
      ...badModel,
      async *streamResponse(request, context) {
        if (attempts++ > 0) return yield* sound.streamResponse(request, context);
        yield { type: 'response.created', sequence_number: 0, response: {} };
        const cause = new Error(canary.key);
        throw new ModelError({ kind: 'server', message: 'down', body: { echoed: canary.prompt }, cause });
      },
    };
    const runConfig = { retry: { backoff: { initialMs: 0 } } };
    const told: string[] = [];
    for await (const event of Runner.runStreamed(agentOf([], { model }), canary.prompt, { runConfig }))
      told.push(JSON.stringify(event));
    const text = told.join('\n');
    expect(text).toContain('"polyrun:attempt_discarded"');
    expect(text).toContain('"error":{"kind":"server","message":"down"}');
    for (const what of ['key', 'instructions', 'prompt'] as const) expect(text, what).not.toContain(canary[what]);
  });
});
