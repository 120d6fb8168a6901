import { AgentsError, ModelError } from '../errors.ts';
import { Control } from '../loop/drive.ts';
import type { ModelEvent } from '../protocol/events.ts';
import type { Candidate, Model, SyncCall } from '../model/model.ts';
import { isFields } from '../protocol/json.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelResponse } from '../protocol/response.ts';
import { addUsage, lostUsage, noUsage, type Usage } from '../protocol/usage.ts';
import type { RunConfig } from './config.ts';
import { now, type Deadline } from './deadlines.ts';
import { wait, type Steps } from './steps.ts';
import type { Work } from './work.ts';

const usual = { requestMs: 600_000 } as const;
const none: Partial<Candidate> = {};

/** The calls of one model within one turn: its deadlines, its retries, and what all of them cost, failed ones too. */
export class Attempts {
  #usage: Usage | undefined;
  #inFlight: Attempt | undefined;
  readonly #work: Work<'call_model'>;
  readonly #model: Model;

  constructor(work: Work<'call_model'>, model: Model) {
    this.#work = work;
    this.#model = model;
  }

  /** What all attempts so far cost, one that is under way included. */
  get usage(): Usage {
    const known = this.#usage ?? noUsage();
    return this.#inFlight ? addUsage(known, lostUsage(this.#inFlight.visible)) : known;
  }

  /** One answer, retried where the policy allows; a fallback's models are tried one after the other before that. */
  *call(request: ModelRequest): Steps<ModelResponse> {
    const { control, run } = this.#work;
    const { candidates = [] } = this.#model;
    let round = 1;
    let at = 0;
    for (let attempt = 1; ; attempt++) {
      control.check();
      const { model = this.#model, on } = candidates[at] ?? none;
      const call = new Attempt(this.#work, model);
      this.#inFlight = call;
      try {
        return this.#taken(yield call.answer(request), model);
      } catch (cause) {
        call.close();
        const error = asModelError(cause);
        this.#usage = this.usage;
        this.#inFlight = undefined;
        control.check();
        at = on?.includes(error.kind) ? (at + 1) % candidates.length : 0;
        const delayMs = at > 0 ? 0 : yield* this.#retryDelay(error, round++, call.visible);
        if (delayMs === undefined) throw error;
        if (call.visible) yield* wait(this.#discard(error, attempt));
        if (at === 0) yield* wait(run.sleep(delayMs, control));
      } finally {
        this.#inFlight = undefined;
        call.close();
      }
    }
  }

  #taken(response: unknown, { name }: Model): ModelResponse {
    if (!isResponse(response)) {
      const message = `${name} answered with no response: it lacks output, usage or stop.`;
      throw new ModelError({ kind: 'protocol', message });
    }
    this.#usage = this.#usage ? addUsage(this.#usage, response.usage) : response.usage;
    return response;
  }

  /** How long to wait before the next attempt; `undefined`: there is none. */
  *#retryDelay(error: ModelError, attempt: number, visible: boolean): Steps<number | undefined> {
    const { maxRetries = 2, policy, backoff } = this.#work.scope.config.retry ?? {};
    if (error.kind === 'aborted' || attempt > maxRetries) return undefined;
    const verdict = policy ? yield* wait(policy({ error, attempt, visible })) : this.#mayRetry(error);
    if (typeof verdict === 'object') return verdict.delayMs;
    return verdict ? backoffMs(error, attempt, backoff) : undefined;
  }

  /** A provider that keeps the conversation may have taken in what seemed to fail: only it can say that a retry is safe. */
  #mayRetry(error: ModelError): boolean {
    const { server } = this.#work.effect.state;
    return error.retryable && (server === null || error.retryAfterMs !== undefined);
  }

  #discard({ kind, message }: ModelError, attempt: number): void | Promise<void> {
    return this.#work.scope.publisher?.raw({
      type: 'polyrun:attempt_discarded',
      sequence_number: 0,
      attempt,
      error: { kind, message },
    });
  }
}

/** One call of the model, with its deadlines and a signal of its own. */
class Attempt implements SyncCall {
  /** Whether the consumer of a stream has seen anything of it. */
  visible = false;
  readonly #work: Work<'call_model'>;
  readonly #model: Model;
  #control: Control | undefined;
  #timedOut: ModelError | undefined;
  #total: Deadline | undefined;
  #silence: Deadline | undefined;
  /** When the model last sent something; `Infinity` while the consumer takes its time. */
  #lastByte: number | undefined;

