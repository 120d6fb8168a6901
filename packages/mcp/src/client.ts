import { Client } from '@modelcontextprotocol/client';
import type { McpServerOptions } from './options.ts';

/** What a client of the official package is told of this side. */
export type ClientSetup = Pick<
  McpServerOptions,
  'protocol' | 'clientInfo' | 'roots' | 'onElicitation' | 'onSampling' | 'onLog'
> & {
  /** The server's tools have changed, or a change may have been missed. */
  readonly onToolsChanged: () => void;
};

/** More pages than any server has; one that never comes to an end meets the deadline of lists. */
const mostPages = 10_000;

/** The official client for one connection; it offers a server what the user's options give answers to, and refuses the rest. */
export function clientFor(setup: ClientSetup): Client {
  const { protocol = 'legacy', clientInfo = { name: 'polyrun', version: '0' }, onToolsChanged } = setup;
  const client = new Client(clientInfo, {
    capabilities: {
      ...(setup.roots ? { roots: {} } : {}),
      ...(setup.onElicitation ? { elicitation: { form: {}, url: {} } } : {}),
      ...(setup.onSampling ? { sampling: {} } : {}),
    },
    versionNegotiation: { mode: protocol },
    listChanged: { tools: { autoRefresh: false, debounceMs: 0, onChanged: onToolsChanged } },
    listMaxPages: mostPages,
  });
  answerServer(client, setup);
  return client;
}

function answerServer(client: Client, { roots, onElicitation, onSampling, onLog }: ClientSetup): void {
  if (roots) {
    client.setRequestHandler('roots/list', async () => ({
      roots: [...(typeof roots === 'function' ? await roots() : roots)],
    }));
  }
  if (onElicitation) {
    client.setRequestHandler('elicitation/create', async ({ params }) => await onElicitation({ request: params }));
  }
  if (onSampling) {
    client.setRequestHandler('sampling/createMessage', async ({ params }) => await onSampling({ request: params }));
  }
  if (onLog) client.setNotificationHandler('notifications/message', async ({ params }) => await onLog(params));
}
