import { ModelError } from '../../../errors.ts';
import type { ModelErrorKind } from '../../../protocol/response.ts';
import { Endpoint, type Answer } from '../endpoint.ts';
import { inspected } from '../host.ts';
import { needsStream, plainest, type Kit, type ModelCheck } from '../kit.ts';
import { gist, hello, inTurn, nameOf, soon, streamed, whole } from '../play.ts';
import { asRecorded, eventsOf, withPieces } from '../recut.ts';

type Row = {
  answer: Answer;
  /** One of these. */
  kinds: readonly ModelErrorKind[];
  retryable: boolean;
};

/** A body as providers word it, with the fields of each of the well-known shapes. */
function errorBody(type: string, message: string): string {
  const request_id = 'req_body';
  return JSON.stringify({
    type: 'error',
    object: 'error',
    message,
    code: type,
    request_id,
    error: { type, code: type, message, param: null },
  });
}

function row(status: number, type: string, kinds: readonly ModelErrorKind[]): Row {
  const answer = jsonAnswer(status, errorBody(type, `This is the reason for ${type}.`));
  return { answer, kinds, retryable: status === 408 || status === 429 || status >= 500 };
}

function jsonAnswer(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, pieces: [body] };
}

function quota(): Row {
  const words = 'You exceeded your current quota, please check your plan and billing details.';
  return { answer: jsonAnswer(429, errorBody('insufficient_quota', words)), kinds: ['quota'], retryable: false };
}

function tooLong(): Row {
  const words = "This model's maximum context length is 8192 tokens, your messages are too long.";
  return {
    answer: jsonAnswer(400, errorBody('context_length_exceeded', words)),
    kinds: ['context_length'],
    retryable: false,
  };
}

function table(): Row[] {
  const html = { 'content-type': 'text/html' };
  return [
    row(400, 'invalid_request_error', ['invalid_request']),
    row(401, 'authentication_error', ['auth']),
    row(403, 'permission_error', ['auth']),
    row(404, 'not_found_error', ['not_found']),
    row(408, 'request_timeout', ['timeout']),
    row(413, 'request_too_large', ['invalid_request', 'context_length']),
    row(422, 'invalid_request_error', ['invalid_request']),
    row(429, 'rate_limit_error', ['rate_limit']),
    quota(),
    tooLong(),
    row(500, 'internal_server_error', ['server']),
    row(502, 'bad_gateway', ['server', 'overloaded']),
    row(503, 'service_unavailable', ['overloaded', 'server']),
    row(529, 'overloaded_error', ['overloaded']),
    {
      answer: { status: 502, headers: html, pieces: ['<html><body>Bad gateway</body></html>'] },
      kinds: ['server', 'overloaded'],
      retryable: true,
    },
    { answer: { status: 500, headers: {}, pieces: [] }, kinds: ['server'], retryable: true },
    { answer: { status: 401, headers: {}, pieces: [] }, kinds: ['auth'], retryable: false },
  ];
}

