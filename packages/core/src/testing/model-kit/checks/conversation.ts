import type { Model } from '../../../model/model.ts';
import type { InputPart, Item } from '../../../protocol/items.ts';
import { contentText } from '../../../protocol/text.ts';
import { canonical } from '../../compare.ts';
import { needsAnswer, reported, type Kit, type ModelCheck, type Sent } from '../kit.ts';
import { growthProblems } from '../growth.ts';
import { damagedLog, nextTurn, seeded } from '../logs.ts';
import { apart, inTurn, nameOf, shown, streamed, whole, hello } from '../play.ts';
import { textsIn, wireIdsIn } from '../wire-ids.ts';
import { probeTool } from './settings.ts';

const logs = 200;

export const conversationChecks: readonly ModelCheck[] = [
  {
    id: 'generated',
    title:
      'whatever a conversation holds, cut, shuffled, truncated or foreign, the request is legal and loses no word of the user',
    advice:
      'Encode the view that `defineModel` builds, where calls are paired and nothing is empty, and make the smallest legal change where the wire wants more.',
    idle: needsAnswer,
    run: async (kit) => {
      const seeds = Array.from({ length: logs }, (_, seed) => seed + 1);
      return (await inTurn(seeds, (seed) => logProblems(kit, seed))).flat();
    },
  },
  {
    id: 'wire-ids',
    title:
      'calls and outputs agree on ids that are unique, not empty and at most 40 characters long, whatever the ids were',
    advice:
      "Map ids with `wireIds`, which keeps the wire's legal ones and hashes the others, one mapping for each request.",
    idle: needsAnswer,
    run: wireIdProblems,
  },
  {
    id: 'deterministic',
    title: 'the same request makes the same body, byte for byte',
    advice: 'Use no clock, counter or random number while encoding: prompt caches live on equal beginnings.',
    idle: needsAnswer,
    run: async (kit) => {
      const input = damagedLog(seeded(7));
      const [a, b] = [await kit.send({ input, tools: toolsOf(kit) }), await kit.send({ input, tools: toolsOf(kit) })];
      return a.text === b.text ? [] : [`the second body differs: ${apart(b.text, a.text)}`];
    },
  },
  {
    id: 'prefix',
    title: 'the messages of a request stand unchanged at the beginning of the next one, unless a cause is reported',
    advice:
      'Convert each item by itself and add nothing that moves; report what must change as an adaptation. If markers such as cache breakpoints move, give the option `transcript`, which tells the messages without them.',
    idle: needsAnswer,
    run: async (kit) => (await inTurn([1, 2, 3, 4, 5, 6], (seed) => prefixProblems(kit, seed))).flat(),
  },
  {
    id: 'foreign',
    title: 'opaque parts of other providers are not sent, and their items are described and reported, not a crash',
    advice:
      'Read only your own key of `provider_data`, and nothing encrypted of an item whose `origin` is another (`defineModel` sees to most).',
    idle: needsAnswer,
    run: foreignProblems,
  },
  {
    id: 'replay',
    title: 'what the provider gave for itself goes back to it as it was: its answers are legal history',
    advice:
      'Keep opaque parts under `provider_data[provider]` or in `encrypted_content`, and send them back where the wire wants them, or report that they are left out.',
    idle: needsAnswer,
    run: async (kit) =>
      (await inTurn([...kit.wholes, ...kit.streams], (recorded) => replayProblems(kit, recorded))).flat(),
  },
  {
    id: 'media',
    title: 'images, files and audio of users and of tool outputs reach the wire or are reported',
    advice:
      'Put the medium where the wire takes it, in the next user message where outputs are text (`moved_media`), or describe it and report `dropped_item`.',
    idle: needsAnswer,
    run: async (kit) => (await inTurn(media, (part) => mediaProblems(kit, part))).flat(),
  },
];

function toolsOf(kit: Kit) {
  return kit.subject.capabilities.tools === false ? [] : [probeTool];
}

async function logProblems(kit: Kit, seed: number): Promise<string[]> {
  const input = damagedLog(seeded(seed));
  const sent = await kit.send({ input, tools: toolsOf(kit) });
  const told = (problem: string) => `${problem} (conversation ${seed}: ${shown(input.map(({ type }) => type))})`;
  if (!sent.response) return [told(`expected an answer, got ${nameOf(sent.error)}`)];
  if (sent.body === undefined) return [told('expected a JSON body, got none')];
  const words = input.flatMap((item) =>
    item.type === 'message' && item.role === 'user' ? [contentText(item.content).trim()] : [],
  );
  const texts = textsIn(sent.body).join('\n');
  const lost = words.filter((word) => !texts.includes(word.split('\n')[0] ?? ''));
  const { grammar } = kit.subject.options;
  return [
    ...lost.map((word) => told(`expected the user's words '${word}' in the body, got none`)),
    ...(grammar?.(sent.body) ?? []).map((problem) => told(`expected a legal body, got: ${problem}`)),
  ];
}

