import path from 'node:path';
import { MessageChannel, receiveMessageOnPort, SHARE_ENV, Worker, type MessagePort } from 'node:worker_threads';
import { ModelError, rebuiltError, toJson, type Item, type ModelResponse, type SyncCall } from '@polyrun/core';
import type { Call, Order, Report, Thrown } from './messages.ts';

type Timeouts = SyncCall['timeouts'];
/** What goes with a call: the conversation, how long it may take, and what the model is called in errors. */
type Asking = { readonly input: readonly Item[]; readonly timeouts: Timeouts; readonly name: string };
/** `wake` counts reports; its second number is 1 once the thread has ended. */
type Line = { readonly port: MessagePort; readonly wake: Int32Array<SharedArrayBuffer> };

const startMs = 60_000;

/** A thread that answers model calls while the calling thread stands still. It starts with the first call and keeps no process alive. */
export class ModelThread {
  #line: Line | undefined;
  #calls = 0;
  /** The conversation as the thread has it. */
  #told: readonly Item[] = [];

  /** Throws what the model threw, or a `ModelError` of kind `timeout`. */
  call(call: Call, { input, timeouts, name }: Asking): ModelResponse {
    this.#line ??= this.#started();
    const line = this.#line;
    this.#calls += 1;
    const id = this.#calls;
    tell(line.port, { type: 'call', id, call, ...this.#news(input) });
    // A copy: the list of a run grows.
    this.#told = input.slice();
    const patience = new Patience(timeouts, name);
    for (;;) {
      // Read before the messages: one that comes after them changes it, and the wait below ends at once.
      const before = Atomics.load(line.wake, 0);
      const report = nextReport(line.port, id);
      if (report?.type === 'answered') return report.response;
      if (report?.type === 'failed') throw errorOf(report.error);
      if (report) patience.heard(report.type);
      else {
        if (Atomics.load(line.wake, 1) === 1) throw this.#lost();
        const timeout = patience.timeout();
        if (timeout) {
          tell(line.port, { type: 'cancel', id });
          throw timeout;
        }
        Atomics.wait(line.wake, 0, before, patience.leftMs());
      }
    }
  }

  /** Items that the thread has already do not travel again. */
  #news(input: readonly Item[]): { kept: number; added: readonly Item[] } {
    const differs = input.findIndex((item, index) => item !== this.#told[index]);
    const kept = differs === -1 ? input.length : differs;
    return { kept, added: input.slice(kept) };
  }

  #started(): Line {
    this.#told = [];
    const { port1: port, port2 } = new MessageChannel();
    const wake = new Int32Array(new SharedArrayBuffer(8));
    // Compiled or not, the entry of the thread has the ending of this file.
    const entry = new URL(`./model-worker${path.extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(entry, {
      workerData: { port: port2, wake, program: process.argv[1] },
      transferList: [port2],
      env: SHARE_ENV,
    });
    worker.unref();
    // Told here it could not be while this thread stands still; unheard, it would end the process.
    worker.on('error', () => undefined);
    return { port, wake };
  }

  /** What a thread says as it ends may be lost with it. */
  #lost(): Error {
    this.#line = undefined;
    return new Error('The thread that calls the models ended: something in it ended its process.');
  }
}

function tell(port: MessagePort, order: Order): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- That is for windows; a port has one other end.
  port.postMessage(order);
}

/** The next thing that the thread says of this call; of others it may still say something, which is too late. */
function nextReport(port: MessagePort, id: number): Report | undefined {
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
    const report: Report = received.message;
    if (report.id === id) return report;
  }
  return undefined;
}

/** The deadlines of one call. They begin once it is under way: the start of the thread is not the model's doing. */
class Patience {
  readonly #timeouts: Timeouts;
  readonly #name: string;
  #began = performance.now();
  #sent = false;
  #lastByte: number | undefined;

  constructor(timeouts: Timeouts, name: string) {
    this.#timeouts = timeouts;
    this.#name = name;
  }

  heard(what: 'sent' | 'alive'): void {
    const now = performance.now();
    if (what === 'alive') this.#lastByte = now;
    else this.#began = now;
    this.#sent = true;
  }

  leftMs(): number {
    return Math.min(...this.#deadlines().map(({ at }) => at - performance.now()), Infinity);
  }

  timeout(): ModelError | undefined {
    const now = performance.now();
    const over = this.#deadlines().find(({ at }) => at <= now);
    return over && new ModelError({ kind: 'timeout', message: over.message });
  }

  #deadlines(): { at: number; message: string }[] {
    if (!this.#sent) {
      const message = `The thread that calls ${this.#name} did not start within ${startMs} ms.`;
      return [{ at: this.#began + startMs, message }];
    }
    const { requestMs, firstByteMs, idleMs } = this.#timeouts;
    const silence =
      this.#lastByte === undefined
        ? { field: 'firstByteMs', ms: firstByteMs, from: this.#began }
        : { field: 'idleMs', ms: idleMs, from: this.#lastByte };
    return [silence, { field: 'requestMs', ms: requestMs, from: this.#began }].flatMap(({ field, ms, from }) => {
      const message = `${this.#name} did not answer in time: runConfig.timeouts.${field} is ${ms} ms.`;
      return typeof ms === 'number' ? [{ at: from + ms, message }] : [];
    });
  }
}

/** What was thrown there, as far as it could travel. */
function errorOf({ name, message, own, data }: Thrown): Error {
  if (own) return rebuiltError({ effectId: '', name, message, data: toJson(data) });
  const error = new Error(message);
  error.name = name;
  return error;
}
