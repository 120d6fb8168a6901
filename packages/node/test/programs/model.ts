import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { bodyOf, reply, say, startServer, type Asked } from '../support/model-server.ts';

/** What the server does with one request; the first message of the user lists them as JSON, one request after the other. */
type Move = {
  say?: string;
  call?: string;
  args?: object;
  status?: number;
  headers?: { [name: string]: string };
  silent?: boolean;
  /** Words that come in time, before silence. */
  drip?: number;
};

const counts = new Map<string, number>();
let aborted = 0;

/** A model in a process of its own, for tests that stand still while they ask it. */
const server = await startServer(async (request, response) => {
  response.on('close', () => (aborted += response.writableFinished ? 0 : 1));
  if (request.method === 'GET') return reply(response, { aborted });
  const asked = JSON.parse(await bodyOf(request)) as Asked;
  const script = String(asked.messages.find(({ role }) => role === 'user')?.content);
  const count = counts.get(script) ?? 0;
  counts.set(script, count + 1);
  return make((JSON.parse(script) as Move[])[count] ?? { say: 'The script is over.' }, asked, response);
});
process.stdout.write(`${server.baseURL}\n`);

async function make(move: Move, asked: Asked, response: ServerResponse): Promise<void> {
  if (move.silent) return;
  if (move.drip !== undefined) return drip(move.drip, response);
  if (move.status === undefined) {
    const { call, args = {}, say: text = '' } = move;
    return say(call === undefined ? text : [{ call, args }], asked, response);
  }
  response.writeHead(move.status, { 'content-type': 'application/json', ...move.headers });
  response.end('{"error":{"message":"not now"}}');
}

async function drip(words: number, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let word = 0; word < words; word++) {
    const choices = [{ index: 0, delta: { content: 'word ' }, finish_reason: null }];
    response.write(`data: ${JSON.stringify({ id: 'c1', model: 'm', choices })}\n\n`);
    await setTimeout(30);
  }
}
