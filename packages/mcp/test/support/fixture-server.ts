/**
 * A small MCP server over stdio, made with the official server package. First argument: a file into which it writes, line by line, what
 * it is asked; second: what kind of server it is.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { Server, type CallToolResult, type JSONRPCMessage, type Tool } from '@modelcontextprotocol/server';
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';

const [, , file = '', kind = 'plain'] = process.argv;
const write = (entry: object) => appendFileSync(file, `${JSON.stringify({ pid: process.pid, ...entry })}\n`);
const object = { type: 'object' } as const;
const text = (words: string): CallToolResult => ({ content: [{ type: 'text', text: words }] });

const tools: Tool[] = [
  { name: 'echo', inputSchema: { ...object, properties: { text: { type: 'string' } }, required: ['text'] } },
  { name: 'hang', inputSchema: object },
  { name: 'die', inputSchema: object },
  { name: 'grow', inputSchema: object, annotations: { readOnlyHint: true } },
  { name: 'secret', inputSchema: object },
];
const pages = Array.from({ length: 500 }, (_, index) => ({ name: `tool_${index}`, inputSchema: object }));

if (kind === 'stubborn' || kind === 'silent') {
  write({ method: 'started' });
  if (kind === 'stubborn') process.on('SIGTERM', () => write({ method: 'SIGTERM' }));
  setInterval(() => undefined, 60_000);
} else if (kind === 'dying' || (kind === 'dying-once' && !existsSync(`${file}.died`))) {
  appendFileSync(`${file}.died`, '');
  console.error(`No licence in ${process.env['LICENCE_KEY']}.`);
  process.exitCode = 3;
} else {
  await serve();
}

async function serve(): Promise<void> {
  const server = new Server(
    { name: 'fixture', version: '1.0.0' },
    { capabilities: { tools: { listChanged: true } }, instructions: 'Be gentle.' },
  );
  server.setRequestHandler('tools/list', ({ params }) => {
    if (kind !== 'pages') return { tools: [...tools] };
    const from = Number(params?.cursor ?? 0);
    const next = from + 7;
    return { tools: pages.slice(from, next), ...(next < pages.length ? { nextCursor: String(next) } : {}) };
  });
  server.setRequestHandler('tools/call', async ({ params }) => await answer(server, params));
  const transport = new StdioServerTransport();
  await server.connect(transport);
  const { onmessage } = transport;
  transport.onmessage = (message: JSONRPCMessage) => {
    if ('method' in message) write({ method: message.method, params: message.params });
    onmessage?.(message);
  };
}

async function answer(
  server: Server,
  { name, arguments: args }: { name: string; arguments?: Record<string, unknown> | undefined },
): Promise<CallToolResult> {
  switch (name) {
    case 'echo':
      return text(String(args?.['text']));
    case 'hang':
      return await new Promise(() => undefined);
    case 'die':
      return process.exit(1);
    case 'grow':
      tools.push({ name: 'grown', inputSchema: object });
      await server.sendToolListChanged();
      return text('grown');
    case 'secret':
      throw new Error(`The key ${process.env['LICENCE_KEY']} is not valid.`);
    default:
      return text(name);
  }
}
