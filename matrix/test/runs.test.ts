import type { ChatCompletionRequest, FixtureResponse } from '@copilotkit/aimock';
import {
  Agent,
  fallback,
  handoff,
  jsonSchema,
  MemorySession,
  MultiProvider,
  Runner,
  RunState,
  tool,
  type AnyAgent,
  type Item,
  type ModelProvider,
  type RunConfig,
  type RunInput,
} from '@polyrun/core';
import { afterEach, describe, expect, test } from 'vitest';
import { verifies } from '../../packages/core/test/requirements.ts';
import { apis, instructionsIn, textOf, turnIn, World, type Script } from './support/world.ts';

let world: World;
afterEach(() => world.close());

const thinking: RunConfig = { modelSettings: { reasoning: { effort: 'high' } }, retry: { maxRetries: 0 } };
const pairs = apis.flatMap((from) => apis.filter((to) => to !== from).map((to) => ({ from, to })));
const both = pairs.flatMap((pair) => [false, true].map((streamed) => ({ ...pair, streamed })));

/** Runs an agent and gives what came of it, in one shape for both ways. */
async function ran(
  agent: AnyAgent,
  input: RunInput,
  options: { streamed: boolean } & Parameters<typeof Runner.run>[2],
) {
  const { streamed, ...rest } = options;
  if (!streamed) return Runner.run(agent as Agent<unknown, unknown>, input, rest);
  const stream = Runner.runStreamed(agent as Agent<unknown, unknown>, input, rest);
  for await (const event of stream) if (event.type === 'raw_response_event') continue;
  await stream.completed;
  return stream;
}

const lookup = tool({
  name: 'lookup',
  description: 'Looks something up.',
  parameters: {
    type: 'object',
    properties: { what: { type: 'string' } },
    required: ['what'],
    additionalProperties: false,
  },
  execute: () => 'forty-two',
});

describe.each(both)(
  'a handoff from $from to $to and back, in one run (streamed: $streamed)',
  ({ from, to, streamed }) => {
    test(verifies('X2', verifies('X1', 'keeps the conversation, and each issuer its own')), async () => {
      world = await World.start(desk);
      const front: Agent = new Agent({
        name: 'Front',
        instructions: 'You are the front desk.',
        model: world.provider(from).getModel(),
        handoffs: () => [handoff(expert)],
      });
      const expert: Agent = new Agent({
        name: 'Expert',
        instructions: 'You are the expert.',
        model: world.provider(to).getModel(),
        tools: [lookup],
        handoffs: () => [handoff(front)],
      });

      const result = await ran(front, 'What is the answer?', { streamed, runConfig: thinking });

      expect([result.finalOutput, result.lastAgent.name]).toEqual(['The answer is forty-two.', 'Front']);
      expect(world.problems).toEqual([]);
      expect(world.asked.map(({ api }) => api)).toEqual([from, to, to, from]);
      const [first, back = ''] = world.bodies(from);
      expect(first).not.toContain('forty-two');
      expect(back).toContain('forty-two');
      expectSecretsAtHome(result.newItems.map(({ rawItem }) => rawItem));
    });
  },
);

/** What items hold for their issuer alone is in no request to another; the first of each issuer came back to it. */
function expectSecretsAtHome(items: readonly Item[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (item.type !== 'reasoning' || !item.encrypted_content || !item.origin) continue;
    const secret = JSON.stringify(item.encrypted_content);
    const home = item.origin.api;
    for (const { api, body } of world.asked) if (api !== home) expect(JSON.stringify(body)).not.toContain(secret);
    if (!seen.has(home)) expect(world.bodies(home).at(-1)).toContain(secret);
    seen.add(home);
  }
}

