import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, ModelBehaviorError, Runner, type Model, type ModelEvent, type OutputItem } from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { asFolded, folded } from '../../src/testing/model-kit/event-grammar.ts';
import { anyItem, doneItems, grammarProblems, withoutIds } from './fold.ts';
import { response } from './scripts.ts';
import { toyModel, type Chunk } from './toy-model.ts';

describe('raw events', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.record({
        type: fc.constantFrom('text', 'refusal', 'reasoning'),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
      }),
      fc.record({
        type: fc.constant('summary'),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
        part: fc.constant(0),
      }),
      fc.record({ type: fc.constantFrom('next', 'ping') }),
      fc.nat(3).map((n) => ({ type: 'call', id: `call_${n}`, name: 'act' })),
      fc.record({
        type: fc.constant('arguments'),
        id: fc.nat(3).map((n) => `call_${n}`),
        delta: fc.string({ minLength: 1, maxLength: 8 }),
      }),
    ),
    { maxLength: 30 },
  );

  async function streamOf(model: Model): Promise<ModelEvent[]> {
    const events: ModelEvent[] = [];
    for await (const event of model.streamResponse({ input: [], tools: [], settings: {} })) events.push(event);
    return events;
  }

  function checkFold(events: readonly ModelEvent[]): void {
    expect(grammarProblems(events)).toEqual([]);
    const last = events.at(-1);
    if (last?.type !== 'polyrun:response_done') throw new Error('not done');
    const { output } = last.response;
    expect(folded(events)).toEqual(output.map(asFolded));
    expect(doneItems(events)).toEqual(withoutIds(last.response));
    const terminal = events.at(-2);
    expect(terminal).toMatchObject({ response: { output: JSON.parse(JSON.stringify(output)) as unknown } });
    for (const event of events) {
      if (event.type.endsWith('.delta'))
        expect(event).toMatchObject({ item_id: expect.any(String), output_index: expect.any(Number) });
    }
  }

  test(verifies('S5', 'folding the deltas of a scripted model gives its items; the grammar holds'), async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyItem, { maxLength: 5 }),
        fc.integer({ min: 1, max: 9 }),
        async (items, chunkSize) => {
          const distinct = items.map((each, index) =>
            each.type === 'function_call' ? call(each['name'], {}, `call_${index}`) : each,
          );
          checkFold(await streamOf(new ScriptedModel([distinct], { chunkSize })));
        },
      ),
      { numRuns: 300 },
    );
  });

  test(
    verifies('S5', 'folding the deltas of a model made of a codec gives its items, whatever the chunks'),
    async () => {
      await fc.assert(
        fc.asyncProperty(pieces, async (raw) => {
          const opened = new Set<string>();
          const chunks = raw.filter((piece) => {
            if (piece.type !== 'call' && piece.type !== 'arguments') return true;
            const id = 'id' in piece ? piece.id : '';
            if (piece.type === 'arguments') return opened.has(id);
            return !opened.has(id) && opened.add(id).size > 0;
          }) as Chunk[];
          const model = toyModel({
            async *open() {
              yield* chunks;
              yield { type: 'end', stop: 'end' };
            },
          });
          const events = await streamOf(model);
          checkFold(events);
          const last = events.at(-1);
          expect(last?.type === 'polyrun:response_done' && last.response).toEqual(
            await model.getResponse({ input: [], tools: [], settings: {} }),
          );
        }),
        { numRuns: 300 },
      );
    },
  );

  test(verifies('S5', 'a cut answer ends with response.incomplete'), async () => {
    const model = toyModel({
      async *open() {
        yield { type: 'text', delta: 'half' };
        yield { type: 'end', stop: 'length' };
      },
    });
    const events = await streamOf(model);
    expect(grammarProblems(events)).toEqual([]);
    expect(events.at(-2)?.type).toBe('response.incomplete');
  });

  test(verifies('S5', 'the terminal event wins for what providers encrypt anew'), async () => {
    const reasoning = (encrypted_content: string): OutputItem => ({
      type: 'reasoning',
      id: 'rs_1',
      summary: [],
      encrypted_content,
    });
    const events: ModelEvent[] = [
      { type: 'response.created', sequence_number: 0, response: {} },
      { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: reasoning('') },
      { type: 'response.output_item.done', sequence_number: 2, output_index: 0, item: reasoning('first') },
      { type: 'response.completed', sequence_number: 3, response: {} },
      { type: 'polyrun:response_done', sequence_number: 4, response: response([reasoning('second'), message('hi')]) },
    ];
    const model: Model = {
      provider: 'p',
      name: 'm',
      capabilities: {},
      getResponse: () => Promise.reject(new ModelBehaviorError('streams only')),
      async *streamResponse() {
        yield* events;
      },
    };
    const stream = Runner.runStreamed(new Agent({ name: 'A', model }), 'x');
    await stream.completed;
    expect(stream.newItems[0]?.rawItem).toMatchObject({ encrypted_content: 'second' });
  });
});
