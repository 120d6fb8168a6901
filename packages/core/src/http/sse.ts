/** One server-sent event. `bare`: its data have no name of a field before them. */
export type ServerEvent = { readonly event?: string; readonly data: string; readonly bare?: true };

/**
 * The server-sent events of a body, as https://html.spec.whatwg.org/multipage/server-sent-events.html frames them; the last event
 * counts even without the blank line behind it, one without data does not. JSON without the name of a field counts as data: some servers
 * break data over lines, or answer with an error in the place of a stream. Leaving it cancels the body.
 */
export async function* serverEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let data: string[] = [];
  let event: string | undefined;
  let named = false;
  for await (const line of linesOf(body)) {
    named ||= line.startsWith('data:');
    if (line.startsWith('data:')) data.push(valueOf(line, 5));
    else if (/^[\s{}[\]]/.test(line)) data.push(line);
    else if (line.startsWith('event:')) event = valueOf(line, 6);
    // llama.cpp's server says so in a field of its own.
    else if (line.startsWith('error:')) [event, data] = ['error', [valueOf(line, 6)]];
    if (line !== '') continue;
    if (data.length > 0)
      yield { data: data.join('\n'), ...(event !== undefined && { event }), ...(!named && { bare: true }) };
    data = [];
    event = undefined;
    named = false;
  }
}

function valueOf(line: string, from: number): string {
  return line.slice(line[from] === ' ' ? from + 1 : from);
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (let ended = false; !ended;) {
      const { done, value } = await reader.read();
      ended = done;
      const text = done ? `${decoder.decode()}\n\n` : decoder.decode(value, { stream: true });
      // A carriage return at the end may be the first half of a line's end.
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    // Also ends the request when nobody wants the rest; after an error there is nothing left to cancel. Not awaited: where a client
    // reads along, it settles only when that has read everything.
    void reader.cancel().catch(() => undefined);
  }
}
