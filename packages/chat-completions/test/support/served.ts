import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Asked = {
  readonly messages: readonly { readonly role: string }[];
  readonly tools?: readonly { readonly function: { readonly name: string } }[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly type: string };
  readonly stream?: boolean;
};
/** What a server says to one request: a status with an error, or a text and calls; `cut`: the connection breaks in the middle of it. */
export type Said =
  | { readonly status: number; readonly headers?: { readonly [name: string]: string } }
  | {
      readonly text?: string;
      readonly calls?: readonly { readonly name: string; readonly args: object }[];
      readonly cut?: boolean;
    };

/** A Chat Completions endpoint on this machine that answers as it is told, streamed where that is asked. */
export async function served(answer: (asked: Asked, index: number) => Said) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void respond(request, response);
  });
  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Asked;
    asked.push(body);
    const said = answer(body, asked.length - 1);
    if ('status' in said) {
      response.writeHead(said.status, { 'content-type': 'application/json', ...said.headers });
      response.end(JSON.stringify({ error: { message: `status ${said.status}` } }));
    } else if (body.stream) stream(response, said);
    else {
      const message = { role: 'assistant', content: said.text ?? null, ...callsOf(said) };
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }));
    }
  };
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { baseURL: `http://127.0.0.1:${port}/v1`, asked, close };
}

function stream(response: ServerResponse, said: Exclude<Said, { status: number }>): void {
  const pieces = Array.from(said.text ?? '', (content) => ({ content }));
  const { tool_calls } = callsOf(said);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const delta of tool_calls ? [...pieces, { tool_calls }] : pieces)
    response.write(`data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta }] })}\n\n`);
  // What was written is to arrive before the connection breaks.
  if (said.cut) response.write(': ping\n\n', () => response.destroy());
  else
    response.end(
      `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`,
    );
}

function callsOf({ calls }: Exclude<Said, { status: number }>) {
  if (!calls) return {};
  return {
    tool_calls: calls.map(({ name, args }, index) => ({
      index,
      id: `call_${name}_${index}`,
      type: 'function',
      function: { name, arguments: JSON.stringify(args) },
    })),
  };
}
