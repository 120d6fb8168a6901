import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { McpTransport } from './options.ts';
import type { Opened } from './transports.ts';

/** How much of a server's last words is kept, for the error of one that dies at its start. */
const kept = 1000;

/** The transport to a program that will be started on this machine. */
export function openStdio(options: Extract<McpTransport, { type: 'stdio' }>): Opened {
  const { command, args = [], env = {}, cwd, stderr = 'ignore' } = options;
  const transport = new StdioClientTransport({
    command,
    args: [...args],
    env: { ...env },
    stderr: stderr === 'inherit' ? 'inherit' : 'pipe',
    ...(cwd === undefined ? {} : { cwd }),
  });
  let said = '';
  transport.stderr?.on('data', (chunk: unknown) => {
    said = (said + String(chunk)).slice(-kept);
  });
  return { transport, said: () => said };
}