/** The front desk hands over, the expert looks up and hands back, and both think aloud. */
function desk(request: ChatCompletionRequest): FixtureResponse {
  const turn = turnIn(request);
  const known = turn.some((message) => textOf(message).includes('forty-two'));
  if (instructionsIn(request).includes('front desk'))
    return known
      ? { content: 'The answer is forty-two.', reasoning: 'The expert knew.' }
      : call('transfer_to_expert', {}, 'An expert is needed.');
  return known ? call('transfer_to_front', {}, 'That is it.') : call('lookup', { what: 'answer' }, 'Look it up.');
}

function call(name: string, args: object, reasoning: string): FixtureResponse {
  const reasoningSignature = btoa(`signature of ${reasoning}`.padEnd(64));
  return { toolCalls: [{ name, arguments: JSON.stringify(args) }], reasoning, reasoningSignature };
}

/** Uses the tool, then says how many messages of the user there were. */
const counting: Script = (request) => {
  if (turnIn(request).some(({ role }) => role === 'tool')) {
    const asked = request.messages.filter(
      (message) => message.role === 'user' && textOf(message).startsWith('Question'),
    );
    return { content: `Answer ${asked.length}.`, reasoning: 'Counted.' };
  }
  return call('lookup', { what: 'the count' }, 'Count first.');
};

describe.each([false, true])('one session (streamed: %s)', (streamed) => {
  test(verifies('X2', verifies('X4', 'visits all four providers and comes home')), async () => {
    world = await World.start(counting);
    const session = new MemorySession();
    const agent = new Agent({ name: 'Traveller', instructions: 'Count.', tools: [lookup] });
    const tour = [...apis, ...apis];
    for (const [index, api] of tour.entries()) {
      const runConfig = { ...thinking, modelProvider: world.provider(api) };
      const result = await ran(agent, `Question ${index + 1}`, { streamed, session, runConfig });
      expect(result.finalOutput).toBe(`Answer ${index + 1}.`);
    }
    expect(world.problems).toEqual([]);
    const items = await session.getItems();
    expect(items.filter(({ type }) => type === 'function_call')).toHaveLength(tour.length);
    for (const api of apis) {
      const [first = [], ...later] = world.asked.filter((asked) => asked.api === api).map(conversationOf);
      for (const conversation of later) expect(conversation.slice(0, first.length)).toEqual(first);
    }
    expectSecretsAtHome(items);
  });

  test(verifies('N2', 'stores what was said, whoever said it, as it was said'), async () => {
    world = await World.start(counting);
    const session = new MemorySession();
    const agent = new Agent({ name: 'Traveller', instructions: 'Count.', tools: [lookup] });
    for (const api of apis)
      await ran(agent, 'Question', {
        streamed,
        session,
        runConfig: { ...thinking, modelProvider: world.provider(api) },
      });
    const before = JSON.stringify(await session.getItems());
    await ran(agent, 'Question', {
      streamed,
      session,
      runConfig: { ...thinking, modelProvider: world.provider('mistral') },
    });
    expect(JSON.stringify(await session.getItems()).startsWith(before.slice(0, -1))).toBe(true);
    const issuers = new Set((await session.getItems()).flatMap(({ origin }) => (origin ? [origin.api] : [])));
    expect([...issuers].sort()).toEqual([...apis].sort());
  });
});

function conversationOf({ body }: { body: { readonly [field: string]: unknown } }): string[] {
  const entries = (body['input'] ?? body['messages']) as { [field: string]: unknown }[];
  return entries.map((entry) =>
    JSON.stringify(entry, (key, value: unknown) => (key === 'cache_control' ? undefined : value)),
  );
}

