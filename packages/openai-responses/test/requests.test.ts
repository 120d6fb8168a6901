import { corpusMissing } from '@polyrun/wires/corpus';
import { fromResponses } from '@polyrun/wires/from-openai-responses';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { describe, expect, test } from 'vitest';
import { encoded } from './support/endpoint.ts';
import { providerName, recorded } from './support/wire.ts';

type Fields = { readonly [field: string]: unknown };

describe.skipIf(corpusMissing !== undefined)('recorded requests', () => {
  const cassettes = corpusMissing === undefined ? recorded() : [];
  const requests = cassettes.flatMap((cassette) =>
    cassette.exchanges.flatMap(({ index, request, response }) => {
      if (!request?.body || response.status >= 400) return [];
      const model = (request.body['model'] ?? cassette.model) as string;
      return [{ id: `${cassette.id}/${index}`, body: request.body, model, provider: providerName(cassette) }];
    }),
  );

  test('all of them can be asked', () => {
    expect(requests.length).toBeGreaterThan(170);
  });

  test.each(requests)('$id is sent as it was', async ({ body, model, provider }) => {
    const asked = fromResponses(body, provider);
    const options = { name: provider, baseURL: 'https://example.test/v1' };
    const sent = await encoded(asked, { model, options });
    expect(grammarProblems(sent.body, provider)).toEqual([]);
    expect(sent.input.map(comparable)).toEqual(inputOf(body).map(comparable));
    expect(names(sent.body['tools'])).toEqual(names(body['tools']));
    for (const field of ['instructions', 'previous_response_id', 'max_output_tokens', 'truncation'] as const)
      expect(sent.body[field]).toEqual(body[field] || undefined);
    expect(sent.body['conversation']).toEqual(body['conversation']);
    const kept = sent.input.filter(({ type }) => type !== 'message').map(({ id }) => id);
    expect(kept).toEqual(
      inputOf(body)
        .filter(isNoMessage)
        .map(({ id }) => id),
    );
  });

  test.each(requests)('$id, with nothing kept on the server, has no id that only the server knows', async (at) => {
    const options = { name: at.provider, baseURL: 'https://example.test/v1' };
    const {
      settings,
      previousResponseId: _previous,
      conversationId: _conversation,
      ...asked
    } = fromResponses(at.body, at.provider);
    const alone = { ...asked, settings: { ...settings, store: undefined } };
    const sent = await encoded(alone, { model: at.model, options });
    expect(sent.body['store']).toBe(false);
    expect(grammarProblems(sent.body, at.provider)).toEqual([]);
  });
});

/** What says nothing is not sent; where that is all, the model is told to go on. */
function inputOf({ input }: Fields): Fields[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : (input as Fields[]);
  const told = items.filter(({ content }) => content !== '');
  return told.length > 0 ? told : [{ role: 'user', content: 'Continue.' }];
}

function isNoMessage({ type, role }: Fields): boolean {
  return type !== 'message' && !(type === undefined && role !== undefined);
}

function names(tools: unknown): unknown[] {
  return ((tools ?? []) as Fields[]).map(({ type, name, strict }) => [
    type,
    name,
    ...(type === 'function' ? [strict ?? false] : []),
  ]);
}

/** An item without what says the same in two ways: the type of a message, a text alone in its part, empty fields. */
function comparable(item: Fields): unknown {
  const { type = 'message', id: _, status: _status, content, ...rest } = item;
  const fields = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  return { type, ...fields, ...(content === undefined ? {} : { content: contentOf(content) }) };
}

function contentOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((part: Fields) => {
    const { annotations: _, ...fields } = part;
    return fields;
  });
}
