import {
  Agent,
  handoff,
  MaxTurnsExceededError,
  MemorySession,
  Runner,
  ToolCallError,
  tool,
  type AgentsError,
  type Item,
  type ModelRequest,
  type OutputItem,
  type RunOptions,
  type RunState,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';

/** One way for a run to stop before its end. `stop` gives its state; `go` is what it takes to go on. */
export type Case = {
  agent: () => Agent;
  stop: (agent: Agent) => Promise<RunState>;
  go: () => RunOptions<unknown>;
  /** What the run has come to once it has gone on to its end: the kinds of its new items. */
  items: readonly string[];
};

/** Answers from the request alone: one turn of calls for each of `turns`, then the end. */
function model(name: string, turns: readonly (readonly OutputItem[])[], id = false): ScriptedModel {
  const answer = ({ input }: ModelRequest) => {
    // Outputs count as well: a provider that keeps the conversation is told no more.
    const made = input.map(idOf);
    const output = turns.find((items) => !items.some((item) => made.includes(idOf(item)))) ?? `end of ${name}`;
    if (!id) return output;
    const said = typeof output === 'string' ? [message(output)] : output;
    return {
      id: `resp_${made.length}`,
      model: name,
      output: said,
      usage,
      stop: { type: 'end', raw: null },
      adaptations: [],
    } as const;
  };
  return new ScriptedModel(Array.from({ length: 20 }, () => answer));
}

const usage = {
  requests: 1,
  inputTokens: 9,
  outputTokens: 4,
  totalTokens: 13,
  inputTokensDetails: { cachedTokens: 2, cacheWriteTokens: 0 },
  outputTokensDetails: { reasoningTokens: 1 },
  source: 'reported',
} as const;

function idOf(item: Item): string | undefined {
  return 'call_id' in item && typeof item.call_id === 'string' ? item.call_id : item.id;
}

function message(text: string): OutputItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] };
}

const parameters = { type: 'object', properties: { n: { type: 'number' } } };
const free = tool({ name: 'free', description: 'Just runs.', parameters, execute: () => ({ ran: 'free' }) });
const pay = tool({ name: 'pay', description: 'Asks.', parameters, needsApproval: true, execute: () => 'paid' });

/** Fails in the process that makes the states, and works in all later ones. */
function shaky(works: boolean) {
  return tool({
    name: 'shaky',
    description: 'Fails once.',
    parameters,
    errorFunction: null,
    execute: () => {
      if (works) return 'up again';
      throw new Error('down');
    },
  });
}

const asking = () =>
  new Agent({
    name: 'Asking',
    model: model('Asking', [[call('pay', { n: 1 }, 'p1'), call('free', {}, 'f1'), call('pay', { n: 2 }, 'p2')]]),
    tools: [pay, free],
  });

function deep(): Agent {
  const inner = new Agent({
    name: 'Inner',
    model: model('Inner', [[call('pay', { n: 3 }, 'p'), call('free', {}, 'f')]]),
    tools: [pay, free],
  });
  const middle = new Agent({
    name: 'Middle',
    model: model('Middle', [[call('inner', { input: 'in' }, 'i')]]),
    tools: [inner.asTool({ toolName: 'inner' })],
  });
  return new Agent({
    name: 'Outer',
    model: model('Outer', [[call('middle', { input: 'in' }, 'm'), call('free', {}, 'fo')]]),
    tools: [middle.asTool({ toolName: 'middle' }), free],
  });
}

const failing = (works: boolean) =>
  new Agent({
    name: 'Failing',
    model: model('Failing', [[call('free', {}, 'f')], [call('shaky', {}, 's'), call('free', {}, 'f2')]]),
    tools: [free, shaky(works)],
  });

const hanging = (works: boolean) => {
  const hang = tool({
    name: 'hang',
    description: 'Hangs once.',
    parameters,
    execute: (_, { signal }) =>
      works
        ? 'here'
        : new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
  });
  return new Agent({
    name: 'Hanging',
    model: model('Hanging', [[call('free', {}, 'f'), call('hang', {}, 'h')]]),
    tools: [free, hang],
  });
};

const long = () =>
  new Agent({
    name: 'Long',
    model: model('Long', [[call('free', {}, 'a')], [call('free', {}, 'b')], [call('free', {}, 'c')]]),
    tools: [free],
  });