describe.each(both)('fallback from $from to $to (streamed: $streamed)', ({ from, to, streamed }) => {
  test(verifies('R3', 'goes on where the first one fails, in the middle of a run too'), async () => {
    let calls = 0;
    world = await World.start((request) => {
      calls++;
      // The first turn is the first model's; from then on it is overloaded.
      const failing = calls > 1 && isOf(from, request);
      return failing ? { error: { message: 'busy', type: 'overloaded' }, status: 503 } : counting(request);
    });
    const model = fallback(world.provider(from).getModel(), world.provider(to).getModel());
    const agent = new Agent({ name: 'Steady', instructions: 'Count.', tools: [lookup], model });

    const result = await ran(agent, 'Question', { streamed, runConfig: thinking });

    expect(result.finalOutput).toBe('Answer 1.');
    expect(world.problems).toEqual([]);
    expect(world.asked.map(({ api }) => api)).toEqual([from, from, to]);
    const said = result.newItems.flatMap(({ type, rawItem }) =>
      type === 'message_output_item' || type === 'tool_call_item' ? [rawItem.origin?.api] : [],
    );
    expect(said).toEqual([from, to]);
  });

  function isOf(api: string, { model }: ChatCompletionRequest): boolean {
    return world.provider(api).getModel().name === model;
  }
});

describe('MultiProvider with names of one’s own', () => {
  const prefixes: { [prefix: string]: string } = {
    openai: 'openai-responses',
    claude: 'anthropic-messages',
    mistral: 'mistral',
    chat: 'chat-completions',
  };
  const models = {
    fast: 'mistral/mistral-small-latest',
    careful: { fallback: ['claude/claude-sonnet-4-5', 'openai/gpt-5.6'] },
    usual: 'fast',
  } as const;
  const routed = () =>
    new MultiProvider(
      Object.fromEntries(Object.entries(prefixes).map(([prefix, api]) => [prefix, world.provider(api)])),
      { models, default: 'usual' },
    );

  test.each([
    [undefined, 'mistral'],
    ['fast', 'mistral'],
    ['careful', 'anthropic-messages'],
    ['chat/deepseek-reasoner', 'chat-completions'],
    ['openai', 'openai-responses'],
  ])('%s goes to %s', async (model, api) => {
    world = await World.start(counting);
    const agent = new Agent({
      name: 'Named',
      instructions: 'Count.',
      tools: [lookup],
      ...(model !== undefined && { model }),
    });
    const result = await Runner.run(agent, 'Question', { runConfig: { ...thinking, modelProvider: routed() } });
    expect([result.finalOutput, new Set(world.asked.map((asked) => asked.api)), world.problems]).toEqual([
      'Answer 1.',
      new Set([api]),
      [],
    ]);
  });
});

describe.each(apis)('an agent with two tools and an output type on %s', (api) => {
  const outputType = jsonSchema<{ city: string; degrees: number }>({
    type: 'object',
    properties: { city: { type: 'string' }, degrees: { type: 'number' } },
    required: ['city', 'degrees'],
    additionalProperties: false,
  });
  const plain = (name: string, value: unknown) =>
    tool({
      name,
      description: `Tells the ${name}.`,
      parameters: { type: 'object', properties: {}, additionalProperties: false },
      execute: () => value,
    });

  test(verifies('S1', 'gives the same streamed and unstreamed'), async () => {
    world = await World.start((request) => {
      const answers = turnIn(request).filter(({ role }) => role === 'tool').length;
      const names = (request.tools ?? []).map((each) => each.function.name);
      const report = { city: 'Rome', degrees: 31 };
      if (answers === 0)
        return {
          ...call('place', {}, 'Where?'),
          toolCalls: ['place', 'weather'].map((name) => ({ name, arguments: '{}' })),
        };
      return names.includes('final_output')
        ? call('final_output', report, 'All is known.')
        : { content: JSON.stringify(report) };
    });
    const agent = new Agent({ name: 'Reporter', tools: [plain('place', 'Rome'), plain('weather', 31)], outputType });
    const outcomes = [];
    for (const streamed of [false, true]) {
      const result = await ran(agent, 'Report.', {
        streamed,
        runConfig: { ...thinking, modelProvider: world.provider(api) },
      });
      const { finalOutput, usage, adaptations } = result;
      outcomes.push({
        finalOutput,
        usage,
        adaptations,
        items: result.newItems.map(({ type, rawItem }) => [type, withoutIds(rawItem)]),
      });
    }
    expect(world.problems).toEqual([]);
    expect(outcomes[0]?.finalOutput).toEqual({ city: 'Rome', degrees: 31 });
    expect(outcomes[1]).toEqual(outcomes[0]);
  });
});

