import { ModelError, type Item, type ModelRequest, type ModelResponse } from '@polyrun/core';
import { answer } from '@polyrun/wires/corpus';
import { json } from '@polyrun/wires/endpoint';
import { leaked, secretsIn } from './opaque.ts';
import { withNext, type Log, type Reply } from './recorded.ts';
import { modelAt, type Fields, type Place, type Wire } from './wires.ts';

/** A model at a server in memory. One request at a time. */
export type Seat = {
  readonly wire: Wire;
  readonly place: Place;
  /** What was sent, and what the adapter made of the reply; without one the server answers as briefly as it can. */
  ask(request: ModelRequest, reply?: Reply): Promise<{ body: Fields; response: ModelResponse | ModelError }>;
};
/** What the requests of one cell of the matrix came to. */
export type Tally = { requests: number; violations: string[]; adaptations: { [type: string]: number } };
export type Asked = Pick<ModelRequest, 'input' | 'tools' | 'settings'>;
type Sent = { readonly text: string; readonly conversation: readonly unknown[]; readonly response: ModelResponse };

export function newTally(): Tally {
  return { requests: 0, violations: [], adaptations: {} };
}

export function seatAt(wire: Wire, place: Place): Seat {
  let body: Fields = {};
  let current: Reply | undefined;
  const model = modelAt(wire, place, async (input, init) => {
    body = JSON.parse(input instanceof Request ? await input.text() : (init?.body as string)) as Fields;
    return current?.response() ?? json(wire.answer);
  });
  return {
    wire,
    place,
    async ask(request, reply) {
      current = reply;
      const response = await answer(model, request, reply?.streaming ?? false);
      return { body, response };
    },
  };
}

/** Asks one model for one request, and notes what was wrong with what it sent. */
export async function send(
  asked: Asked,
  { seat, name, reply }: { seat: Seat; name: string; reply?: Reply | undefined },
  tally: Tally,
): Promise<Sent | undefined> {
  const { wire, place } = seat;
  const tell = (problem: string) =>
    void tally.violations.push(`${name} to ${wire.api} ${place.provider}/${place.model}: ${problem}`);
  tally.requests++;
  const { body, response } = await seat.ask(asked, reply);
  if (response instanceof ModelError) return tell(`${response.name} ${response.message}`);
  const text = JSON.stringify(body);
  for (const { type } of response.adaptations) tally.adaptations[type] = (tally.adaptations[type] ?? 0) + 1;
  for (const problem of wire.problems(body, place)) tell(problem);
  const reader = { provider: place.provider, api: wire.api };
  for (const secret of leaked(text, secretsIn(asked.input), reader)) tell(`it was told what is another's: ${secret}`);
  return { text, conversation: wire.conversation(body), response };
}

/**
 * From home to another model and back: home is asked, the other one answers with `reply` and is asked again, home is asked again. Both
 * second requests begin as the first ones did, unless an adaptation says why not; both get back what is their own, byte for byte.
 */
export async function journey(
  log: Log & { readonly settings: ModelRequest['settings'] },
  { home, away, reply }: { home: Seat; away: Seat; reply: Reply | undefined },
  tally: Tally,
): Promise<void> {
  const asked = (input: readonly Item[]): Asked => ({ input, tools: log.tools, settings: log.settings });
  const { name } = log;
  const before = await send(asked(log.items), { seat: home, name }, tally);
  const visit = await send(asked(log.items), { seat: away, reply, name }, tally);
  if (!before || !visit) return;
  checkEchoed(log.items, before, (problem) => void tally.violations.push(`${name} at home: ${problem}`));
  const longer = withNext([...log.items, ...visit.response.output]);
  const stayed = await send(asked(longer), { seat: away, name: `${name}, answered,` }, tally);
  const back = await send(asked(longer), { seat: home, name: `${name}, come home,` }, tally);
  if (!stayed || !back) return;
  const tell = (problem: string) => void tally.violations.push(`${name} by ${away.wire.api} and back: ${problem}`);
  checkContinued(visit, stayed, (problem) => tell(`away, ${problem}`));
  checkContinued(before, back, (problem) => tell(`home, ${problem}`));
  for (const { text } of secretsIn(log.items))
    if (before.text.includes(text) && !back.text.includes(text)) tell(`home does not get back ${text}`);
}

/** Reasoning that only its issuer can read goes back to it, unless an adaptation says that it stays behind. */
function checkEchoed(items: readonly Item[], { text, response }: Sent, tell: (problem: string) => void): void {
  const left = items.filter(
    (item) => item.type === 'reasoning' && item.encrypted_content && !text.includes(item.encrypted_content),
  );
  const named = response.adaptations.filter(({ type, name }) => type === 'dropped_item' && name === 'reasoning');
  if (left.length > named.length) tell(`${left.length} thoughts are missing, ${named.length} are named`);
}

function checkContinued(first: Sent, next: Sent, tell: (problem: string) => void): void {
  const [earlier, later] = [first, next].map(({ conversation }) => conversation.map((entry) => JSON.stringify(entry)));
  const at = earlier?.findIndex((entry, index) => entry !== later?.[index]) ?? -1;
  if (at < 0 || isNamed(first, next, at)) return;
  tell(`the next request differs at ${at}: ${earlier?.[at]?.slice(0, 200)} is now ${later?.[at]?.slice(0, 200)}`);
}

/** True where an adaptation says why a request is not the beginning of the next one: a message that only its end needed, reasoning off in one. */
function isNamed(first: Sent, next: Sent, at: number): boolean {
  const told = ({ response }: Sent, type: string) =>
    response.adaptations.some((adaptation) => adaptation.type === type);
  if (told(first, 'reasoning_off') !== told(next, 'reasoning_off')) return true;
  return at === first.conversation.length - 1 && told(first, 'added_message');
}
