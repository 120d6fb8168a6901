import { describe, expect, test } from 'vitest';
import {
  Agent,
  handoff,
  MemorySession,
  Runner,
  textOf,
  tool,
  type HandoffInputData,
  type Item,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';

const tells = tool({ name: 'tells', description: 'Tells.', parameters: { type: 'object' }, execute: () => 'secret' });

/** Strikes secrets out as many programs do: where they stand. */
function strike(items: readonly Item[]): void {
  for (const item of items) {
    if (item.type === 'function_call_output') item.output = 'struck';
    if (item.type === 'message' && item.role === 'user') item.content = 'struck';
  }
}

const words = (items: readonly Item[]) => items.map((item) => textOf(item)).filter((text) => text !== '');

describe('a callback that changes items in place changes only what it was asked for', () => {
  test(verifies('L12', 'callModelInputFilter: what is sent, never what is stored'), async () => {
    const model = new ScriptedModel([[call('tells')], 'done']);
    const session = new MemorySession();
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [tells] }), 'go', {
      session,
      runConfig: {
        callModelInputFilter: ({ modelData }) => {
          strike(modelData.input);
          return modelData;
        },
      },
    });
    expect(words(model.requests[1]?.input ?? [])).toEqual(['struck', 'struck']);
    expect(words(await session.getItems())).toEqual(['go', 'secret', 'done']);
    expect(words(result.toInputList())).toEqual(['go', 'secret', 'done']);
  });

  test(verifies('N1', 'sessionInputCallback: the request only'), async () => {
    const model = new ScriptedModel(['done']);
    const session = new MemorySession({ items: [{ role: 'user', content: 'before' }] });
    const result = await Runner.run(new Agent({ name: 'A', model }), 'go', {
      session,
      runConfig: {
        sessionInputCallback: ({ history, newItems }) => {
          strike(newItems);
          return [...history, ...newItems];
        },
      },
    });
    expect(words(model.requests[0]?.input ?? [])).toEqual(['before', 'struck']);
    expect(words(await session.getItems())).toEqual(['before', 'go', 'done']);
    expect(words(result.toInputList())).toEqual(['before', 'go', 'done']);
  });

  test(
    verifies('L11', 'a handoff filter: what the new agent sees; items, session and log keep everything'),
    async () => {
      const model = new ScriptedModel(['done']);
      const session = new MemorySession();
      const inputFilter = (data: HandoffInputData) => {
        strike(data.inputHistory);
        strike([...data.preHandoffItems, ...data.newItems].map(({ rawItem }) => rawItem));
        return data;
      };
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('tells')], [call('transfer_to_b')]]),
        tools: [tells],
        handoffs: [handoff(new Agent({ name: 'B', model }), { inputFilter })],
      });
      const result = await Runner.run(agent, 'go', { session });
      expect(words(model.requests[0]?.input ?? [])).toEqual(['struck', 'struck', 'struck']);
      const told = ['go', 'secret', '{"assistant":"B"}', 'done'];
      expect(words(await session.getItems())).toEqual(told);
      expect(words(result.toInputList())).toEqual(told);
    },
  );
});
