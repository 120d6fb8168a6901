import { describe, expect, test } from 'vitest';
import { chatCassettes, providerName } from './support/wire.ts';
import { corpusMissing } from '@polyrun/wires/corpus';
import { encoded } from './support/endpoint.ts';
import { fromChat, type ChatBody } from '@polyrun/wires/from-chat-completions';
import { grammarProblems } from '@polyrun/wires/chat-completions';

type Message = { [field: string]: unknown; role: string };

describe.skipIf(corpusMissing !== undefined)('recorded requests', () => {
  const cassettes = corpusMissing === undefined ? chatCassettes() : [];
  const requests = cassettes.flatMap((cassette) =>
    cassette.exchanges.flatMap(({ index, request, response }) => {
      // What was refused for its form is not sent so.
      if (!request || !isChat(request.body) || response.status === 400) return [];
      const origin = { provider: providerName(cassette), model: (request.body['model'] ?? cassette.model) as string };
      const asked = fromChat(request.body, origin);
      return asked ? [{ id: `${cassette.id}/${index}`, body: request.body, asked, ...origin }] : [];
    }),
  );

  test('nearly all of them can be asked', () => {
    expect(requests.length).toBeGreaterThan(250);
  });

  test.each(requests)('$id is sent as it was', async ({ body, asked, provider, model }) => {
    const sent = await encoded(asked, { model, options: { name: provider, baseURL: 'https://example.test/v1' } });
    expect(grammarProblems(sent.body, provider)).toEqual([]);
    expect(sent.messages.map(comparable)).toEqual(comparableAll(body));
    expect(names(sent.body['tools'])).toEqual(names(functions(body['tools'])));
  });
});

function isChat(body: { readonly [field: string]: unknown } | null): body is ChatBody {
  return Array.isArray(body?.['messages']);
}

function functions(tools: unknown): unknown[] {
  return ((tools ?? []) as { type: string }[]).filter(({ type }) => type === 'function');
}

function names(tools: unknown): string[] {
  return ((tools ?? []) as { function: { name: string } }[]).map((tool) => tool.function.name);
}

/** Recorded messages that the adapter would never send apart or at all are brought to how it sends them. */
function comparableAll({ messages }: ChatBody): unknown[] {
  return messages.filter((message) => !isEmpty(message)).map(comparable);
}

function isEmpty({ role, content, tool_calls }: Message): boolean {
  return role !== 'tool' && (content === '' || content === null || content === undefined) && !tool_calls;
}

function comparable(message: Message): unknown {
  const { role, content, tool_calls, reasoning, reasoning_content, reasoning_details } = message;
  const calls = (tool_calls ?? []) as { function: { name: string; arguments: string } }[];
  return {
    role: role === 'developer' ? 'system' : role,
    content: Array.isArray(content) ? contentOf(content) : content === '' ? null : (content ?? null),
    calls: calls.map((call) => [call.function.name, JSON.parse(call.function.arguments) as unknown]),
    reasoning: reasoning ?? reasoning_content ?? reasoning_details ?? null,
  };
}

/** Parts without caching marks; text alone as one text, in which the adapter sends it. */
function contentOf(content: { [field: string]: unknown }[]): unknown {
  const texts = content.map(({ text }) => text).filter((text) => typeof text === 'string');
  if (texts.length === content.length) return texts.join('\n');
  return content.map((part) => {
    const { type, text, image_url, input_audio, file } = part;
    return { type, text: text ?? undefined, image_url: image_url ?? undefined, input_audio, file };
  });
}
