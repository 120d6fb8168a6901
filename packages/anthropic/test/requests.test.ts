import { corpusMissing } from '@polyrun/wires/corpus';
import { fromMessages } from '@polyrun/wires/from-anthropic-messages';
import { grammarProblems } from '@polyrun/wires/anthropic-messages';
import { describe, expect, test } from 'vitest';
import { encoded, unmarked, type Block, type Message } from './support/endpoint.ts';
import { anthropicCassettes } from './support/wire.ts';

type Fields = { readonly [field: string]: unknown };

/** Blocks that only a raw request can hold: nothing in a conversation stands for them. */
const foreign = /container_upload|tool_addition|tool_removal|"type":"search_result"/;

describe.skipIf(corpusMissing !== undefined)('recorded requests', () => {
  const cassettes = corpusMissing === undefined ? anthropicCassettes() : [];
  const requests = cassettes.flatMap((cassette) =>
    cassette.exchanges.flatMap(({ index, request, response }) =>
      request?.body && response.status === 200 && !foreign.test(JSON.stringify(request.body['messages']))
        ? [{ id: `${cassette.id}/${index}`, body: request.body }]
        : [],
    ),
  );

  test('nearly all of them can be asked', () => {
    expect(requests.length).toBeGreaterThan(180);
  });

  test.each(requests)('$id is sent as it was', async ({ body }) => {
    const sent = await encoded(fromMessages(body), { model: String(body['model']) });
    expect(grammarProblems(withoutBetas(sent.body))).toEqual([]);
    expect(comparable(sent.body)).toEqual(comparable(body));
  });
});

function withoutBetas({ betas: _, ...body }: Fields): Fields {
  return body;
}

/** A body with neighbours of one role as one message, text as blocks, and no blank text, which the adapter does not send. */
function comparable(body: Fields): unknown {
  const {
    messages,
    system,
    tools,
    tool_choice,
    stream: _stream,
    betas: _betas,
    ...rest
  } = unmarked(body) as Fields & { messages: Message[] };
  const turns: Message[] = [];
  for (const { role, content } of messages) {
    const blocks = (typeof content === 'string' ? [{ type: 'text', text: content }] : content)
      .filter((block) => !isBlank(block))
      .map(plain);
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else if (blocks.length > 0) turns.push({ role, content: blocks });
  }
  const { cache_control: kept } = body;
  return {
    ...rest,
    cache_control: kept,
    messages: turns,
    system: (typeof system === 'string'
      ? system
      : ((system ?? []) as Block[]).map((block) => block['text']).join('\n\n')
    ).trim(),
    tools: ((tools ?? []) as Fields[]).map((tool) => ({
      ...tool,
      strict: tool['strict'] === true,
      type: tool['type'] ?? 'custom',
    })),
    tool_choice: tools ? (tool_choice ?? null) : null,
  };
}

function isBlank(block: Block): boolean {
  return block.type === 'text' && String(block['text']).trim() === '';
}

/** `{}` where a recorded call has no input, text results as blocks. */
function plain(block: Block): Block {
  if (block.type !== 'tool_result' || typeof block['content'] !== 'string') return block;
  return { ...block, content: [{ type: 'text', text: block['content'] }] };
}
