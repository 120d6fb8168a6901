import { AgentsError, ModelError } from '../errors.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { Item } from '../protocol/items.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { Adaptation, ModelResponse } from '../protocol/response.ts';
import { acceptItem } from '../transcript/accept.ts';
import { CallIds } from '../transcript/call-ids.ts';
import { requestView } from '../transcript/view.ts';
import { refuseChanges, type Capabilities } from './capabilities.ts';
import type { CallContext, Model } from './model.ts';
import { askForOutput, outputAsMessage, outputAsText } from './output-strategy.ts';
import { StreamCompletion } from './stream-completion.ts';

/** Translates between requests and one wire. Pure: no clock, no network, no state between calls. */
export interface Codec<Body, Reply, Chunk> {
  /** `request.input` is already a valid view: paired, ordered, foreign parts resolved. */
  encode(request: ModelRequest, capabilities: Capabilities): { body: Body; adaptations: readonly Adaptation[] };
  /** The same for streamed and unstreamed replies. Throws `ModelError` of kind `protocol` for what is no reply. */
  decode(reply: Reply): Omit<ModelResponse, 'adaptations'>;
  /** Rebuilds the provider's own reply from its chunks, emitting deltas on the way (`ResponseEvents` makes them). */
  accumulate(): { add(chunk: Chunk): readonly ModelEvent[]; end(): Reply };
}

/** Carries bodies to one provider through its official client, whose own retries are off. */
export interface Transport<Body, Reply, Chunk> {
  send(body: Body, call: CallContext): Promise<Reply>;
  open(body: Body, call: CallContext): AsyncIterable<Chunk>;
  /** Names what `send` or `open` threw. The message never holds keys or prompts. */
  toError(error: unknown): ModelError;
}

export type ModelIdentity = { provider: string; api: string; name: string; capabilities: Capabilities };

/**
 * Makes a model from a codec and a transport. It builds the valid view of the conversation before `encode`, marks the origin of
 * what comes back, keeps call ids unique, and completes the event stream, so that an adapter cannot get these wrong.
 */
export function defineModel<Body, Reply, Chunk>(
  identity: ModelIdentity,
  codec: Codec<Body, Reply, Chunk>,
  transport: Transport<Body, Reply, Chunk>,
): Model {
  const { provider, api, name, capabilities } = identity;
  const encode = encoder(identity, codec);

  const prepare = (request: ModelRequest, call: CallContext) => {
    const encoded = encode(request);
    if (request.capabilityMode === 'strict') refuseChanges(encoded.adaptations, identity);
    call.onWire?.({ kind: 'request', data: encoded.body });
    return encoded;
  };

  const read = (reply: Reply, input: readonly Item[], { adaptations, tool }: Sent<Body>): ModelResponse => {
    const decoded = codec.decode(reply);
    const response = tool === undefined ? decoded : outputAsMessage(decoded, tool);
    const origin = { provider, api, model: response.model };
    const callIds = new CallIds(input);
    const output = response.output.map((item) => acceptItem({ ...item, origin }, provider, callIds));
    return { ...response, output, adaptations };
  };

  return {
    provider,
    name,
    capabilities,
    preview: (request) => encode(request).adaptations,

    async getResponse(request, call = {}) {
      const sent = prepare(request, call);
      try {
        const reply = await transport.send(sent.body, call);
        call.onWire?.({ kind: 'response', data: reply });
        return read(reply, request.input, sent);
      } catch (error) {
        throw failure(error, call, transport);
      }
    },

    async *streamResponse(request, call = {}) {
      const sent = prepare(request, call);
      const reply = codec.accumulate();
      const completion = new StreamCompletion();
      const shown = sent.tool === undefined ? undefined : outputAsText(sent.tool);
      try {
        for await (const chunk of transport.open(sent.body, call)) {
          call.onWire?.({ kind: 'chunk', data: chunk });
          const events = reply.add(chunk);
          for (const event of shown ? events.flatMap(shown) : events) yield* completion.admit(event, name);
        }
        yield* completion.finish(read(reply.end(), request.input, sent)).events;
      } catch (error) {
        throw failure(error, call, transport);
      }
    },
  };
}

/** What a request became on its way out. `tool`: its call is the answer. */
type Sent<Body> = { body: Body; adaptations: readonly Adaptation[]; tool?: string | undefined };

/** Fits requests to what the model can, shows it what it may see of the conversation, and writes the body. */
function encoder<Body>(
  { provider, api, capabilities }: ModelIdentity,
  codec: Pick<Codec<Body, unknown, unknown>, 'encode'>,
): (asked: ModelRequest) => Sent<Body> {
  const view = requestView({ provider, api, reasoningReplay: capabilities.reasoningReplay });
  return (asked) => {
    const { request, adaptations: strategy, tool } = askForOutput(asked, capabilities);
    const delta = (request.conversationId ?? request.previousResponseId) !== undefined;
    const { items, adaptations: shown } = view(request.input, delta);
    const { body, adaptations } = codec.encode({ ...request, input: items }, capabilities);
    return { body, tool, adaptations: [...shown, ...strategy, ...adaptations] };
  };
}

/** Errors of the core's own kinds pass; an abort is told from what it looks like to the client. */
function failure(error: unknown, call: CallContext, transport: { toError(error: unknown): ModelError }): AgentsError {
  if (error instanceof AgentsError) return error;
  if (call.signal?.aborted)
    return new ModelError({ kind: 'aborted', message: 'The model call was aborted.', cause: error });
  return transport.toError(error);
}
