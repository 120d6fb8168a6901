import type {
  CallContext,
  GuardrailOutput,
  InputGuardrail,
  InputItem,
  Item,
  RunStreamEvent,
  Session,
  StreamedRunResult,
  Tool,
} from '../../src/index.ts';
import { inputToItems, tool } from '../../src/index.ts';
import { latch } from './scripts.ts';
import { toyModel, type Chunk } from './toy-model.ts';

/** An event in a word or two. */
export function word(event: RunStreamEvent): string {
  switch (event.type) {
    case 'raw_response_event':
      return event.data.type;
    case 'agent_updated_stream_event':
      return `agent ${event.newAgent.name}`;
    case 'nested_run_event':
      return `${event.callId}: ${word(event.event)}`;
    case 'run_item_stream_event':
      return 'callId' in event.item ? `${event.name} ${event.item.callId}` : event.name;
  }
}

/** Everything but the raw events. */
export function words(events: readonly RunStreamEvent[]): string[] {
  return events.filter(({ type }) => type !== 'raw_response_event').map(word);
}

/** Reads a stream in the background: what came, and the promise of its end. */
export function reading(stream: AsyncIterable<RunStreamEvent>): { events: RunStreamEvent[]; end: Promise<unknown> } {
  const events: RunStreamEvent[] = [];
  const read = async () => {
    try {
      for await (const event of stream) events.push(event);
      return 'ended';
    } catch (error) {
      return error;
    }
  };
  return { events, end: read() };
}

/** All events of a stream. */
export async function all(stream: StreamedRunResult<never, unknown> | AsyncIterable<RunStreamEvent>) {
  const events: RunStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Lets everything happen that needs no timer. */
export async function idle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  for (let round = 0; round < 200; round++) await Promise.resolve();
}

/** A tool that notes in `log` that it ran. */
export function noting(name: string, log: string[], output: unknown = `${name} output`): Tool {
  return tool({
    name,
    description: `Notes ${name}.`,
    parameters: { type: 'object' },
    execute: () => {
      log.push(name);
      return output;
    },
  });
}

/** A tool that a person must approve. */
export function payTool(): Tool {
  return tool({
    name: 'pay',
    description: 'Pays.',
    parameters: { type: 'object' },
    needsApproval: true,
    execute: () => 'paid',
  });
}

/** An input guardrail whose verdict the test gives. */
export function gatekeeper(gate: NonNullable<InputGuardrail<unknown>['gate']>, name: string = gate) {
  const verdict = latch<GuardrailOutput>();
  let asked = 0;
  const guardrail: InputGuardrail<unknown> = {
    name,
    gate,
    execute: () => {
      asked += 1;
      return verdict.promise;
    },
  };
  return {
    guardrail,
    asked: () => asked,
    pass: () => verdict.open({ tripwireTriggered: false }),
    trip: () => verdict.open({ tripwireTriggered: true, outputInfo: 'no' }),
    break: verdict.break,
  };
}

/** The least that a session can be. */
export class PlainSession implements Session {
  readonly sessionId = 'plain';
  readonly items: Item[] = [];
  writes = 0;

  async read(): Promise<{ items: Item[]; version: string }> {
    return { items: [...this.items], version: String(this.writes) };
  }

  async addItems(items: readonly InputItem[]): Promise<{ version: string }> {
    this.items.push(...inputToItems(items));
    this.writes += 1;
    return { version: String(this.writes) };
  }

  async getItems(): Promise<Item[]> {
    return [...this.items];
  }

  async popItem(): Promise<Item | undefined> {
    return this.items.pop();
  }

  async clear(): Promise<void> {
    this.items.length = 0;
  }

  /** What it holds, in a word each. */
  get words(): string[] {
    return this.items.map((item) => (item.type === 'message' ? item.role : item.type));
  }
}

/** The rejections that nobody handled while `body` went on. */
export async function unhandledDuring(body: () => Promise<void>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const note = (reason: unknown) => void seen.push(reason);
  process.on('unhandledRejection', note);
  try {
    await body();
    // Node tells of them after the microtasks of a turn of its event loop.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => void setImmediate(resolve));
  } finally {
    process.off('unhandledRejection', note);
  }
  return seen;
}

/** Rejects with its reason as soon as a signal is aborted. */
export async function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  signal?.throwIfAborted();
  await new Promise((resolve) => {
    signal?.addEventListener('abort', resolve);
  });
  signal?.throwIfAborted();
  throw new Error('Not aborted.');
}

/** A model whose turns are chunks; a turn of `null` speaks a word and then waits until it is aborted. */
export function staged(turns: readonly (readonly Chunk[] | null)[]) {
  const seen = { calls: 0, signals: [] as AbortSignal[] };
  const model = toyModel({
    async *open(_body, { signal }: CallContext) {
      if (signal) seen.signals.push(signal);
      const turn = turns[seen.calls++];
      if (turn) yield* turn;
      else {
        yield { type: 'text', delta: 'Well, ' };
        await untilAborted(signal);
      }
    },
  });
  return { model, seen };
}

/** A tool that waits for its signal, or for the test. */
export function waitingTool(name = 'wait') {
  const seen = { started: 0, aborted: 0, keys: [] as string[] };
  const settle = latch<string>();
  const made = tool({
    name,
    description: 'Waits.',
    parameters: { type: 'object' },
    execute: (_args, { signal, idempotencyKey }) => {
      seen.started += 1;
      seen.keys.push(idempotencyKey);
      signal.addEventListener('abort', () => (seen.aborted += 1));
      return Promise.race([settle.promise, untilAborted(signal)]);
    },
  });
  return { tool: made, seen, settle };
}
