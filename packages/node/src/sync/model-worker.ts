import { MessagePort, workerData } from 'node:worker_threads';
import {
  AgentsError,
  failureOf,
  isFields,
  ModelError,
  type CallContext,
  type Item,
  type Model,
  type ModelRequest,
  type ModelResponse,
} from '@polyrun/core';
import type { Call, Order, Report, Thrown } from './messages.ts';
import { Providers } from './providers.ts';

answerCalls(workerData);

/** The thread's work: it answers calls on a port, and wakes whoever stands still for the answer. */
function answerCalls(setup: unknown): void {
  if (!isFields(setup) || !(setup['port'] instanceof MessagePort) || !(setup['wake'] instanceof Int32Array)) return;
  const { port, wake, program } = setup;
  process.on('exit', () => {
    Atomics.store(wake, 1, 1);
    Atomics.notify(wake, 0);
  });
  const tell = (report: Report) => {
    port.postMessage(report);
    Atomics.add(wake, 0, 1);
    Atomics.notify(wake, 0);
  };
  let conversation: readonly Item[] = [];
  const answering = new Map<number, AbortController>();
  const providers = new Providers(typeof program === 'string' ? program : undefined);

  const answer = async (id: number, call: Call, input: readonly Item[]): Promise<void> => {
    const cancelled = new AbortController();
    answering.set(id, cancelled);
    try {
      const model = await providers.model(call);
      tell({ id, type: 'sent' });
      const { idempotencyKey } = call;
      const request = { ...call.request, input };
      const context = { signal: cancelled.signal, ...(idempotencyKey !== undefined && { idempotencyKey }) };
      const response = call.streamed
        ? await foldedStream(model, request, { ...context, onAlive: () => tell({ id, type: 'alive' }) })
        : await model.getResponse(request, context);
      tell({ id, type: 'answered', response });
    } catch (error) {
      tell({ id, type: 'failed', error: thrown(error) });
    } finally {
      answering.delete(id);
    }
  };
  const failAll = (error: Error) => {
    for (const id of answering.keys()) tell({ id, type: 'failed', error: thrown(error) });
  };
  // A provider's own loose ends: whoever waits is told instead of waiting for ever.
  process.on('uncaughtException', failAll);
  port.on('message', (order: Order) => {
    if (order.type === 'cancel') return answering.get(order.id)?.abort();
    conversation = [...conversation.slice(0, order.kept), ...order.added];
    void answer(order.id, order.call, conversation);
  });
}

type Streaming = CallContext & { readonly onAlive: () => void };

/** The response at the end of a stream. Whatever comes over the wire is a sign of life, also what makes no event. */
async function foldedStream(
  model: Model,
  request: ModelRequest,
  { onAlive, ...call }: Streaming,
): Promise<ModelResponse> {
  let response: ModelResponse | undefined;
  const onWire: CallContext['onWire'] = ({ kind }) => void (kind !== 'request' && onAlive());
  for await (const event of model.streamResponse(request, { ...call, onWire })) {
    onAlive();
    if (event.type === 'polyrun:response_done') response = event.response;
  }
  if (response) return response;
  const message = `The stream of ${model.name} ended without polyrun:response_done.`;
  throw new ModelError({ kind: 'protocol', message, retryable: true });
}

function thrown(error: unknown): Thrown {
  const { name, message, data } = failureOf('', error);
  const body = error instanceof ModelError ? { body: error.body } : {};
  return { name, message, own: error instanceof AgentsError, data: { ...(isFields(data) ? data : {}), ...body } };
}
