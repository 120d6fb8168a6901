import { describe, expect, test } from 'vitest';
import {
  Agent,
  defineModel,
  Runner,
  UserError,
  usageOf,
  type Adaptation,
  type Model,
  type ModelRequest,
} from '../../src/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from '../run/scripts.ts';

/** A model whose wire reports these adaptations, whatever it is asked; `sent` counts requests. */
function adapting(...adaptations: readonly Adaptation[]): { model: Model; sent: () => number } {
  let sent = 0;
  const reply = () => {
    sent += 1;
    return { text: 'hi' };
  };
  const model = defineModel<ModelRequest, { text: string }, string>(
    { provider: 'p', api: 'p', name: 'm', capabilities: {} },
    {
      encode: (body) => ({ body, adaptations }),
      decode: ({ text }) => ({
        model: 'm',
        output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
        usage: usageOf({}),
        stop: { type: 'end', raw: null },
      }),
      accumulate: () => ({ add: () => [], end: reply }),
    },
    {
      send: async () => reply(),
      async *open() {
        yield '';
      },
      toError: (error) => {
        throw error;
      },
    },
  );
  return { model, sent: () => sent };
}

const because = (type: Adaptation['type'], name: string): Adaptation => ({ type, name, detail: `because of ${name}` });
const changes = [
  because('unsupported_setting', 'topK'),
  because('changed_schema', 'weather'),
  because('reasoning_off', 'reasoning'),
  because('moved_media', 'function_call_output'),
  because('dropped_item', 'input_image'),
  because('output_strategy', 'prompted'),
];
const harmless = [
  because('dropped_item', 'reasoning'),
  because('described_item', 'web_search_call'),
  because('added_message', 'user'),
  because('output_strategy', 'output_tool'),
  because('other', 'function_call'),
];
const strict = { capabilityMode: 'strict' } as const;

describe('strict', () => {
  test.each(changes)(verifies('E2', 'refuses $type $name before any request'), async (change) => {
    const { model, sent } = adapting(...harmless, change);
    const error = await rejection(Runner.run(new Agent({ name: 'A', model }), 'go', { runConfig: strict }));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(
      `capabilityMode 'strict': p/m cannot do as asked: ${change.type} ${change.name} (because of ${change.name})`,
    );
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'go', { runConfig: strict });
    expect(await rejection(stream.completed)).toBeInstanceOf(UserError);
    expect(sent()).toBe(0);
  });

  test('names all that would change', async () => {
    const { model } = adapting(...changes);
    const error = await rejection(model.getResponse({ input: [], tools: [], settings: {}, ...strict }));
    for (const { name } of changes) expect(String(error)).toContain(name);
  });

  test('lets pass what leaves the request as it was asked', async () => {
    const { model } = adapting(...harmless);
    const result = await Runner.run(new Agent({ name: 'A', model }), 'go', { runConfig: strict });
    expect(result.adaptations).toEqual(harmless);
  });
});

test.each([undefined, 'adapt'] as const)('%s records', async (capabilityMode) => {
  const { model } = adapting(...changes);
  const result = await Runner.run(new Agent({ name: 'A', model }), 'go', { runConfig: { capabilityMode } });
  expect(result.adaptations).toEqual(changes);
});
