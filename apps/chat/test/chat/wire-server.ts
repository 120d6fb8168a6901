import { LLMock, type ChatCompletionRequest } from '@copilotkit/aimock';

/** A third-party server of the wire formats; its keys are `right-key`. What it answers depends on what it is sent. */
export async function startWireServer(): Promise<LLMock> {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 5, auth: { apiKeys: ['right-key'] } });
  mock
    .onMessage('I am Ada', { content: 'Hello, Ada!' })
    .onMessage('Who am I?', (request) => ({
      content: `${/I am (\w+)/.exec(allText(request))?.[1] ?? 'Nobody knows'}, says ${request.model}.`,
    }))
    .onMessage('Count my questions', ({ messages }) => ({
      content: `${messages.filter(({ role }) => role === 'user').length} questions.`,
    }))
    .onMessage('Say it back', (request) => ({ content: lastText(request) }))
    .onMessage('Think long', { content: 'Done.' }, { streamingProfile: { ttft: 60_000 } })
    .onMessage('Be slow', { content: 'slow '.repeat(2000) }, { latency: 100 })
    .onMessage('Show me Markdown', { content: markdown })
    .on(
      { userMessage: 'Remove', hasToolResult: false },
      { toolCalls: [{ name: 'remove_file', arguments: '{"path":"old.txt"}' }] },
    )
    .on({ userMessage: 'Remove', hasToolResult: true }, (request) => ({ content: `So: ${lastText(request)}` }))
    .on(
      { userMessage: 'Who was', toolName: 'transfer_to_historian' },
      { toolCalls: [{ name: 'transfer_to_historian', arguments: '{}' }] },
    )
    .on({ userMessage: 'Echo', hasToolResult: false }, { toolCalls: [{ name: 'echo', arguments: '{"message":"hi"}' }] })
    .on({ userMessage: 'Echo', hasToolResult: true }, (request) => ({ content: `Heard: ${lastText(request)}` }))
    .on(
      { userMessage: 'Ask the helper', hasToolResult: false },
      { toolCalls: [{ name: 'helper', arguments: '{"input":"Remove it"}' }] },
    )
    .on({ userMessage: 'Ask the helper', hasToolResult: true }, (request) => ({
      content: `It says: ${lastText(request)}`,
    }))
    .onMessage('As data', { content: '{"city":"*Oslo*"}' })
    .on({ systemMessage: 'You tell of history' }, { content: 'A king, long ago.' });
  await mock.start();
  return mock;
}

/** What the model was sent last, by each wire's own shape. */
export function lastRequest(mock: LLMock): { path: string; body: string } {
  const { path, body } = mock.getRequests().at(-1) ?? {};
  return { path: String(path), body: JSON.stringify(body) };
}

const markdown = `# Title

Some **bold** and \`code\`.

- one
- two

\`\`\`js
const x = 1;
\`\`\`
`;

function textIn({ content }: ChatCompletionRequest['messages'][number]): string {
  return typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join('');
}

function allText({ messages }: ChatCompletionRequest): string {
  return messages.map(textIn).join('\n');
}

function lastText({ messages }: ChatCompletionRequest): string {
  return messages.slice(-1).map(textIn).join('');
}
