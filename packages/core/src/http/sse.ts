/**
 * The data of each server-sent event of a body, as https://html.spec.whatwg.org/multipage/server-sent-events.html frames them;
 * the last event counts even without the blank line behind it. Leaving it cancels the body.
 */
export async function* eventData(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let data: string[] = [];
  for await (const line of linesOf(body)) {
    if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5));
    if (line !== '' || data.length === 0) continue;
    yield data.join('\n');
    data = [];
  }
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
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } finally {
    // Also ends the request when nobody wants the rest; after an error there is nothing left to cancel. Not awaited: where a client
    // reads along, it settles only when that has read everything.
    void reader.cancel().catch(() => undefined);
  }
}
