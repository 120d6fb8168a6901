import * as fc from 'fast-check';
import {
  Agent,
  Runner,
  RunState,
  tool,
  usageOf,
  type CallContext,
  type Hooks,
  type Journal,
  type JournalEntry,
  type Json,
  type Model,
  type ModelRequest,
  type ModelResponse,
  type OutputItem,
  type RunOptions,
  type RunResult,
  type Tool,
} from '../../src/index.ts';
import { call, message } from '../../src/testing/index.ts';

/** What one call of a made-up model leads to. */
export type Move = { type: 'plain' | 'throws' | 'asks' | 'cut' | 'guarded' } | { type: 'inner'; program: Program };
/** The calls of each turn; after the last the model answers. */
export type Program = readonly (readonly Move[])[];

const plainMove: fc.Arbitrary<Move> = fc.record({
  type: fc.constantFrom('plain' as const, 'throws' as const, 'asks' as const, 'cut' as const, 'guarded' as const),
});

/** Programs with agents as tools down to `depth`. */
export function programs(depth: number): fc.Arbitrary<Program> {
  const move =
    depth === 0
      ? plainMove
      : fc.oneof(
          { weight: 3, arbitrary: plainMove },
          {
            weight: 2,
            arbitrary: programs(depth - 1).map((program): Move => ({ type: 'inner', program })),
          },
        );
  return fc.array(fc.array(move, { minLength: 1, maxLength: 3 }), { maxLength: depth === 0 ? 1 : 2 });
}

/** What happens in a world, each thing with the key that tells it from others. */
export type Happening = { what: string; key: string };

/** Waits before something happens; the label says what. */
export type Tick = (label: string) => Promise<void>;

/** The agents that a program needs, and a record of everything that they do. */
export class World {
  readonly agent: Agent;
  readonly happened: Happening[] = [];
  readonly hooks: string[] = [];
  readonly #tick: Tick;

  constructor(program: Program, tick: Tick = async () => undefined) {
    this.#tick = tick;
    this.agent = this.#agentFor('A', program);
  }

  /** Runs to the end, a person answering whatever asks: calls of an even index are approved, others rejected. */
  async finish(input: string | RunState, options: RunOptions<unknown>): Promise<RunResult<unknown, unknown>> {
    let result = await Runner.run(this.agent, input, { maxTurns: null, ...options });
    while (result.interruptions.length > 0) {
      const state = RunState.fromString(this.agent, result.state.toString());
      for (const item of state.interruptions) {
        if (/[02468]$/.test(item.callId)) state.approve(item);
        else state.reject(item);
      }
      result = await Runner.run(this.agent, state, options);
    }
    return result;
  }

  #agentFor(name: string, program: Program): Agent {
    const tools = new Map<string, Tool>();
    for (const [turn, moves] of program.entries()) {
      for (const [index, move] of moves.entries()) {
        const id = `${name}t${turn}c${index}`;
        const made =
          move.type === 'inner' ? this.#agentFor(id, move.program).asTool({ toolName: id }) : this.#tool(move.type);
        tools.set(made.name, made);
      }
    }
    const note =
      (what: string) =>
      ({ agent, callId }: { agent: { name: string }; callId?: string }) =>
        void this.hooks.push(`${what} ${agent.name} ${callId ?? ''}`);
    const onTool = (what: string) => (at: { agent: { name: string }; toolCall: { call_id: string } }) =>
      note(what)({ agent: at.agent, callId: at.toolCall.call_id });
    const hooks: Hooks<unknown> = {
      onAgentStart: note('agent start'),
      onAgentEnd: note('agent end'),
      onToolStart: onTool('tool start'),
      onToolEnd: onTool('tool end'),
      onModelStart: ({ agent, request }) =>
        note('model start')({ agent, callId: `${agent.name}/${turnOf(request, agent.name)}` }),
      onModelEnd: ({ agent, response }) => note('model end')({ agent, callId: String(response.id) }),
    };
    return new Agent({ name, model: this.#model(name, program), tools: [...tools.values()], hooks });
  }

  #tool(type: Exclude<Move['type'], 'inner'>): Tool {
    return tool({
      name: type,
      description: `A tool that is ${type}.`,
      parameters: { type: 'object' },
      needsApproval: type === 'asks',
      inputGuardrails:
        type === 'guarded'
          ? [{ name: 'g', execute: ({ context }) => ({ type: 'allow', outputInfo: context.callId }) }]
          : [],
      execute: async (_, context) => {
        this.happened.push({ what: `tool ${context.callId}`, key: context.idempotencyKey });
        await this.#tick(`tool ${context.callId}`);
        if (type === 'throws') throw new Error(`no ${context.callId}`);
        return { from: context.callId };
      },
    });
  }