export const errorChecks: readonly ModelCheck[] = [
  {
    id: 'error-kinds',
    title:
      'each status of a failure becomes a ModelError of its kind, with the status, retryable where another attempt may help',
    advice:
      'Name what the client throws by its status and the codes in its body (`callError` of @polyrun/core/http does).',
    run: async (kit) => (await inTurn(table(), (each) => rowProblems(kit, each))).flat(),
  },
  {
    id: 'error-facts',
    title: "errors carry the provider's words, its request id, and how long it wants us to wait",
    advice:
      'Read x-request-id or request-id, retry-after and retry-after-ms from the headers of the answer, and quote the message of the body.',
    run: factProblems,
  },
  {
    id: 'secrets',
    title: 'no error holds the key or the prompt, also when the provider quotes them',
    advice:
      'Redact the words of the provider (`redactor` of @polyrun/core/http), and put neither the request nor its headers into the error or its cause.',
    run: secretProblems,
  },
  {
    id: 'one-request',
    title: 'a failed call is one request: only the runner retries',
    advice: "Switch the client's own retries off (`maxRetries: 0` or the like).",
    run: async (kit) => {
      const answers = [
        jsonAnswer(500, '{}'),
        jsonAnswer(429, '{}', { 'retry-after': '0' }),
        jsonAnswer(503, '{}'),
        jsonAnswer(408, '{}'),
      ];
      const each = await inTurn(answers, async (answer) => {
        const { model, received } = kit.at(answer);
        await whole(model);
        await streamed(model);
        return received.length === 2
          ? []
          : [`expected 2 requests for 2 calls that end in status ${answer.status}, got ${received.length}`];
      });
      return each.flat();
    },
  },
  {
    id: 'no-answer',
    title:
      "a body of status 200 that is no answer of a model is a ModelError of kind 'protocol', an error in it keeps its kind",
    advice:
      "Check that a reply is one before reading it; throw kind 'protocol' where it is not, and look for an error in its place.",
    run: noAnswerProblems,
  },
  {
    id: 'stream-error',
    title: 'an error in the middle of a stream is a ModelError, not the end of an answer',
    advice: "Look for the wire's error event in streams, and throw it as a ModelError.",
    idle: needsStream,
    run: async (kit) => {
      const event = `event: error\ndata: ${errorBody('server_error', 'The server had an error.')}\n\n`;
      const each = await inTurn(kit.streams, async (stream) => {
        if (!(await streamed(kit.replay(stream).model)).response) return [];
        const events = eventsOf(stream.response.sse ?? '');
        const pieces = [...events.slice(0, Math.ceil(events.length / 2)), event];
        const outcome = await streamed(kit.at(withPieces(stream, pieces), stream.model).model);
        const right = outcome.error instanceof ModelError && outcome.error.message.includes('The server had an error');
        return right
          ? []
          : [
              `${stream.name}: expected a ModelError with the words of the error event, got ${outcome.response ? 'an answer' : nameOf(outcome.error)}`,
            ];
      });
      return each.flat();
    },
  },
  {
    id: 'refused',
    title: "a connection that cannot be made is a retryable ModelError of kind 'network'",
    advice:
      "Name what the client throws when it cannot connect: kind 'network' (`callError` of @polyrun/core/http does).",
    run: async (kit) => {
      const model = kit.modelAt(await Endpoint.gone());
      const outcomes = await soon(Promise.all([whole(model), streamed(model)]), 'an error');
      return outcomes.flatMap(({ error }) =>
        error instanceof ModelError && error.kind === 'network' && error.retryable
          ? []
          : [`expected a retryable ModelError 'network', got ${nameOf(error)}`],
      );
    },
  },
];

async function rowProblems(kit: Kit, { answer, kinds, retryable }: Row): Promise<string[]> {
  const { model } = kit.at(answer);
  const what = `status ${answer.status} with ${String(answer.pieces?.[0] ?? 'no body')}`;
  return [await whole(model), await streamed(model)].flatMap(({ error }) => {
    if (!(error instanceof ModelError)) return [`expected a ModelError for ${what}, got ${nameOf(error)}`];
    return [
      ...(kinds.includes(error.kind)
        ? []
        : [`expected a ModelError '${kinds.join("' or '")}' for ${what}, got ${nameOf(error)}`]),
      ...(error.retryable === retryable ? [] : [`expected retryable ${retryable} for ${what}, got ${error.retryable}`]),
      ...(error.status === answer.status ? [] : [`expected status ${answer.status} for ${what}, got ${error.status}`]),
    ];
  });
}

