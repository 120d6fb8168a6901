import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { answer } from './contender.ts';

/*
 * A chat completions endpoint in a process of its own, so that its work is nobody's. It calls the tool until the conversation holds
 * `turns - 1` outputs, then answers. The port goes to whoever forked it.
 */
const turns = Number(process.argv[2]);
const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const head = { id: 'chatcmpl-1', created: 1, model: 'local' };

const server = createServer((request, response) => void reply(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (typeof address === 'object' && address !== null) process.send?.(address.port);
});

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { messages, stream }: { messages: { role: string }[]; stream?: boolean } = JSON.parse(await text(request));
  const outputs = messages.filter(({ role }) => role === 'tool').length;
  const done = outputs >= turns - 1;
  const message = done ? { content: answer } : { content: null, tool_calls: [callOf(`call_${outputs}`)] };
  const finish_reason = done ? 'stop' : 'tool_calls';
  if (stream) {
    const delta = { role: 'assistant', ...message };
    const chunk = { ...head, object: 'chat.completion.chunk' };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(eventOf({ ...chunk, choices: [{ index: 0, delta, finish_reason: null }] }));
    response.write(eventOf({ ...chunk, choices: [{ index: 0, delta: {}, finish_reason }] }));
    response.end(`${eventOf({ ...chunk, choices: [], usage })}data: [DONE]\n\n`);
    return;
  }
  const choices = [{ index: 0, message: { role: 'assistant', ...message }, finish_reason }];
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
}

function callOf(id: string) {
  return { index: 0, id, type: 'function', function: { name: 'weather', arguments: '{"city":"Oslo"}' } };
}

function eventOf(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}
