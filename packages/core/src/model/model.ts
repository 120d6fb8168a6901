import type { ModelEvent } from '../protocol/events.ts';
import type { Json } from '../protocol/json.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { Adaptation, ModelErrorKind, ModelResponse } from '../protocol/response.ts';
import type { Capabilities } from './capabilities.ts';

/** What belongs to this process and this attempt, and never travels. */
export type CallContext = {
  /** Aborts the call; it must then settle soon, with a `ModelError` of kind `aborted`. */
  signal?: AbortSignal;
  /** The same for every attempt of one model call of a run. */
  idempotencyKey?: string;
  /** Sees what goes over the wire, as the vendor client has it. */
  onWire?: (tap: { kind: 'request' | 'response' | 'chunk'; data: unknown }) => void;
};

/** A call of a model by a run that waits for it without letting anything else happen: its deadlines are then the model's to keep. */
export type SyncCall = CallContext & {
  /** Milliseconds; `null`: none. Those of a stream only where the run's config names them. */
  readonly timeouts: {
    readonly requestMs: number | null;
    readonly firstByteMs?: number | null | undefined;
    readonly idleMs?: number | null | undefined;
  };
};

/** One model of one provider. Both methods give the same answer to the same request. */
export interface Model {
  readonly provider: string;
  readonly name: string;
  readonly capabilities: Capabilities;
  /** Rejects with a `ModelError`. */
  getResponse(request: ModelRequest, call?: CallContext): Promise<ModelResponse>;
  /** Open Responses events, the wire's terminal event among them, then one `polyrun:response_done` with what getResponse would return. */
  streamResponse(request: ModelRequest, call?: CallContext): AsyncIterable<ModelEvent>;
  /** What a response to this request would report as adapted, told without sending it. Throws what would be thrown before sending. */
  preview?(request: ModelRequest): readonly Adaptation[];
  /** The models that this one stands for, in the order in which they are tried: `fallback`. A run calls them itself. */
  readonly candidates?: readonly Candidate[];
  /** How another thread, process or worker makes this model: from its provider, by this name. It may hold a key: do not show it. */
  readonly reference?: ProviderReference & { modelName: string };
  /** `getResponse` for runs that may not wait (`runSync`); only a model that can answer on the calling thread has it. */
  readonly sync?: { getResponse(request: ModelRequest, call: SyncCall): ModelResponse };
}

/** A model of a `fallback`, and the kinds of its failures after which the next one is tried. */
export type Candidate = { readonly model: Model; readonly on: readonly ModelErrorKind[] };

/** A provider as JSON: the function `export` of `module` makes it from `options`. */
export type ProviderReference = { module: string; export: string; options: Json };

/** Gives models by name. What an adapter exports is a function that makes one of these. */
export interface ModelProvider {
  readonly name: string;
  /** Synchronous; authentication happens at call time. Without a name: the provider's default model. */
  getModel(modelName?: string): Model;
  /** How another thread, process or worker rebuilds this provider. Absent when it holds what cannot travel. */
  readonly reference?: ProviderReference;
}
