import { wireIds } from '@polyrun/core';
import type { Report } from '@polyrun/core/http';
import { mintedId, type Piece } from './pieces.ts';
import type { Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

/** What the list of a request depends on beside its items. */
export type Place = Pick<Destination, 'dialect'> & {
  /** Whose items the server knows, as `Piece.issuer` has it. */
  readonly issuer: string;
  readonly report: Report;
  /** The server has what came before: calls and outputs may stand alone. */
  readonly delta: boolean;
  /** The server keeps what it says: its items are sent under their ids. */
  readonly stored: boolean;
};

/** The list of a request: what only holds between items is made true here, each change reported. */
export function inputList(pieces: readonly Piece[], place: Place): readonly JsonObject[] {
  const fitting = withoutOrphans(withoutDoubles(withoutUnfit(pieces), place), place);
  const led = withoutLoneReasoning(fitting, place);
  return sent(place.dialect.callsTogether ? callsTogether(led, place) : led, place);
}

/** A call whose answer has no place on this wire is left out: the answer is told in words. */
function withoutUnfit(pieces: readonly Piece[]): readonly Piece[] {
  const told = new Set(pieces.filter(({ unfit }) => unfit).map(({ callId }) => callId));
  return told.size === 0 ? pieces : pieces.filter(({ kind, callId }) => kind !== 'computer_call' || !told.has(callId));
}

/** The API answers 400 "Duplicate item found with id". A second call of an id stays under another id, for it has its own answer. */
function withoutDoubles(pieces: readonly Piece[], { stored, report }: Place): readonly Piece[] {
  const seen = new Set<unknown>();
  return pieces.flatMap((piece): Piece[] => {
    const { kept, ...rest } = piece;
    const { kind, wire, callId } = rest;
    const id = wire['id'] ?? (stored ? kept?.['id'] : undefined);
    const double = id !== undefined && seen.has(id);
    seen.add(id);
    if (!double) return [piece];
    if (callId !== undefined && kind.endsWith('_call'))
      return [wire['id'] ? { ...rest, wire: { ...wire, id: mintedId({ ...wire, callId }) } } : rest];
    report('dropped_item', kind, 'the same item stands before');
    return [];
  });
}

/** Pairs that the core does not look after: the client answers them or the server does, which only the item tells. */
const answers: ReadonlyMap<string, string> = new Map([
  ['shell_call', 'shell_call_output'],
  ['tool_search_call', 'tool_search_output'],
  ['mcp_approval_request', 'mcp_approval_response'],
]);
const answered: ReadonlyMap<string, string> = new Map([...answers].map(([call, answer]) => [answer, call]));

/** Of several calls of one id, the first one stays, with the first answer behind it. */
function withoutOrphans(pieces: readonly Piece[], { delta, report }: Place): readonly Piece[] {
  if (delta || !pieces.some(({ kind }) => answers.has(kind) || answered.has(kind))) return pieces;
  const calls = new Map<string, number>();
  const paired = new Set<number>();
  for (const [at, piece] of pieces.entries()) {
    const asked = answered.get(piece.kind);
    const name = `${asked ?? piece.kind} ${idOf(piece) ?? ''}`;
    const call = calls.get(name);
    if (asked === undefined && call === undefined) calls.set(name, at);
    if (asked !== undefined && call !== undefined && !paired.has(call)) paired.add(call).add(at);
  }
  return pieces.filter((piece, at) => {
    const { kind } = piece;
    // A request for approval may wait; what the server ran by itself needs no answer of the client.
    const waits = kind === 'mcp_approval_request' || piece.wire['execution'] === 'server';
    const partner = waits || idOf(piece) === undefined ? undefined : (answers.get(kind) ?? answered.get(kind));
    if (partner === undefined || paired.has(at)) return true;
    report('dropped_item', kind, `its ${partner} is missing`);
    return false;
  });
}

function idOf({ kind, wire, callId }: Piece): string | undefined {
  const { approval_request_id, id } = wire;
  const asked = kind === 'mcp_approval_request' ? id : approval_request_id;
  return kind === 'mcp_call' || typeof asked !== 'string' ? callId : asked;
}

/** Reasoning goes only with what it led to: the API answers 400 "was provided without its required following item". */
function withoutLoneReasoning(pieces: readonly Piece[], { stored, report }: Place): readonly Piece[] {
  let next: Piece | undefined;
  const kept = pieces.toReversed().filter((piece) => {
    if (piece.kind !== 'reasoning') {
      next = piece;
      return true;
    }
    const followed = next?.from === 'model' && next.issuer === piece.issuer && !isRewritten(piece, next);
    const whole = piece.needsServer === undefined || (stored && piece.kept !== undefined);
    if (!followed) report('dropped_item', 'reasoning', 'the item that it led to does not follow');
    else if (!whole) report('dropped_item', 'reasoning', 'neither kept by the server nor encrypted');
    return followed && whole;
  });
  return kept.length === pieces.length ? pieces : kept.toReversed();
}

/** Items without an origin were put there by the user: a message without an id is not the one that encrypted reasoning with one led to. */
function isRewritten(reasoning: Piece, { issuer, kind, kept }: Piece): boolean {
  const isNamed = reasoning.kept !== undefined && reasoning.wire['encrypted_content'] !== undefined;
  return issuer === '' && kind === 'message' && kept === undefined && isNamed;
}

/** Each turn of the model with its calls behind what else it said. */
function callsTogether(pieces: readonly Piece[], { report }: Place): readonly Piece[] {
  const ordered: Piece[] = [];
  const calls: Piece[] = [];
  for (const piece of pieces) {
    if (piece.from !== 'model') ordered.push(...calls.splice(0));
    if (piece.callId !== undefined && piece.kind.endsWith('_call')) calls.push(piece);
    else {
      if (calls.length > 0) report('other', piece.kind, 'stands before the calls of its turn');
      ordered.push(piece);
    }
  }
  return [...ordered, ...calls];
}

/** Ids of calls as the API documents them. */
const callIds = { legal: /^[\w.:-]{1,64}$/, length: 16, prefix: 'call_' } as const;
/** The longest id of a call that another provider made; every server takes such a one. */
const longestForeign = 40;

function sent(pieces: readonly Piece[], place: Place): readonly JsonObject[] {
  const list = new Sending(place);
  for (const piece of pieces) list.add(piece);
  return list.end();
}

/** The list as it goes out: under which ids, and with what else depends on the items before. */
class Sending {
  readonly #place: Place;
  readonly #wireId: (callId: string) => string = wireIds(callIds);
  readonly #ownCalls = new Set<string>();
  readonly #list: JsonObject[] = [];
  readonly #callers = new Map<string, JsonObject>();
  #media: JsonObject[] = [];
  #nameless = false;

  constructor(place: Place) {
    this.#place = place;
  }

  add(piece: Piece): void {
    const { kind, from, wire, kept, moved = [], adaptations } = piece;
    for (const { type, name, detail } of adaptations) this.#place.report(type, name, detail);
    if (from !== 'tool') this.#flush();
    // What followed reasoning without an id goes without one too: the API would miss the reasoning by its id.
    this.#nameless = from === 'model' && (this.#nameless || (kind === 'reasoning' && kept === undefined));
    const id = this.#place.stored && !this.#nameless ? kept : undefined;
    const call = this.#callFields(piece);
    this.#list.push(id || call ? { ...wire, ...id, ...call } : wire);
    this.#media.push(...moved);
  }

  end(): readonly JsonObject[] {
    this.#flush();
    return this.#list;
  }

  /** Media of answers that hold only text follow the last of them. */
  #flush(): void {
    if (this.#media.length > 0) this.#list.push({ type: 'message', role: 'user', content: this.#media });
    this.#media = [];
  }

  /** The wire's id of a call where it is another one; an answer also tells who called, where a program of the model did. */
  #callFields({ kind, from, issuer, wire, callId, unfit }: Piece): JsonObject | undefined {
    // Programs are named by those that they call, and the server knows what it ran by its own id.
    const { caller, execution } = wire;
    if (callId === undefined || unfit || kind.startsWith('program') || execution === 'server') return undefined;
    const isCall = from === 'model';
    if (isCall && caller) this.#callers.set(callId, { caller });
    if (isCall && issuer === this.#place.issuer) this.#ownCalls.add(callId);
    const known = isCall ? undefined : this.#callers.get(callId);
    const id = this.#idOf(callId);
    return known || id !== callId ? { ...known, call_id: id } : undefined;
  }

  /** The server knows its own calls by the ids that it gave them; others are kept short. */
  #idOf(callId: string): string {
    const isKnown = this.#place.delta || this.#ownCalls.has(callId) || callId.length <= longestForeign;
    // What no id may hold makes the mapping give out another one.
    return this.#wireId(isKnown ? callId : `~${callId}`);
  }
}