/** An item without the ids that the server makes anew each time, and what it makes of them. */
function withoutIds(item: Item): unknown {
  const { id: _id, ...rest } = item;
  return JSON.parse(
    JSON.stringify(rest, (key, value: unknown) =>
      /^(call_id|encrypted_content|id|data)$/.test(key) ? undefined : value,
    ),
  );
}

describe.each(pairs)('an approval asked by $from and answered on $to', ({ from, to }) => {
  test(verifies('I3', 'is kept across the switch, and home again'), async () => {
    world = await World.start(counting);
    const ran: unknown[] = [];
    const guarded = tool({
      name: 'lookup',
      description: 'Looks something up.',
      parameters: jsonSchema<{ what: string }>({
        type: 'object',
        properties: { what: { type: 'string' } },
        required: ['what'],
        additionalProperties: false,
      }),
      needsApproval: true,
      execute: ({ what }) => ran.push(what),
    });
    const agent = new Agent({ name: 'Careful', instructions: 'Count.', tools: [guarded] });
    const on = (api: string) => ({ runConfig: { ...thinking, modelProvider: world.provider(api) } });

    const asked = await Runner.run(agent, 'Question', on(from));
    const state = RunState.fromString(agent, asked.state.toString());
    for (const item of state.interruptions) state.approve(item, { arguments: { what: 'another count' } });
    const answered = await Runner.run(agent, state, on(to));
    const again = await Runner.run(agent, [...answered.toInputList(), { role: 'user', content: 'Question' }], on(from));

    expect([ran, answered.finalOutput, world.problems]).toEqual([['another count'], 'Answer 1.', []]);
    expect(again.interruptions).toHaveLength(1);
    const [, home] = world.bodies(from);
    // What ran is what all are shown.
    for (const body of [world.bodies(to)[0], home]) expect(body).toContain('another count');
    expectSecretsAtHome(asked.newItems.map(({ rawItem }) => rawItem));
  });
});

describe.each(apis.filter((api) => api !== 'openai-responses'))('hosted work by openai-responses, then %s', (api) => {
  test(verifies('X2', 'is told there as a short text, and goes home as it was'), async () => {
    world = await World.start((request) =>
      request.messages.some((message) => textOf(message).includes('Found')) || request.messages.length > 2
        ? { content: 'As I said.' }
        : { content: 'Found it.', webSearches: ['the weather in Oslo'] },
    );
    const agent = new Agent({ name: 'Searcher', instructions: 'Search.' });
    const home: ModelProvider = world.provider('openai-responses');
    const at = (modelProvider: ModelProvider) => ({ runConfig: { ...thinking, modelProvider } });
    const more = (list: readonly Item[]): Item[] => [...list, { type: 'message', role: 'user', content: 'And?' }];

    const first = await Runner.run(agent, 'What is the weather?', at(home));
    const hosted = first.newItems.map(({ rawItem }) => rawItem).find(({ type }) => type === 'web_search_call');
    const away = await Runner.run(agent, more(first.toInputList()), at(world.provider(api)));
    await Runner.run(agent, more(away.toInputList()), at(home));

    expect([typeof hosted?.id, world.problems]).toEqual(['string', []]);
    expect(away.adaptations.map(({ type, name }) => [type, name])).toContainEqual([
      'described_item',
      'web_search_call',
    ]);
    expect(world.bodies(api)[0]).toContain('the weather in Oslo');
    expect(world.bodies(api)[0]).not.toContain(String(hosted?.id));
    expect(world.bodies('openai-responses').at(-1)).toContain(String(hosted?.id));
  });
});