  /** Answers from the request alone, so that a call made again is answered alike. */
  #model(name: string, program: Program): Model {
    const getResponse = async (request: ModelRequest, context: CallContext = {}): Promise<ModelResponse> => {
      const turn = turnOf(request, name);
      this.happened.push({ what: `model ${name} ${turn}`, key: context.idempotencyKey ?? '' });
      await this.#tick(`model ${name} ${turn}`);
      const moves = program[turn];
      const output = moves?.map((move, index) => callFor(move, `${name}t${turn}c${index}`)) ?? [
        message(`end of ${name}`),
      ];
      return {
        id: `${name}/${turn}`,
        model: name,
        output: [{ type: 'reasoning', id: `rs_${name}_${turn}`, summary: [] }, ...output],
        usage: usageOf({ inputTokens: 10 + turn, outputTokens: 3 }),
        stop: { type: moves ? 'tool_calls' : 'end', raw: null },
        adaptations: [],
      };
    };
    return {
      provider: 'made',
      name,
      capabilities: {},
      getResponse,
      // eslint-disable-next-line require-yield
      async *streamResponse() {
        throw new Error('These runs are not streamed.');
      },
    };
  }
}

/** How often the model of that agent has called something already. */
function turnOf({ input }: ModelRequest, name: string): number {
  const turns = input.flatMap((item) => {
    const id = item.type === 'function_call' ? item.call_id : '';
    return id.startsWith(`${name}t`) ? [Number(/^t(\d+)c\d+$/.exec(id.slice(name.length))?.[1] ?? -1)] : [];
  });
  return Math.max(-1, ...turns) + 1;
}

function callFor(move: Move, id: string): OutputItem {
  const made = call(move.type === 'inner' ? id : move.type, move.type === 'inner' ? { input: `for ${id}` } : {}, id);
  return move.type === 'cut' ? { ...made, status: 'incomplete' } : made;
}

/** A journal that keeps what it is given in reach. */
export class OpenJournal implements Journal {
  readonly entries: JournalEntry[];

  constructor(entries: readonly JournalEntry[] = []) {
    this.entries = structuredClone([...entries]);
  }

  async read(): Promise<readonly JournalEntry[]> {
    return this.entries;
  }

  async append(_runId: string, entry: JournalEntry): Promise<void> {
    this.entries.push(entry);
  }
}

/** The keys of effects whose outcome is recorded: none of these may be performed again. */
export function recordedKeys(entries: readonly JournalEntry[], runId: string): Set<string> {
  const repeatable = new Set<Json | undefined>(['tool_waiting', 'aborted', 'failed']);
  return new Set(
    entries.flatMap(({ effectId, outcome }) => {
      const type = typeof outcome === 'object' && outcome !== null && 'type' in outcome ? outcome['type'] : undefined;
      return repeatable.has(type) ? [] : [`${runId}/${effectId.replace(/\/decided$/, '')}`];
    }),
  );
}

/** What a run came to, in all its parts. */
export function whole(result: RunResult<unknown, unknown>): Json {
  return JSON.parse(result.state.toString()) as Json;
}
