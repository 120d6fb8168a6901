import { description, instructions, parameters, question, type HttpTask } from '../contender.ts';

type Call = { id: string; type: 'function'; function: { name: string; arguments: string } };
type Message = { role: string; content: string | null; tool_calls?: Call[]; tool_call_id?: string };
type Delta = { content?: string | null; tool_calls?: Call[] };

const tools = [{ type: 'function', function: { name: 'weather', description, parameters } }];

/** A run against a chat completions endpoint with nothing but `fetch`. */
export async function chatByHand(task: HttpTask, { streamed = false } = {}): Promise<string> {
  const messages: Message[] = [
    { role: 'system', content: instructions },
    { role: 'user', content: question },
  ];
  for (;;) {
    const response = await fetch(`${task.baseURL}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer key' },
      body: JSON.stringify({ model: 'local', messages, tools, ...(streamed ? { stream: true } : {}) }),
    });
    const message = streamed ? await readStream(response) : await readWhole(response);
    messages.push(message);
    if (!message.tool_calls?.length) return message.content ?? '';
    for (const { id, function: called } of message.tool_calls) {
      const { city }: { city: string } = JSON.parse(called.arguments);
      messages.push({ role: 'tool', tool_call_id: id, content: task.weather(city) });
    }
  }
}

async function readWhole(response: Response): Promise<Message> {
  const { choices }: { choices: [{ message: Message }] } = JSON.parse(await response.text());
  return choices[0].message;
}

/** Our server sends each call in one piece. */
async function readStream(response: Response): Promise<Message> {
  const message: Message & { tool_calls: Call[] } = { role: 'assistant', content: '', tool_calls: [] };
  let rest = '';
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const events = (rest + text).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = event.slice('data: '.length);
      if (data === '[DONE]') continue;
      const { choices }: { choices: { delta: Delta }[] } = JSON.parse(data);
      const delta = choices[0]?.delta;
      message.content += delta?.content ?? '';
      message.tool_calls.push(...(delta?.tool_calls ?? []));
    }
  }
  return message;
}