function passing(): Agent {
  const expert = new Agent({ name: 'Expert', model: model('Expert', [[call('pay', {}, 'p')]]), tools: [pay] });
  const inputFilter = () => ({
    inputHistory: [{ type: 'message', role: 'user', content: 'filtered' } as const],
    preHandoffItems: [],
    newItems: [],
  });
  return new Agent({
    name: 'Desk',
    model: model('Desk', [[call('transfer_to_expert', {}, 't')]]),
    handoffs: [handoff(expert, { inputFilter })],
  });
}

const chained = () =>
  new Agent({ name: 'Chained', model: model('Chained', [[call('pay', {}, 'p')]], true), tools: [pay] });

const hosted = () => {
  const request: OutputItem = {
    type: 'mcp_approval_request',
    id: 'mcpr',
    name: 'wipe',
    arguments: '{}',
    server_label: 'disk',
  };
  return new Agent({
    name: 'Hosted',
    model: model('Hosted', [[request]]),
    tools: [{ type: 'mcp', server_label: 'disk', server_url: 'https://example.com' }],
  });
};

const interrupted =
  (options: RunOptions<unknown> = {}) =>
  async (agent: Agent) =>
    (await Runner.run(agent, 'go', options)).state;

async function stateOf(running: Promise<unknown>, kind: new (...given: never[]) => AgentsError): Promise<RunState> {
  try {
    await running;
  } catch (error) {
    if (error instanceof kind && error.state) return error.state;
  }
  throw new Error('The run did not stop as it should.');
}

const history: Item[] = [{ type: 'message', role: 'user', content: 'before' }];
const output = 'tool_call_output_item';
const paid = ['tool_call_item', output, 'message_output_item'];

export const cases: { readonly [name: string]: Case } = {
  interrupted: {
    agent: asking,
    stop: interrupted(),
    go: () => ({}),
    items: ['tool_call_item', 'tool_call_item', 'tool_call_item', output, output, output, 'message_output_item'],
  },
  decided: {
    agent: asking,
    stop: async (agent) => {
      const { state } = await Runner.run(agent, 'go');
      const [first] = state.interruptions;
      if (first) state.approve(first, { always: true, arguments: { n: 0 } });
      return state;
    },
    go: () => ({}),
    items: ['tool_call_item', 'tool_call_item', 'tool_call_item', output, output, output, 'message_output_item'],
  },
  nested: {
    agent: deep,
    stop: interrupted(),
    go: () => ({}),
    items: ['tool_call_item', 'tool_call_item', output, output, 'message_output_item'],
  },
  failed: {
    agent: () => failing(true),
    stop: () => stateOf(Runner.run(failing(false), 'go'), ToolCallError),
    go: () => ({}),
    items: ['tool_call_item', output, 'tool_call_item', 'tool_call_item', output, output, 'message_output_item'],
  },
  cancelled: {
    agent: () => hanging(true),
    stop: async () => {
      const stream = Runner.runStreamed(hanging(false), 'go');
      for await (const event of stream) {
        if (event.type === 'run_item_stream_event' && event.name === 'tool_output') break;
      }
      await stream.completed;
      return stream.state;
    },
    go: () => ({}),
    items: ['tool_call_item', 'tool_call_item', output, output, 'message_output_item'],
  },
  'max-turns': {
    agent: long,
    stop: (agent) => stateOf(Runner.run(agent, 'go', { maxTurns: 2 }), MaxTurnsExceededError),
    go: () => ({ maxTurns: 5 }),
    items: ['tool_call_item', output, 'tool_call_item', output, 'tool_call_item', output, 'message_output_item'],
  },
  'handed-off': {
    agent: passing,
    stop: interrupted(),
    go: () => ({}),
    items: ['handoff_call_item', 'handoff_output_item', ...paid],
  },
  'with-session': {
    agent: asking,
    stop: interrupted({ session: new MemorySession({ items: history }) }),
    go: () => ({ session: new MemorySession({ items: [...history, { role: 'user', content: 'go' }] }) }),
    items: ['tool_call_item', 'tool_call_item', 'tool_call_item', output, output, output, 'message_output_item'],
  },
  chained: { agent: chained, stop: interrupted({ autoPreviousResponseId: true }), go: () => ({}), items: paid },
  'mcp-request': {
    agent: hosted,
    stop: interrupted(),
    go: () => ({}),
    items: ['mcp_approval_request_item', 'mcp_approval_response_item', 'message_output_item'],
  },
};
