import type {
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
