import type { Item } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { ask } from '@polyrun/wires/endpoint';
import { encoded } from './support/endpoint.ts';
import { log, numbers, turnOf } from '@polyrun/wires/logs';
import { grammarProblems } from '@polyrun/wires/chat-completions';

describe('whatever the log holds, the request obeys the wire', () => {
  test.each(['openai', 'mistral', 'deepseek', 'groq', 'some-endpoint'])('%s', async (name) => {
    const next = numbers(7);
    for (let round = 0; round < 400; round++) {
      const input = log(next);
      const { messages } = await encoded(ask({ input }), { options: { name, baseURL: 'https://example.test/v1' } });
      expect([...grammarProblems(messages), ...idProblems(messages, name)], JSON.stringify(input)).toEqual([]);
    }
  });
});

describe('a request is the beginning of the next one', () => {
  test('turn by turn, so that prompt caches live', async () => {
    const next = numbers(3);
    for (let round = 0; round < 50; round++) {
      const input: Item[] = [{ type: 'message', role: 'user', content: 'go' }];
      let earlier: unknown[] = [];
      for (let turn = 0; turn < 6; turn++) {
        const { messages } = await encoded(ask({ instructions: 'Be brief.', input }));
        expect(messages.slice(0, earlier.length)).toEqual(earlier);
        earlier = messages;
        input.push(...turnOf(turn, next));
      }
    }
  });
});

function idProblems(messages: { [field: string]: unknown; role: string }[], name: string): string[] {
  const legal = name === 'mistral' ? /^[a-zA-Z0-9]{9}$/ : /^[\w.:-]{1,40}$/;
  const ids = messages.flatMap((message) => ((message['tool_calls'] ?? []) as { id: string }[]).map(({ id }) => id));
  const twice = ids.length === new Set(ids).size ? [] : [`ids are used twice: ${ids.join(', ')}`];
  const illegal = ids.filter((id) => !legal.test(id)).map((id) => `illegal id ${id}`);
  if (name !== 'mistral') return [...twice, ...illegal];
  const order = messages.filter((message, index) => message.role === 'user' && messages[index - 1]?.role === 'tool');
  const last = messages.at(-1)?.role === 'assistant' ? ['the model has the last word'] : [];
  return [...twice, ...illegal, ...last, ...order.map(() => 'the user follows a tool')];
}
