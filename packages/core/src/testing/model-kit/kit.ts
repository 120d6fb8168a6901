import type { Capabilities } from '../../model/capabilities.ts';
import type { Model } from '../../model/model.ts';
import type { ModelRequest } from '../../protocol/request.ts';
import type { ModelResponse } from '../../protocol/response.ts';
import type { Recorded } from './cassettes.ts';
import type { Answer, Endpoint, Received } from './endpoint.ts';
import { hello, nameOf, whole, type Ask } from './play.ts';
import { asRecorded } from './recut.ts';

/** What an adapter must do, and how that is found out. */
export type ModelCheck = {
  readonly id: string;
  /** One sentence. */
  readonly title: string;
  /** What an author whose adapter fails is to do. */
  readonly advice: string;
  /** Why the check is nothing for this adapter; `undefined` when it is. */
  readonly idle?: (subject: Subject) => string | undefined;
  /** The check says something also of an adapter that reads no answer yet; so does every check that is never idle. */
  readonly early?: true;
  /** Every problem in plain words: what was expected, what came. */
  readonly run: (kit: Kit) => Promise<readonly string[]>;
};

/** Whom the checks are for. */
export type Subject = {
  readonly capabilities: Capabilities;
  readonly recorded: readonly Recorded[];
  readonly options: ModelKitHooks;
};

/** How a model is made that calls the kit's own server. */
export type CreateModel = (at: { baseURL: string; modelName?: string }) => Model;

/** What the kit cannot know of a wire. */
export type ModelKitHooks = {
  /** What the wire forbids about a body: one sentence each, none when it is legal. Called with every body of the generated conversations. */
  readonly grammar?: (body: unknown) => readonly string[];
  /** The list in a body that grows with the conversation, without what may change in it. Default: the longest list of the body that grows. */
  readonly transcript?: (body: unknown) => readonly unknown[];
};

/** What a check works with: the adapter, a server for it, and the fixtures. */
export class Kit {
  readonly subject: Subject;
  readonly #endpoint: Endpoint;
  readonly #createModel: CreateModel;

  constructor(subject: Subject, endpoint: Endpoint, createModel: CreateModel) {
    this.subject = subject;
    this.#endpoint = endpoint;
    this.#createModel = createModel;
  }

  /** Unstreamed answers, errors left out. */
  get wholes(): readonly Recorded[] {
    return this.subject.recorded.filter((each) => !each.streaming && isAnswer(each));
  }

  /** Streams that hold an answer, errors left out. */
  get streams(): readonly Recorded[] {
    return this.subject.recorded.filter((each) => each.streaming && isAnswer(each));
  }

  /** A model whose requests are all answered so, and what it was sent. */
  at(
    answer: Answer | ((request: Received) => Answer),
    modelName?: string,
  ): { model: Model; received: Received[]; next: () => Promise<Received> } {
    const place = this.#endpoint.serve(answer);
    const { baseURL, received } = place;
    return { model: this.modelAt(baseURL, modelName), received, next: () => place.next() };
  }

  /** A model at an address of one's own. */
  modelAt(baseURL: string, modelName: string | undefined = plainest(this.subject.recorded)?.model): Model {
    return this.#createModel({ baseURL, ...(modelName !== undefined && { modelName }) });
  }

  /** A model that gets this answer to everything. */
  replay(recorded: Recorded): { model: Model; received: Received[] } {
    return this.at(asRecorded(recorded), recorded.model);
  }

  /** Why no answer can be read at all, where that is so: then most checks would have nothing to find fault with. */
  async unread(): Promise<string | undefined> {
    const plain = plainest(this.subject.recorded);
    const { response, error } = plain ? await whole(this.replay(plain).model) : { response: true, error: undefined };
    return response ? undefined : `expected an answer to a plain request (${plain?.name}), got ${nameOf(error)}`;
  }

  /** Sends a request that is answered with the plainest fixture. Tells what was sent, and what came of it. */
  async send(changes: Partial<ModelRequest>, call: Ask['call'] = {}): Promise<Sent> {
    const plain = plainest(this.subject.recorded);
    const { model, received } = plain ? this.replay(plain) : this.at({ status: 500 });
    const request = { ...hello, ...changes };
    const { response, error } = await whole(model, { request, call });
    return { response, error, model, received, body: received[0]?.body, text: received[0]?.text ?? '' };
  }

  /** The same, for what any adapter must be able to send. */
  async sent(changes: Partial<ModelRequest>, call: Ask['call'] = {}): Promise<Sent & { response: ModelResponse }> {
    const sent = await this.send(changes, call);
    const { response } = sent;
    if (response) return { ...sent, response };
    throw new Error(`expected an answer to a plain request, got ${nameOf(sent.error)}`);
  }
}

/** What became of a request. */
export type Sent = {
  readonly response: ModelResponse | undefined;
  readonly error: unknown;
  readonly model: Model;
  readonly received: readonly Received[];
  readonly body: unknown;
  readonly text: string;
};

/** Nothing but a text, unstreamed: what requests are answered with when only the request counts. */
export function plainest(recorded: readonly Recorded[]): Recorded | undefined {
  return recorded.find((each) => !each.streaming && isAnswer(each) && isPlain(each));
}

/** The same, streamed. */
export function plainStream(recorded: readonly Recorded[]): Recorded | undefined {
  return recorded.find((each) => each.streaming && isAnswer(each) && isPlain(each));
}

export function isAnswer({ response, expected }: Recorded): boolean {
  return response.status === 200 && expected.error === undefined && expected.malformed !== true;
}

function isPlain({ expected }: Recorded): boolean {
  return (expected.text ?? '') !== '' && (expected.toolCalls ?? []).length === 0;
}

/** Idle without fixtures. */
export function needsAnswer({ recorded }: Subject): string | undefined {
  return plainest(recorded) ? undefined : 'no fixture holds a plain text';
}

/** Idle without streamed fixtures. */
export function needsStream({ recorded, capabilities }: Subject): string | undefined {
  if (capabilities.streaming === false) return 'the model does not stream';
  return plainStream(recorded) ? undefined : 'no fixture holds a plain streamed text';
}

/** The adaptations of a response that speak of one of these. */
export function reported(response: ModelResponse | undefined, names: readonly string[]): boolean {
  return (response?.adaptations ?? []).some(({ type, name }) =>
    names.some((wanted) => type === wanted || name === wanted || name.startsWith(`${wanted}.`)),
  );
}