  constructor(work: Work<'call_model'>, model: Model) {
    this.#work = work;
    this.#model = model;
  }

  get idempotencyKey(): string {
    return this.#work.run.idempotencyKey(this.#work.effect.id);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  get timeouts(): SyncCall['timeouts'] {
    const { timeouts } = this.#work.scope.config;
    return timeouts
      ? { ...timeouts, requestMs: timeouts.requestMs === undefined ? usual.requestMs : timeouts.requestMs }
      : usual;
  }

  answer(request: ModelRequest): Promise<ModelResponse> | ModelResponse {
    const { publisher } = this.#work.scope;
    const reply = publisher ? this.#stream(request, publisher) : this.#work.run.respond(this.#model, request, this);
    const { requestMs } = this.timeouts;
    if (reply instanceof Promise && requestMs !== null)
      this.#total = this.#work.run.deadlines.set(requestMs, () => this.#expire('requestMs', requestMs));
    return reply;
  }

  /** Whatever comes over the wire is a sign of life, also what makes no event. */
  onWire({ kind }: { kind: string }): void {
    if (kind !== 'request') this.#lastByte = now();
  }

  close(): void {
    const { deadlines } = this.#work.run;
    if (this.#total) deadlines.cancel(this.#total);
    if (this.#silence) deadlines.cancel(this.#silence);
  }

  async #stream(
    request: ModelRequest,
    publisher: { raw(event: ModelEvent): void | Promise<void> },
  ): Promise<ModelResponse> {
    this.#watch();
    let response: ModelResponse | undefined;
    for await (const event of this.#model.streamResponse(request, this)) {
      if (this.#timedOut || this.#work.control.aborted) break;
      this.#lastByte = now();
      if (event.type === 'polyrun:response_done') response = event.response;
      this.visible = true;
      const full = publisher.raw(event);
      if (full === undefined) continue;
      this.#lastByte = Infinity;
      await full;
      this.#lastByte = now();
    }
    if (this.#timedOut) throw this.#timedOut;
    if (response) return response;
    const message = `The stream of ${this.#model.name} ended without polyrun:response_done.`;
    throw new ModelError({ kind: 'protocol', message, retryable: true });
  }

  /** The first byte has a deadline of its own, later ones one from the byte before. */
  #watch(): void {
    const { firstByteMs = 60_000, idleMs = 120_000 } = this.timeouts;
    const began = now();
    const look = () => {
      const first = this.#lastByte === undefined;
      const ms = first ? firstByteMs : idleMs;
      const left = ms === null ? Infinity : (this.#lastByte ?? began) + ms - now();
      const next = Math.min(left, idleMs ?? Infinity);
      if (ms !== null && left <= 0) this.#expire(first ? 'firstByteMs' : 'idleMs', ms);
      else if (next < Infinity) this.#silence = this.#work.run.deadlines.set(next, look);
    };
    look();
  }

  #expire(field: string, ms: number): void {
    const message = `${this.#model.name} did not answer in time: runConfig.timeouts.${field} is ${ms} ms.`;
    this.#timedOut = new ModelError({ kind: 'timeout', message });
    this.#own.abort(this.#timedOut);
    this.#work.control.wait?.interrupt(this.#timedOut);
  }

  get #own(): Control {
    return (this.#control ??= new Control(this.#work.control));
  }
}

/** True for what a model is to answer; what it holds is checked item by item. */
export function isResponse(value: unknown): value is ModelResponse {
  return isFields(value) && Array.isArray(value['output']) && isFields(value['usage']) && isFields(value['stop']);
}

function asModelError(cause: unknown): ModelError {
  if (cause instanceof ModelError) return cause;
  if (cause instanceof AgentsError) throw cause;
  const message = 'The model failed; see the cause.';
  return new ModelError({ kind: 'unknown', message, cause });
}

function backoffMs(error: ModelError, attempt: number, given: NonNullable<RunConfig['retry']>['backoff']): number {
  if (error.retryAfterMs !== undefined) return error.retryAfterMs;
  const { initialMs = 500, maxMs = 8_000, multiplier = 2, jitter = true } = given ?? {};
  const delay = Math.min(initialMs * multiplier ** (attempt - 1), maxMs);
  return jitter ? delay * (0.5 + Math.random() / 2) : delay;
}
