import type { Item, ModelRequest, ModelResponse } from '@polyrun/core';
import { answer } from '@polyrun/wires/corpus';
import { json } from '@polyrun/wires/endpoint';
import { leaked, secretsIn } from './opaque.ts';
import { withNext, type Log, type Reply } from './recorded.ts';
import { modelAt, type Fields, type Place, type Wire } from './wires.ts';

/** A model that is asked, and what became of it. */
export type Stop = { readonly wire: Wire; readonly place: Place };
/** What the requests of one cell of the matrix came to. */
export type Tally = { requests: number; violations: string[]; adaptations: { [type: string]: number } };
export type Asked = Pick<ModelRequest, 'input' | 'tools' | 'settings'>;
type Sent = { readonly text: string; readonly conversation: readonly unknown[]; readonly response: ModelResponse };

export function newTally(): Tally {
  return { requests: 0, violations: [], adaptations: {} };
}

/** Asks one model for one request, and notes what was wrong with what it sent. */
export async function send(
  asked: Asked,
  { wire, place, reply, name }: Stop & { reply?: Reply | undefined; name: string },
  tally: Tally,
): Promise<Sent | undefined> {
  let body: Fields = {};
  const model = modelAt(wire, place, async (input, init) => {
    body = JSON.parse(input instanceof Request ? await input.text() : (init?.body as string)) as Fields;
    return reply?.response() ?? json(wire.answer);
  });
  const tell = (problem: string) =>
    void tally.violations.push(`${name} to ${wire.api} ${place.provider}/${place.model}: ${problem}`);
  tally.requests++;
  const response = await answer(model, asked, reply?.streaming ?? false);
  if (response instanceof Error) return tell(`${response.name} ${response.message}`);
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
  { home, away, reply }: { home: Stop; away: Stop; reply: Reply | undefined },
  tally: Tally,
): Promise<void> {
  const asked = (input: readonly Item[]): Asked => ({ input, tools: log.tools, settings: log.settings });
  const { name } = log;
  const before = await send(asked(log.items), { ...home, name }, tally);
  const visit = await send(asked(log.items), { ...away, reply, name }, tally);
  if (!before || !visit) return;
  const longer = withNext([...log.items, ...visit.response.output]);
  const stayed = await send(asked(longer), { ...away, name: `${name}, answered,` }, tally);
  const back = await send(asked(longer), { ...home, name: `${name}, come home,` }, tally);
  if (!stayed || !back) return;
  const tell = (problem: string) => void tally.violations.push(`${name} by ${away.wire.api} and back: ${problem}`);
  checkContinued(visit, stayed, (problem) => tell(`away, ${problem}`));
  checkContinued(before, back, (problem) => tell(`home, ${problem}`));
  for (const { text } of secretsIn(log.items))
    if (before.text.includes(text) && !back.text.includes(text)) tell(`home does not get back ${text}`);
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
