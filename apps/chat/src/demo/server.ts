import { LLMock, type ChatCompletionRequest, type FixtureResponse } from '@copilotkit/aimock';

/** Starts a third-party server of the wire formats on a free loopback port. What it answers depends on what it is sent. */
export async function startMockServer(auth?: { apiKeys: string[] }): Promise<LLMock> {
  const mock = new LLMock({ host: '127.0.0.1', port: 0, chunkSize: 5, latency: 10, ...(auth && { auth }) });
  mock
    .onMessage('haiku', {
      content: 'Function calls itself,\nsmaller worlds within each call,\nbase case ends the dream.',
    })
    .onMessage(/tell me \d+ jokes/, (request) => ({ content: tell(numberIn(lastText(request))) }))
    .on(
      { toolName: 'how_many_jokes', hasToolResult: false },
      { toolCalls: [{ name: 'how_many_jokes', arguments: '{}' }] },
    )
    .on({ toolName: 'how_many_jokes', hasToolResult: true }, (request) => ({
      content: tell(numberIn(lastText(request))),
    }))
    .onMessage('Where do I live?', (request) => ({
      content: `You live in ${/I live in (\w+)/.exec(allText(request))?.[1] ?? 'a place that you have not told me'}.`,
    }))
    .onMessage('Golden Gate Bridge', { content: 'San Francisco.' })
    .onMessage('What state is it in?', (request) => ({
      content: allText(request).includes('San Francisco.') ? 'California.' : 'What is it that you mean?',
    }))
    .on(
      { toolName: 'transfer_to_history_tutor', userMessage: 'president' },
      { toolCalls: [{ name: 'transfer_to_history_tutor', arguments: '{}' }] },
    )
    .on(
      { systemMessage: 'historical queries', userMessage: 'president' },
      { content: 'George Washington. He took office in 1789 and served two terms.' },
    )
    .on({ systemMessage: 'what to pack' }, packing)
    .on({ systemMessage: 'Measure planets' }, measuring)
    .onMessage(/planet|another one/, (request) => ({
      content: `${planets.find((planet) => !allText(request).includes(planet)) ?? 'There are no more'}.`,
    }));
  await mock.start();
  return mock;
}

type Message = ChatCompletionRequest['messages'][number];

/** Looks at the weather, then answers as JSON: by the tool that is there for it, where there is one. */
function packing(request: ChatCompletionRequest): FixtureResponse {
  const { messages, tools = [] } = request;
  const call = thoughtful(request);
  if (!messages.some(({ role }) => role === 'tool')) return call('weather', { city: 'Oslo' });
  const answer = { city: 'Oslo', take: 'an umbrella' };
  if (tools.some((each) => each.function.name === 'final_output')) return call('final_output', answer);
  return counted(request, { content: JSON.stringify(answer) });
}

/** Measures the next planet of which nobody has spoken. */
function measuring(request: ChatCompletionRequest): FixtureResponse {
  const planet = planets.find((each) => !allText(request).includes(each)) ?? 'Pluto';
  if (request.messages.at(-1)?.role !== 'tool') return thoughtful(request)('distance', { planet });
  return counted(request, { content: `${planet}: ${lastText(request)} million kilometres.` });
}

/** A call, and the signed thought that led to it. */
function thoughtful(request: ChatCompletionRequest): (name: string, args: object) => FixtureResponse {
  return (name, args) => {
    const reasoning = `Now I need ${name}.`;
    const call = { name, arguments: JSON.stringify(args) };
    return counted(request, { toolCalls: [call], reasoning, reasoningSignature: btoa(`Signed: ${reasoning}`) });
  };
}

/** A reply with about as many tokens as it would have: not every wire of the server counts by itself. */
function counted<T extends object>(
  request: ChatCompletionRequest,
  reply: T,
): T & { usage: { [count: string]: number } } {
  const tokens = (value: unknown) => Math.ceil(JSON.stringify(value).length / 4);
  const [prompt_tokens, completion_tokens] = [tokens(request.messages), tokens(reply)];
  return { ...reply, usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } };
}

function textIn({ content }: Message): string {
  return typeof content === 'string' ? content : (content ?? []).map(({ text }) => text ?? '').join('');
}

function lastText({ messages }: ChatCompletionRequest): string {
  return messages.slice(-1).map(textIn).join('');
}

function allText({ messages }: ChatCompletionRequest): string {
  return messages.map(textIn).join('\n');
}

function numberIn(text: string): number {
  return Number(/\d+/.exec(text)?.[0]);
}

function tell(count: number): string {
  return jokes
    .slice(0, count)
    .map((joke, index) => `${index + 1}. ${joke}`)
    .join('\n');
}

const planets = ['Mercury', 'Venus', 'Earth', 'Mars', 'Jupiter', 'Saturn', 'Uranus', 'Neptune'];

const jokes = [
  'Parallel lines have so much in common. It is a shame that they will never meet.',
  'I would tell you a UDP joke, but you might not get it.',
  'There are two hard things: naming, caching, and off-by-one errors.',
  'A SQL query walks up to two tables and asks: may I join you?',
  'Why do programmers mix up Halloween and Christmas? Because Oct 31 is Dec 25.',
  'I had a joke about recursion. I had a joke about recursion.',
  'An atom lost an electron. It is positive about that.',
  'The past, the present and the future walk into a bar. It was tense.',
  'To the optimist the glass is half full; to the engineer it is twice too large.',
  'A byte looks pale. The other asks: is it a parity error? I feel a bit off.',
];
