import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';

export type Message = { role: string; content?: unknown; tool_calls?: unknown; tool_call_id?: string };
export type Asked = { messages: Message[]; stream?: boolean; [field: string]: unknown };
/** What the model says: a text, or calls of tools. */
export type Said = string | { call: string; args?: object; id?: string }[];
type Answering = (asked: Asked, response: ServerResponse) => Said | undefined | Promise<Said | undefined>;

/** A server that speaks Chat Completions. What `answer` does not answer it leaves open. */
export async function startModelServer(answer: Answering): Promise<{ baseURL: string; close(): Promise<void> }> {
  return startServer(async (request, response) => {
    const asked = JSON.parse(await bodyOf(request)) as Asked;
    const said = await answer(asked, response);
    if (said === undefined || response.headersSent) return;
    say(said, asked, response);
  });
}

/** Says it in one piece or as a stream, as was asked. */
export function say(said: Said, { stream }: Asked, response: ServerResponse): void {
  if (stream) streamSaid(said, response);
  else reply(response, completion(said));
}

export async function startServer(
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
): Promise<{ baseURL: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    baseURL: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

export function reply(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function completion(said: Said): object {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  return {
    id: 'c1',
    model: 'm',
    choices: [
      {
        index: 0,
        message: messageOf(said),
        finish_reason: typeof said === 'string' ? 'stop' : 'tool_calls',
      },
    ],
    usage,
  };
}

function messageOf(said: Said): object {
  if (typeof said === 'string') return { role: 'assistant', content: said };
  return { role: 'assistant', content: null, tool_calls: said.map((each, index) => ({ ...toolCall(each), index })) };
}

function toolCall({ call, args = {}, id = `call_${call}` }: Exclude<Said, string>[number]): object {
  return { id, type: 'function', function: { name: call, arguments: JSON.stringify(args) } };
}

function streamSaid(said: Said, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const event = (delta: object, finish: string | null = null) =>
    response.write(
      `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`,
    );
  if (typeof said === 'string') for (const word of said.split(/(?<= )/)) event({ content: word });
  else event(messageOf(said));
  event({}, typeof said === 'string' ? 'stop' : 'tool_calls');
  response.end('data: [DONE]\n\n');
}
