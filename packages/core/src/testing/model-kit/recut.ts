import type { Answer } from './endpoint.ts';
import type { Recorded } from './cassettes.ts';

const encoder = new TextEncoder();

/** The answer as it was recorded: a stream event by event, anything else in one piece. */
export function asRecorded({ response }: Recorded): Answer {
  const { status, headers = {}, body, sse, text } = response;
  const type = sse === undefined ? 'application/json' : 'text/event-stream; charset=utf-8';
  const content = text ?? JSON.stringify(body);
  return {
    status,
    headers: { 'content-type': type, ...carried(headers) },
    pieces: sse === undefined ? [content] : eventsOf(sse),
  };
}

/** The same answer with another body. */
export function withPieces(recorded: Recorded, pieces: readonly (string | Uint8Array)[]): Answer {
  return { ...asRecorded(recorded), pieces };
}

/** An event stream, one event a piece, each with the blank line behind it. */
export function eventsOf(sse: string): string[] {
  return sse
    .replaceAll('\r\n', '\n')
    .split(/(?<=\n\n)/)
    .filter((event) => event.trim() !== '');
}

export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes in pieces of one size. */
export function sliced(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size));
}

/**
 * Where to cut bytes: everywhere, as far as `most` allows; else inside every character of several bytes, around line ends, and
 * evenly in between, a few hundred times.
 */
export function cutsOf(bytes: Uint8Array, most = 1024): number[] {
  const all = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, index) => index + 1);
  if (all.length <= most) return all;
  const telling = all.filter((at) => ((bytes[at] ?? 0) & 0xc0) === 0x80 || bytes[at] === 10 || bytes[at - 1] === 10);
  const part = most / 5;
  const every = Math.ceil(all.length / part);
  const kept = Math.ceil(telling.length / part);
  const chosen = [...telling.filter((_, index) => index % kept === 0), ...all.filter((at) => at % every === 0)];
  return [...new Set(chosen)].toSorted((a, b) => a - b);
}

/** Headers that say how a body was carried on its way are not replayed: this server carries it in its own way. */
function carried(headers: { readonly [name: string]: string }): { [name: string]: string } {
  const own = /^(content-(length|encoding)|transfer-encoding|connection|keep-alive)$/i;
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !own.test(name))
      .map(([name, value]) => [name.toLowerCase(), value]),
  );
}