async function factProblems(kit: Kit): Promise<string[]> {
  const ids = ['x-request-id', 'request-id', 'apim-request-id', 'mistral-correlation-id'];
  const headers = { ...Object.fromEntries(ids.map((name) => [name, 'req_kit'])), 'retry-after': '7' };
  const { model } = kit.at(jsonAnswer(429, errorBody('rate_limit_error', 'Slow down, kit.'), headers));
  const exact = kit.at(jsonAnswer(503, errorBody('overloaded_error', 'Slow down, kit.'), { 'retry-after-ms': '1500' }));
  const [told, brief] = [(await whole(model)).error, (await whole(exact.model)).error];
  if (!(told instanceof ModelError) || !(brief instanceof ModelError))
    return [`expected ModelErrors, got ${nameOf(told)} and ${nameOf(brief)}`];
  return [
    ...(told.message.includes('Slow down, kit.')
      ? []
      : [`expected the words of the provider in the message, got '${told.message}'`]),
    ...(told.requestId === 'req_kit' ? [] : [`expected requestId req_kit, got ${told.requestId}`]),
    ...(told.retryAfterMs === 7000 ? [] : [`expected retryAfterMs 7000 for retry-after: 7, got ${told.retryAfterMs}`]),
    ...(brief.retryAfterMs === 1500
      ? []
      : [`expected retryAfterMs 1500 for retry-after-ms: 1500, got ${brief.retryAfterMs}`]),
  ];
}

async function secretProblems(kit: Kit): Promise<string[]> {
  const prompt = 'The canary sings kit-canary-4711 at midnight';
  const request = {
    ...hello,
    instructions: prompt,
    input: [{ type: 'message', role: 'user', content: prompt } as const],
  };
  const keys: string[] = [];
  const { model } = kit.at(({ headers }) => {
    const own = [headers['authorization'], headers['x-api-key'], headers['api-key']].flatMap(
      (value) => value?.replace(/^\w+ /, '') ?? [],
    );
    keys.push(...own.filter((key) => key.length > 5));
    return jsonAnswer(
      401,
      errorBody('invalid_api_key', `Incorrect API key provided: ${own.join(' ')}. You sent: ${prompt}`),
    );
  });
  const broken = kit.at({
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    pieces: [`data: {"${prompt}`],
    ending: 'reset',
  });
  const outcomes = [
    await whole(model, { request }),
    await streamed(model, { request }),
    await streamed(broken.model, { request }),
  ];
  return outcomes.flatMap(({ error }) => {
    const told = [nameOf(error), JSON.stringify(error), inspected(error)].join('\n');
    const leaks = ['kit-canary-4711', ...keys].filter((secret) => told.includes(secret));
    return leaks.map(
      (secret) =>
        `expected no ${secret.startsWith('kit') ? 'prompt' : 'key'} in the error, its JSON and what the console shows of it, got '${secret}' in there`,
    );
  });
}

async function noAnswerProblems(kit: Kit): Promise<string[]> {
  const html = { 'content-type': 'text/html' };
  const json = { 'content-type': 'application/json' };
  const answers: [string, Answer][] = [
    ['an HTML page', { headers: html, pieces: ['<html><body>Sign in</body></html>'] }],
    ['an empty body', { headers: json, pieces: [] }],
    ['an empty object', { headers: json, pieces: ['{}'] }],
    ['null', { headers: json, pieces: ['null'] }],
    ['half of a JSON text', { headers: json, pieces: ['{"id":'] }],
  ];
  const plain = plainest(kit.subject.recorded);
  const cut = plain && asRecorded(plain);
  const half = String(cut?.pieces?.[0] ?? '').slice(0, -20);
  const each = await inTurn(
    [...answers, ...(cut ? [['an answer that is cut', { ...cut, pieces: [half] }] satisfies [string, Answer]] : [])],
    async ([what, answer]) => {
      const { error, response } = await whole(kit.at(answer).model);
      const right = error instanceof ModelError && error.kind === 'protocol';
      return right
        ? []
        : [
            `expected a ModelError 'protocol' for ${what}, got ${response ? gist({ response, error, events: [] }) : nameOf(error)}`,
          ];
    },
  );
  const body = errorBody('rate_limit_error', 'Too many requests, kit.');
  const { error, response } = await whole(kit.at(jsonAnswer(200, body)).model);
  const right = error instanceof ModelError && error.message.includes('Too many requests, kit.');
  return [
    ...each.flat(),
    ...(right
      ? []
      : [
          `expected a ModelError with the words of an error in a body of status 200, got ${response ? 'an answer' : nameOf(error)}`,
        ]),
  ];
}
