import { AgentsError } from '../errors.ts';
import { callError, type CallFacts } from './errors.ts';
import { redactor } from './redact.ts';
import { repliesIn, type ReplyPiece } from './replies.ts';

/** The longest time that a timer can hold, for clients that have deadlines of their own: they are the runner's. */
export const noDeadline: number = 2 ** 31 - 1;

type Signalled = { readonly signal?: AbortSignal };

/** How bodies of one wire are posted and replies put together. */
export type ReplyWire<Body, Reply> = {
  readonly provider: string;
  /** The text that closes a stream, where the wire has one; `accumulate` is handed it. */
  readonly mark?: string;
  /**
   * Sends a body through the client; `facts` are there before anything can fail; `streamed` is for wires that stream at another address.
   * Throws a `UserError` when address or key is missing.
   */
  connect(
    body: Body,
    streamed: boolean,
  ): Promise<{ facts: CallFacts; readonly post: (signal: AbortSignal | undefined) => Promise<Response> }>;
  /** The body that asks for a stream. Default: the same. */
  streamed?(body: Body): Body;
  accumulate(): { add(piece: ReplyPiece): unknown; end(): Reply };
  /** A reply that was not streamed. */
  whole(piece: ReplyPiece): Reply;
};

/** Carries bodies through a client that hands out raw responses, whose own reader of streams would hide pings and cuts. */
export function replyTransport<Body, Reply>(
  wire: ReplyWire<Body, Reply>,
): {
  send(body: Body, call: Signalled): Promise<Reply>;
  open(body: Body, call: Signalled): AsyncGenerator<ReplyPiece>;
  toError(error: unknown): ReturnType<typeof callError>;
} {
  async function* call(asked: Body, { signal }: Signalled, streamed: boolean): AsyncGenerator<ReplyPiece> {
    const body = streamed ? (wire.streamed?.(asked) ?? asked) : asked;
    const { facts, post } = await wire.connect(body, streamed);
    try {
      yield* repliesIn(await post(signal), facts, wire.mark);
    } catch (error) {
      throw error instanceof AgentsError || signal?.aborted ? error : callError(error, facts);
    }
  }
  return {
    async send(body, context) {
      const streamed = wire.accumulate();
      for await (const piece of call(body, context, false)) {
        // Some gateways stream whatever is asked.
        if (piece.whole) return wire.whole(piece);
        streamed.add(piece);
      }
      return streamed.end();
    },
    open: (body, context) => call(body, context, true),
    toError: (error) => callError(error, { provider: wire.provider, redact: redactor() }),
  };
}
