import { corpusMissing } from '@polyrun/wires/corpus';
import { fromMistral } from '@polyrun/wires/from-mistral';
import { grammarProblems } from '@polyrun/wires/mistral';
import { describe, expect, test } from 'vitest';
import { encoded, type WireMessage } from './support/endpoint.ts';
import { mistralCassettes } from './support/wire.ts';

describe.skipIf(corpusMissing !== undefined)('recorded requests', () => {
  const cassettes = corpusMissing === undefined ? mistralCassettes() : [];
  const requests = cassettes.flatMap(({ id, model, exchanges }) =>
    exchanges.flatMap(({ index, request }) => (request ? [{ id: `${id}/${index}`, model, body: request.body }] : [])),
  );

  test('there are some', () => {
    expect(requests.length).toBeGreaterThan(15);
  });

  test.each(requests)('$id obeys the grammar, and is sent as it was', async ({ model, body }) => {
    expect(grammarProblems(body)).toEqual([]);
    const sent = await encoded(fromMistral(body), { model });
    expect(grammarProblems(sent.body)).toEqual([]);
    expect(comparable(sent.body)).toEqual(comparable(body));
  });
});

/** Without what says nothing: fields of null, flags that are off, chunks of text alone, numbers of calls. */
function comparable(body: { readonly [field: string]: unknown }): unknown {
  const told = Object.entries(body).filter(([, value]) => value !== null && value !== false);
  const messages = (body['messages'] as WireMessage[]).map(({ content, tool_calls, prefix: _, ...message }) => ({
    ...message,
    content: plain(content),
    calls: ((tool_calls ?? []) as WireMessage[]).map(({ index: _, ...call }) => ({ type: 'function', ...call })),
  }));
  const tools = ((body['tools'] ?? []) as object[]).map((tool) => ({ type: 'function', ...tool }));
  return { ...Object.fromEntries(told), messages, tools };
}

function plain(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  const texts = content.map((chunk: { text?: string }) => chunk.text);
  return texts.every((text) => typeof text === 'string') ? texts.join('\n') : content;
}
