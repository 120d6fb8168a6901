import { canonical } from '../../compare.ts';
import { asFolded, eventProblems, folded, type Folded } from '../event-grammar.ts';
import { needsStream, type Kit, type ModelCheck } from '../kit.ts';
import { apart, inTurn, streamed, type Outcome } from '../play.ts';

export const eventChecks: readonly ModelCheck[] = [
  {
    id: 'events',
    title: 'streams obey the grammar of Open Responses events, and end with polyrun:response_done',
    advice:
      'Emit deltas with `ResponseEvents` and let `defineModel` add the rest; if you write `streamResponse` yourself, follow the order that the message names.',
    idle: needsStream,
    run: (kit) => forStreams(kit, ({ events, response }) => eventProblems(events, response !== undefined)),
  },
  {
    id: 'fold',
    title: 'the deltas put together, the items that are done, and the final response say the same',
    advice: 'Emit every piece of text, reasoning, refusal and arguments once, on the item that it belongs to.',
    idle: needsStream,
    run: (kit) => forStreams(kit, foldProblems),
  },
];

async function forStreams(kit: Kit, check: (outcome: Outcome) => string[]): Promise<string[]> {
  const streams = kit.subject.recorded.filter(({ streaming }) => streaming);
  const each = await inTurn(streams, async (stream) =>
    check(await streamed(kit.replay(stream).model)).map((problem) => `${stream.name}: ${problem}`),
  );
  return each.flat();
}

function foldProblems({ events, response }: Outcome): string[] {
  if (!response) return [];
  const final = response.output.map(asFolded);
  const done: Folded[] = [];
  for (const event of events)
    if (event.type === 'response.output_item.done') done[event.output_index] = asFolded(event.item);
  const told = events.find(({ type }) => /^response\.(completed|incomplete|failed)$/.test(type));
  const [deltas, wanted] = [canonical(folded(events)), canonical(final)];
  const items = canonical(done.filter((item) => item !== undefined));
  return [
    ...(deltas === wanted ? [] : [`the deltas differ from the final items: ${apart(deltas, wanted)}`]),
    ...(items === wanted ? [] : [`the items that are done differ from the final ones: ${apart(items, wanted)}`]),
    ...terminalProblems(told, response.stop.type),
  ];
}

function terminalProblems(event: { type: string } | undefined, stop: string): string[] {
  const wanted = stop === 'length' || stop === 'content_filter' ? 'response.incomplete' : 'response.completed';
  return event === undefined || event.type === wanted
    ? []
    : [`expected ${wanted} for the stop '${stop}', got ${event.type}`];
}
