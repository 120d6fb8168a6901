import { LLMock, type ChatCompletionRequest } from '@copilotkit/aimock';

/** Starts a third-party server of the wire format on a free loopback port; it plays the model of every example. */
export async function startMock(): Promise<LLMock> {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 20 });
  customerService(mock);
  research(mock);
  refunds(mock);
  mock.on({ systemMessage: 'Chat. Be brief.' }, (request) => ({
    content: `I see ${texts(request).length - 1} messages, the last is "${texts(request).at(-1)}".`,
  }));
  files(mock);
  await mock.start();
  return mock;
}

function customerService(mock: LLMock): void {
  mock
    .on({ systemMessage: 'customer service of a shop' }, (request) => ({
      content: JSON.stringify({ isForUs: !all(request).includes('poem') }),
    }))
    .on({ systemMessage: 'Hand the customer over' }, (request) => ({
      toolCalls: [
        { name: all(request).includes('return') ? 'transfer_to_returns' : 'transfer_to_deliveries', arguments: '{}' },
      ],
    }))
    .on({ systemMessage: 'Help Ada' }, (request) => {
      const found = /on its way, due tomorrow|No such order/.exec(all(request))?.[0];
      if (found) return { content: `Your order: ${found}.` };
      const number = /order (\d+)/.exec(all(request))?.[1];
      return { toolCalls: [{ name: 'find_order', arguments: JSON.stringify({ number }) }] };
    })
    .on({ systemMessage: 'return goods' }, { content: 'Send it back within 30 days; we pay to 4111 1111 1111 1111.' });
}

function research(mock: LLMock): void {
  const ask = (aspect: string) => ({ name: 'research', arguments: JSON.stringify({ aspect }) });
  mock
    .on(
      { systemMessage: 'Ask for research', hasToolResult: false },
      { toolCalls: ['costs', 'centre', 'buses'].map(ask) },
    )
    .on({ systemMessage: 'Ask for research' }, (request) => ({
      content: `Report: ${texts(request).slice(-3).join(' | ')}`,
    }))
    .on({ systemMessage: 'Search for facts', hasToolResult: false }, (request) => {
      const aspect = /costs|centre|buses/.exec(texts(request).at(-1) ?? '')?.[0];
      const words = { costs: 'million', centre: 'centres', buses: 'bus' }[aspect ?? ''] ?? 'nothing';
      return { toolCalls: [{ name: 'search', arguments: JSON.stringify({ words }) }] };
    })
    .on({ systemMessage: 'Search for facts' }, (request) => ({ content: `found ${texts(request).at(-1)}` }));
}

function refunds(mock: LLMock): void {
  mock
    .on({ systemMessage: 'Refund broken goods', hasToolResult: false }, (request) => {
      const order = /order (\d+)/.exec(all(request))?.[1];
      return { toolCalls: [{ name: 'refund', arguments: JSON.stringify({ order, amount: 59 }) }] };
    })
    .on({ systemMessage: 'Refund broken goods' }, (request) => ({
      content: `The tool said: ${texts(request).at(-1)}`,
    }));
}

function files(mock: LLMock): void {
  mock
    .on({ systemMessage: 'Work with the files', hasToolResult: false }, (request) => ({
      toolCalls: [{ name: 'read_text_file', arguments: JSON.stringify({ path: `${folderOf(request)}/todo.txt` }) }],
    }))
    .on({ systemMessage: 'Work with the files', toolResultContains: 'water' }, (request) => ({
      toolCalls: [
        {
          name: 'write_file',
          arguments: JSON.stringify({ path: `${folderOf(request)}/summary.txt`, content: texts(request).at(-1) }),
        },
      ],
    }))
    .on({ systemMessage: 'Work with the files' }, (request) => ({ content: `Done: ${texts(request).at(-1)}` }));
}

function folderOf(request: ChatCompletionRequest): string | undefined {
  return /files in (\S+)\./.exec(all(request))?.[1];
}

/** The text of each message. */
export function texts({ messages }: ChatCompletionRequest): string[] {
  return messages.map(({ content }) =>
    typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join(''),
  );
}

function all(request: ChatCompletionRequest): string {
  return texts(request).join('\n');
}