const oddIds: readonly string[] = [
  '',
  'x'.repeat(200),
  'tool:über',
  'with space',
  '\u{1F600}',
  'call_1',
  'call_1',
  '',
  'abcdefghi',
  '../../etc',
  'a"b',
];

async function wireIdProblems(kit: Kit): Promise<string[]> {
  const marked = oddIds.map((id, index) => ({ id, call: `kit-call-${index}.`, output: `kit-output-${index}.` }));
  const input = marked.flatMap(({ id, call, output }): Item[] => [
    { type: 'function_call', call_id: id, name: 'probe', arguments: JSON.stringify({ probe_field: call }) },
    { type: 'function_call_output', call_id: id, output },
  ]);
  const { body } = await kit.sent({ input: [...hello.input, ...input], tools: toolsOf(kit) });
  const ids = wireIdsIn(body, marked);
  const problems = ids.flatMap((id, index) => {
    const which = `the call whose id was ${JSON.stringify(oddIds[index]?.slice(0, 20))}`;
    if (id === undefined) return [`expected one id on ${which} and on its output, unique in the request, got none`];
    return id.length <= 40 ? [] : [`expected at most 40 characters for ${which}, got ${id.length}`];
  });
  const known = ids.filter((id) => id !== undefined);
  return new Set(known).size === known.length ? problems : [...problems, `expected unique ids, got ${shown(known)}`];
}

async function prefixProblems(kit: Kit, seed: number): Promise<string[]> {
  const next = seeded(seed);
  let input: Item[] = [{ type: 'message', role: 'user', content: 'Begin.' }];
  let last: Sent | undefined;
  const problems: string[] = [];
  for (let turn = 1; turn <= 8; turn++) {
    const sent = await kit.sent({ input, tools: toolsOf(kit), instructions: 'Be kind.' });
    if (last && causes(last) === causes(sent))
      problems.push(
        ...growthProblems(last.body, sent.body, kit.subject.options.transcript).map(
          (problem) => `turn ${turn}: ${problem}`,
        ),
      );
    last = sent;
    input = [...input, ...nextTurn(turn, next)];
  }
  return problems;
}

/** What a response reports that may change a request: while it reports the same, nothing may change. */
function causes({ response }: Sent): string {
  const named = ['added_message', 'moved_media', 'reasoning_off', 'other'];
  return canonical(response?.adaptations.filter(({ type }) => named.includes(type)));
}

async function foreignProblems(kit: Kit): Promise<string[]> {
  const { model } = await kit.sent({});
  const origin = { provider: 'kit-stranger', api: 'kit-wire', model: 'kit-model' };
  const data = { 'kit-stranger': { secret: 'kit-opaque-data' } };
  const opaque = { origin, provider_data: data };
  const input: Item[] = [
    ...hello.input,
    { ...opaque, type: 'reasoning', summary: [], encrypted_content: 'kit-opaque-reasoning' },
    { ...opaque, type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'kit-visible-text' }] },
    { ...opaque, type: 'kit-stranger:thing', encrypted_content: 'kit-opaque-item' },
    { ...opaque, type: 'web_search_call', id: 'ws_1', status: 'completed', signature: 'kit-opaque-search' },
    { type: 'message', role: 'user', content: 'Go on.' },
  ];
  const { response, text } = await kit.sent({ input });
  const leaks = ['data', 'reasoning', 'item', 'search']
    .map((what) => `kit-opaque-${what}`)
    .filter((word) => text.includes(word));
  return [
    ...leaks.map(
      (word) =>
        `expected '${word}' of another provider to stay out of the request to ${model.provider}, got it in there`,
    ),
    ...(text.includes('kit-visible-text')
      ? []
      : ["expected the words of another provider's model in the request, got none"]),
    ...(reported(response, ['described_item', 'dropped_item'])
      ? []
      : ['expected the items of another provider to be reported as described_item or dropped_item, got no adaptation']),
  ];
}

