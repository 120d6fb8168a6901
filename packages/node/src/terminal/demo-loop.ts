import {
  MemorySession,
  Runner,
  type Agent,
  type AnyAgent,
  type RunArguments,
  type RunConfig,
  type RunInput,
  type RunOptions,
  type RunResult,
  type RunState,
  type Session,
} from '@polyrun/core';
import { Lines } from './lines.ts';
import { brief, Printer } from './printer.ts';

export type DemoLoopOptions<C> = {
  context?: C | undefined;
  runConfig?: RunConfig<C> | undefined;
  /** Where the conversation is kept. Default: in memory, unless the provider keeps it (`conversationId`, `previousResponseId`). */
  session?: Session | undefined;
  /** Whether answers show as they are written. Default true. */
  stream?: boolean | undefined;
  maxTurns?: number | null | undefined;
  /** Default: those of the process. */
  input?: NodeJS.ReadableStream | undefined;
  output?: NodeJS.WritableStream | undefined;
};

/**
 * A conversation in the terminal, for trying an agent out: reads a line, shows the answer with its tool calls and handoffs, asks where
 * a tool wants approval. `exit`, `quit` or Ctrl-D end it, Ctrl-C the answer that is being written; errors are shown and end nothing.
 */
export async function runDemoLoop<C>(agent: Agent<C, unknown>, options: DemoLoopOptions<C> = {}): Promise<void> {
  const { input = process.stdin, output = process.stdout } = options;
  const printer = new Printer(output);
  const lines = new Lines(input, output);
  const conversation = new Conversation(agent, options, { printer, lines });
  try {
    for (;;) {
      const reply = await lines.ask('> ');
      if (reply.type === 'ended') return lines.isTerminal ? printer.line('') : undefined;
      if (reply.type === 'interrupted') printer.line('\n[exit, quit or Ctrl-D ends the conversation]');
      else if (/^\s*(exit|quit)\s*$/i.test(reply.text)) return;
      else if (reply.text.trim() !== '') await conversation.answer(reply.text);
    }
  } finally {
    lines.close();
  }
}

type Screen = { readonly printer: Printer; readonly lines: Lines };

class Conversation<C> {
  readonly #options: DemoLoopOptions<C>;
  readonly #printer: Printer;
  readonly #lines: Lines;
  readonly #session: Session | undefined;
  /** Who has the conversation, after handoffs. */
  #agent: Agent<C, unknown>;
  #previousResponseId: string | undefined;
  /** Items of the answer that have been shown: after an approval a result holds those before it, too. */
  #shown = 0;

  constructor(agent: Agent<C, unknown>, options: DemoLoopOptions<C>, { printer, lines }: Screen) {
    const { conversationId, previousResponseId } = options.runConfig ?? {};
    this.#agent = agent;
    this.#options = options;
    this.#printer = printer;
    this.#lines = lines;
    this.#session =
      options.session ?? ((conversationId ?? previousResponseId) === undefined ? new MemorySession() : undefined);
  }

  /** Never rejects: an answer that fails is told of. */
  async answer(text: string): Promise<void> {
    const cancelled = new AbortController();
    const cancel = () => cancelled.abort();
    process.on('SIGINT', cancel);
    this.#shown = 0;
    try {
      let input: RunInput | undefined = text;
      while (input !== undefined) {
        const result: RunResult<C, unknown> = await this.#run(input, cancelled.signal);
        input = result.interruptions.length === 0 ? this.#concluded(result) : await this.#decided(result.state);
      }
    } catch (error) {
      if (cancelled.signal.aborted) this.#printer.line('[cancelled]');
      else this.#printer.line(`[error] ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      process.off('SIGINT', cancel);
      this.#printer.endLine();
    }
  }

  async #run(input: RunInput, signal: AbortSignal): Promise<RunResult<C, unknown>> {
    const { context, runConfig, maxTurns, stream = true } = this.#options;
    const chain = this.#previousResponseId === undefined ? {} : { previousResponseId: this.#previousResponseId };
    const session = this.#session;
    const given = argumentsOf<C>({ context, runConfig, maxTurns, signal, session, ...chain });
    if (!stream) {
      const result = await Runner.run(this.#agent, input, ...given);
      const { newItems } = result;
      for (const item of newItems.slice(this.#shown)) this.#printer.item(item);
      this.#shown = newItems.length;
      return result;
    }
    const result = Runner.runStreamed(this.#agent, input, ...given);
    for await (const event of result) this.#printer.event(event);
    await result.completed;
    return result;
  }

  #concluded(result: RunResult<C, unknown>): undefined {
    // A tool's output that ended the run, or what an error handler said, has not been shown.
    if (result.newItems.at(-1)?.type !== 'message_output_item' && result.finalOutput !== undefined)
      this.#printer.line(brief(result.finalOutput));
    this.#agent = findAgent(this.#agent, result.lastAgent) ?? this.#agent;
    if (this.#options.runConfig?.previousResponseId !== undefined) this.#previousResponseId = result.lastResponseId;
  }

  /** Asks about each call that waits; `undefined` when the person would rather drop the answer. */
  async #decided(state: RunState): Promise<RunState | undefined> {
    for (const item of state.interruptions) {
      const question = `Run ${item.toolName} ${brief(item.arguments)}? [y]es, [n]o, [a]lways: `;
      if (this.#lines.isTerminal) this.#printer.endLine();
      else this.#printer.line(question);
      const reply = await this.#lines.ask(question);
      if (reply.type === 'interrupted') {
        this.#printer.line('\n[cancelled]');
        return undefined;
      }
      const word = reply.type === 'line' ? reply.text.trim().toLowerCase() : 'no';
      if (/^(y|yes|a|always)$/.test(word)) state.approve(item, { always: word.startsWith('a') });
      else state.reject(item);
    }
    return state;
  }
}

/** Whether a context is needed only the caller's own types can tell, and they have. */
function argumentsOf<C>(options: RunOptions<C>): RunArguments<C>;
function argumentsOf(options: unknown): readonly unknown[] {
  return [options];
}

/** The agent in the graph of another, where its context type is known. */
function findAgent<C>(
  from: Agent<C, unknown>,
  wanted: AnyAgent,
  seen: Set<AnyAgent> = new Set(),
): Agent<C, unknown> | undefined {
  if (from === wanted) return from;
  seen.add(from);
  for (const entry of from.handoffs) {
    const next = 'type' in entry ? entry.agent : entry;
    const found = seen.has(next) ? undefined : findAgent(next, wanted, seen);
    if (found) return found;
  }
  return undefined;
}
