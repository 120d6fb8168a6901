import { ModelError } from '../../../errors.ts';
import { canonical } from '../../compare.ts';
import type { Answer } from '../endpoint.ts';
import { needsAnswer, needsStream, plainest, plainStream, type Kit, type ModelCheck } from '../kit.ts';
import { hello, nameOf, soon, streamed, whole, type Outcome } from '../play.ts';
import { asRecorded } from '../recut.ts';

export const abortChecks: readonly ModelCheck[] = [
  {
    id: 'abort-before',
    title: "a signal that is aborted already: ModelError 'aborted', and nothing is sent",
    advice: 'Pass `call.signal` to the client.',
    run: async (kit) => {
      const { model, received } = kit.at({ silent: true });
      const call = { signal: AbortSignal.abort() };
      const outcomes = await soon(
        Promise.all([whole(model, { call }), streamed(model, { call })]),
        'an aborted call to settle',
      );
      const sent = received.length === 0 ? [] : [`expected no request, got ${received.length}`];
      return [...outcomes.flatMap(abortedProblems), ...sent];
    },
  },
  {
    id: 'abort-waiting',
    title: "an abort before the answer is there: ModelError 'aborted', soon, and the request is closed",
    advice: 'Pass `call.signal` to the client, and throw what it then throws: `defineModel` makes an abort of it.',
    run: async (kit) => {
      const half: Answer = { headers: { 'content-type': 'application/json' }, pieces: ['{'], ending: 'hold' };
      return [
        ...(await waiting(kit, whole, { silent: true })),
        ...(await waiting(kit, streamed, { silent: true })),
        ...(await waiting(kit, whole, half)),
      ];
    },
  },
  {
    id: 'abort-streaming',
    title: "an abort in the middle of a stream: ModelError 'aborted', soon, and the request is closed",
    advice: 'Pass `call.signal` to the client, and never end a stream quietly: some clients do on an abort.',
    idle: needsStream,
    run: async (kit) => {
      const { model, next } = kit.at(held(kit));
      const controller = new AbortController();
      const arrived = next();
      const ended = streamed(model, { call: { signal: controller.signal }, onEvent: () => controller.abort() });
      const { closed } = await soon(arrived, 'a request');
      const outcome = await soon(ended, 'the stream to end after the abort');
      await soon(closed, 'the request to be closed after the abort');
      return abortedProblems(outcome);
    },
  },
  {
    id: 'abort-after',
    title: 'an abort after the answer changes nothing',
    advice: 'Take listeners off the signal when a call ends.',
    idle: needsAnswer,
    run: async (kit) => {
      const plain = plainest(kit.subject.recorded);
      const { model } = kit.at(plain ? asRecorded(plain) : {});
      const controller = new AbortController();
      const outcome = await whole(model, { call: { signal: controller.signal } });
      const before = canonical(outcome.response);
      controller.abort();
      const again = await whole(model);
      const same = outcome.response && canonical(outcome.response) === before && again.response;
      return same
        ? []
        : [`expected an answer, also after the abort of an earlier call, got ${nameOf(outcome.error ?? again.error)}`];
    },
  },
  {
    id: 'leaving',
    title: 'leaving a stream in the middle closes the request',
    advice: "Cancel the body when the iterator is left: a generator's `finally` is the place.",
    idle: needsStream,
    run: async (kit) => {
      const { model, next } = kit.at(held(kit));
      const arrived = next();
      for await (const _ of model.streamResponse(hello)) break;
      const { closed } = await soon(arrived, 'a request');
      await soon(closed, 'the request to be closed after the consumer left');
      return [];
    },
  },
];

/** The plain stream, which stops before its last event and stays open. */
function held(kit: Kit): Answer {
  const stream = plainStream(kit.subject.recorded);
  const answer: Answer = stream ? asRecorded(stream) : {};
  return { ...answer, pieces: answer.pieces?.slice(0, -1) ?? [], ending: 'hold' };
}

async function waiting(kit: Kit, ask: typeof whole, answer: Answer): Promise<string[]> {
  const { model, next } = kit.at(answer);
  const controller = new AbortController();
  const arrived = next();
  const ended = ask(model, { call: { signal: controller.signal } });
  const first = await soon(Promise.race([arrived, ended]), 'a request');
  if ('response' in first) return [`expected a request, got ${nameOf(first.error)}`];
  controller.abort();
  const outcome = await soon(ended, 'the call to settle after the abort');
  await soon(first.closed, 'the request to be closed after the abort');
  return abortedProblems(outcome);
}

function abortedProblems({ error, response }: Outcome): string[] {
  if (error instanceof ModelError && error.kind === 'aborted' && !error.retryable) return [];
  return [`expected a ModelError 'aborted', not retryable, got ${response ? 'an answer' : nameOf(error)}`];
}