async function replayProblems(kit: Kit, recorded: Kit['wholes'][number]): Promise<string[]> {
  const { model } = kit.replay(recorded);
  const { response } = await (recorded.streaming ? streamed(model) : whole(model));
  // What is not read as an answer, `reading` tells.
  if (!response) return [];
  const answers = response.output.flatMap((item): Item[] =>
    item.type === 'function_call' ? [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }] : [],
  );
  const input: Item[] = [
    ...hello.input,
    ...response.output,
    ...answers,
    { type: 'message', role: 'user', content: 'Go on.' },
  ];
  const next = kit.replay(recorded);
  const again = await (recorded.streaming ? streamed : whole)(next.model, {
    request: { ...hello, tools: toolsOf(kit), input },
  });
  const [sent] = next.received;
  if (!again.response || !sent)
    return [`${recorded.name}: expected an answer to the conversation with this answer, got ${nameOf(again.error)}`];
  const texts = textsIn(sent.body).join('\n');
  const lost = reported(again.response, ['dropped_item', 'described_item'])
    ? []
    : blobsOf(response.output).filter((blob) => !texts.includes(blob));
  return [
    ...replayed(model, response.output, texts),
    ...lost.map((blob) => `expected ${shown(blob.slice(0, 60))} in the next request, or a report, got neither`),
    ...(kit.subject.options.grammar?.(sent.body) ?? []).map((problem) => `expected a legal body, got: ${problem}`),
  ].map((problem) => `${recorded.name}: ${problem}`);
}

/** What became of visible reasoning, where the capabilities say what must. */
function replayed({ capabilities }: Model, output: readonly Item[], sent: string): string[] {
  const policy = capabilities.reasoningReplay ?? 'optional';
  const reasoning = output.filter((item) => item.type === 'reasoning');
  const texts = reasoning.flatMap(({ summary, content = [] }) => [...content, ...summary]).map(({ text }) => text);
  return texts.flatMap((text) => {
    const there = sent.includes(text);
    if (policy === 'optional' || text === '' || there === (policy === 'required')) return [];
    const wanted = there ? 'to stay out of' : 'in';
    return [
      `expected the reasoning ${shown(text)} ${wanted} the next request, as capabilities.reasoningReplay is ${policy}, got ${there ? 'it in there' : 'none'}`,
    ];
  });
}

/** What only the issuer can read. */
function blobsOf(output: readonly Item[]): string[] {
  return output.flatMap((item) => {
    const encrypted = item.type === 'reasoning' ? (item.encrypted_content ?? '') : '';
    const data = textsIn(item.provider_data).filter((text) => text.length > 24);
    return [...(encrypted === '' ? [] : [encrypted]), ...data];
  });
}

const media: readonly (InputPart & { mark: string })[] = [
  { type: 'input_image', image_url: 'data:image/png;base64,a2l0LWltYWdl', mark: 'a2l0LWltYWdl' },
  {
    type: 'input_file',
    filename: 'kit.pdf',
    file_data: 'data:application/pdf;base64,a2l0LWZpbGU=',
    mark: 'a2l0LWZpbGU=',
  },
  { type: 'input_audio', input_audio: { data: 'a2l0LWF1ZGlv', format: 'wav' }, mark: 'a2l0LWF1ZGlv' },
];

async function mediaProblems(kit: Kit, { mark, ...part }: (typeof media)[number]): Promise<string[]> {
  const words: InputPart = { type: 'input_text', text: 'Look.' };
  const user: Item[] = [{ type: 'message', role: 'user', content: [words, part] }];
  const tool: Item[] = [
    ...hello.input,
    { type: 'function_call', call_id: 'call_1', name: 'probe', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output: [words, part] },
  ];
  const places = [
    ['a user message', user],
    ['a tool output', tool],
  ] as const;
  const each = await inTurn(places, async ([place, input]) => {
    const { response, text } = await kit.sent({ input, tools: toolsOf(kit) });
    const told = reported(response, ['dropped_item', 'moved_media', 'described_item', part.type]);
    const placeless = !isTaken(kit, part.type, place);
    if (placeless && !told)
      return [`expected a report that the ${part.type} of ${place} has no place, as the capabilities say, got none`];
    return told || text.includes(mark)
      ? []
      : [`expected the ${part.type} of ${place} in the request or reported, got neither`];
  });
  return each.flat();
}

const inputKinds = { input_text: undefined, input_image: 'image', input_file: 'file', input_audio: 'audio' } as const;

/** Whether the capabilities leave a place for this. */
function isTaken(kit: Kit, type: InputPart['type'], place: string): boolean {
  const { input, toolOutputMedia } = kit.subject.capabilities;
  const kind = inputKinds[type];
  return (
    (kind === undefined || input?.includes(kind) !== false) && (place !== 'a tool output' || toolOutputMedia !== false)
  );
}
