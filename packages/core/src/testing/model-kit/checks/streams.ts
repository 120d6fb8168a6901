import { ModelError } from '../../../errors.ts';
import type { FunctionCallItem, OutputItem } from '../../../protocol/items.ts';
import type { Recorded } from '../cassettes.ts';
import { needsStream, type Kit, type ModelCheck, type Subject } from '../kit.ts';
import { apart, gist, inTurn, nameOf, shown, streamed, whole, type Outcome } from '../play.ts';
import { asRecorded, bytesOf, cutsOf, eventsOf, sliced, withPieces } from '../recut.ts';

export const streamChecks: readonly ModelCheck[] = [
  {
    id: 'parity',
    title: 'the same answer, streamed and unstreamed, is read the same',
    advice:
      "Rebuild the provider's own reply from its chunks and read it with the code that reads unstreamed replies (`defineModel` does, given `accumulate` and `decode`).",
    idle: ({ recorded }) =>
      recorded.some(({ sameAs }) => sameAs !== undefined) ? undefined : "no fixture has 'sameAs'",
    run: async (kit) =>
      (
        await inTurn(pairsOf(kit.subject.recorded), async ([stream, other]) => {
          const [a, b] = [await streamed(kit.replay(stream).model), await whole(kit.replay(other).model)];
          return gist(a) === gist(b)
            ? []
            : [`${stream.name}: unstreamed and streamed differ: ${apart(gist(a), gist(b))}`];
        })
      ).flat(),
  },
  {
    id: 'pieces',
    title: 'a stream means the same however its bytes are cut into pieces, also inside a character, and in one piece',
    advice:
      'Decode bytes with one TextDecoder in streaming mode, and keep what follows the last line end until more comes.',
    idle: needsStream,
    run: (kit) => recut(kit, (bytes) => [...sizes(bytes), ...halves(bytes), crlfBytes(bytes)]),
  },
  {
    id: 'framing',
    title: 'CRLF line ends, fields without a space, comments, retry fields and pings between events change nothing',
    advice:
      'Read server-sent events as the HTML standard frames them: https://html.spec.whatwg.org/multipage/server-sent-events.html.',
    idle: needsStream,
    run: (kit) => recut(kit, (bytes) => framings(new TextDecoder().decode(bytes))),
  },
  {
    id: 'unknown',
    title: 'an event of a kind, or a field, that nobody knows yet changes nothing',
    advice: 'Ignore events, chunks and fields that you do not know: providers add them without notice.',
    idle: needsStream,
    run: async (kit) => {
      const event = 'event: kit_unknown\ndata: {"type":"kit_unknown","kit":{"deep":[1]}}\n\n';
      const field = (text: string) => text.replaceAll(/^data: \{(?=")/gm, 'data: {"kit_unknown":{"deep":[1]},');
      return recut(kit, (bytes) => {
        const events = eventsOf(new TextDecoder().decode(bytes));
        return [
          { how: 'with an unknown event after the first', pieces: events.toSpliced(1, 0, event) },
          { how: 'with an unknown field in each event', pieces: events.map(field) },
        ];
      });
    },
  },
  {
    id: 'cut',
    title:
      'a stream that ends too early, at whatever byte, is a ModelError and never a shorter answer or a completed call',
    advice:
      "Only the wire's own mark ends an answer: throw a ModelError of kind 'protocol', retryable, when the stream ends without it, and never close a call that the provider did not close.",
    idle: needsStream,
    run: (kit) => cutProblems(kit, 'end'),
  },
  {
    id: 'reset',
    title: "a connection that breaks in the middle of a stream is a retryable ModelError of kind 'network'",
    advice:
      "Name what the client throws when its connection breaks: kind 'network' (`callError` of @polyrun/core/http does).",
    idle: needsStream,
    run: async (kit) => {
      const each = await inTurn(kit.streams, async (stream) => {
        const pieces = [bytesOf(stream.response.sse ?? '').subarray(0, 40)];
        const { error } = await streamed(
          kit.at({ ...withPieces(stream, pieces), ending: 'reset' }, stream.model).model,
        );
        const right = error instanceof ModelError && error.kind === 'network' && error.retryable;
        return right ? [] : [`${stream.name}: expected a retryable ModelError 'network', got ${nameOf(error)}`];
      });
      return [...each.flat(), ...(await cutProblems(kit, 'reset'))];
    },
  },
  {
    id: 'concurrent',
    title: 'answers that one model gives at the same time do not mix',
    advice: 'Keep nothing of a call outside of it: `accumulate` makes new state each time.',
    idle: needsStream,
    run: async (kit) => {
      const [first] = kit.streams;
      const streams = kit.streams.filter(({ model }) => model === first?.model);
      const wanted = await inTurn(streams, async (stream) => gist(await streamed(kit.replay(stream).model)));
      const left = streams.map(asRecorded);
      const { model } = kit.at(() => left.pop() ?? { status: 500 }, first?.model);
      const got = await Promise.all(streams.map(async () => gist(await streamed(model))));
      const missing = got.filter((each) => !wanted.includes(each));
      return missing.map((each) => `expected one of the recorded answers, got ${shown(each)}`);
    },
  },
];

type Cutting = { how: string; pieces: readonly (string | Uint8Array)[] };

function pairsOf(recorded: Subject['recorded']): [Recorded, Recorded][] {
  return recorded.flatMap((stream): [Recorded, Recorded][] => {
    const other = recorded.find(({ file, index }) => file === stream.file && index === stream.sameAs);
    return other ? [[stream, other]] : [];
  });
}

/** Compares every cutting of every stream with the stream as it was recorded. */
async function recut(kit: Kit, cuttings: (bytes: Uint8Array) => Cutting[]): Promise<string[]> {
  const each = await inTurn(kit.streams, async (stream) => {
    const wanted = gist(await streamed(kit.replay(stream).model));
    return inTurn(cuttings(bytesOf(stream.response.sse ?? '')), async ({ how, pieces }) => {
      const got = gist(await streamed(kit.at(withPieces(stream, pieces), stream.model).model));
      return got === wanted ? [] : [`${stream.name}, ${how}: ${apart(got, wanted)}`];
    });
  });
  return each.flat(2);
}

function sizes(bytes: Uint8Array): Cutting[] {
  return [bytes.length, 1, 2, 3, 7, 37].map((size) => ({
    how: size === bytes.length ? 'in one piece' : `in pieces of ${size} bytes`,
    pieces: sliced(bytes, size),
  }));
}

function halves(bytes: Uint8Array): Cutting[] {
  return cutsOf(bytes).map((at) => ({
    how: `cut in two at byte ${at}`,
    pieces: [bytes.subarray(0, at), bytes.subarray(at)],
  }));
}

function crlfBytes(bytes: Uint8Array): Cutting {
  const sse = new TextDecoder().decode(bytes).replaceAll(/\r?\n/g, '\r\n');
  return { how: 'with CRLF, in pieces of 1 byte', pieces: sliced(bytesOf(sse), 1) };
}

function framings(sse: string): Cutting[] {
  const events = eventsOf(sse);
  const between = (what: string) => events.flatMap((event) => [what, event]);
  return [
    { how: 'with CRLF', pieces: events.map((event) => event.replaceAll('\n', '\r\n')) },
    {
      how: 'without the space behind the colon',
      pieces: events.map((event) => event.replaceAll(/^(data|event): /gm, '$1:')),
    },
    { how: 'with comments between events', pieces: between(': ping\n\n') },
    { how: 'with empty comments inside events', pieces: events.map((event) => `:\n${event}`) },
    { how: 'with retry fields between events', pieces: between('retry: 3000\n\n') },
    { how: 'with ids in events', pieces: events.map((event, index) => `id: ${index}\n${event}`) },
    { how: 'with blank lines between events', pieces: between('\n\n') },
  ];
}

async function cutProblems(kit: Kit, ending: 'end' | 'reset'): Promise<string[]> {
  const each = await inTurn(kit.streams, async (stream) => {
    const full = await streamed(kit.replay(stream).model);
    const bytes = bytesOf(stream.response.sse ?? '');
    return inTurn(cutsOf(bytes, ending === 'end' ? 1024 : 128), async (at) => {
      const answer = { ...withPieces(stream, [bytes.subarray(0, at)]), ending };
      const outcome = await streamed(kit.at(answer, stream.model).model);
      return cutProblem(outcome, full).map(
        (problem) => `${stream.name}, ${ending} after byte ${at} of ${bytes.length}: ${problem}`,
      );
    });
  });
  return each.flat(2);
}

function cutProblem({ response, error, events }: Outcome, full: Outcome): string[] {
  const calls = new Set(full.response?.output.map(signature));
  const early = events.flatMap((event) => (event.type === 'response.output_item.done' ? [event.item] : []));
  const problems = early
    .filter((item) => item.type === 'function_call' && item.status === 'completed' && !calls.has(signature(item)))
    .map((item) => `expected no call to be done that the provider did not end, got ${signature(item)}`);
  if (!response)
    return error instanceof ModelError ? problems : [...problems, `expected a ModelError, got ${nameOf(error)}`];
  const [got, wanted] = [contentOf(response.output), contentOf(full.response?.output ?? [])];
  return got === wanted
    ? problems
    : [...problems, `expected a ModelError or the whole answer, got a part of it: ${apart(got, wanted)}`];
}

function contentOf(output: readonly OutputItem[]): string {
  return JSON.stringify(output.map(({ id: _, ...item }) => item));
}

function signature(item: OutputItem): string {
  return item.type === 'function_call' ? callText(item) : item.type;
}

function callText(item: OutputItem & { type: string }): string {
  const { name, arguments: args }: Partial<FunctionCallItem> = Object(item);
  return `${name}(${args})`;
}
