import { describe, expect, test } from 'vitest';
import {
  Agent,
  handoff,
  jsonSchema,
  MemorySession,
  removeAllTools,
  Runner,
  tool,
  UserError,
  type HandoffInputData,
  type HandoffInputFilter,
  type Item,
} from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection } from './scripts.ts';

const jsonNumber = jsonSchema<number>({ type: 'number' });

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });

/** Keeps only what this agent said with its last turn. */
const onlyNew: HandoffInputFilter<unknown> = ({ newItems }) => ({ inputHistory: [], preHandoffItems: [], newItems });
const nothing: HandoffInputFilter<unknown> = () => ({ inputHistory: [], preHandoffItems: [], newItems: [] });

/** Two turns of A, then B. */
function pair(inputFilter?: HandoffInputFilter<unknown>) {
  const model = new ScriptedModel([[message('Looking.'), call('ping')], [call('transfer_to_b')], 'b here']);
  const b = new Agent({ name: 'B', model });
  return { model, a: new Agent({ name: 'A', model, tools: [ping], handoffs: [handoff(b, { inputFilter })] }) };
}

function sent(model: ScriptedModel, request: number): string[] {
  return (model.requests[request]?.input ?? []).map((item) =>
    item.type === 'message' ? `${item.role} ${JSON.stringify(item.content)}` : item.type,
  );
}

describe('the input filter of a handoff', () => {
  test.for(['sync', 'async'] as const)(verifies('L11', 'is shown the three parts, and chooses: %s'), async (how) => {
    const shown: HandoffInputData[] = [];
    const { model, a } = pair(({ runContext, ...data }) => {
      expect(runContext.agent.name).toBe('A');
      shown.push(data);
      const chosen = {
        ...data,
        inputHistory: [...data.inputHistory, { type: 'message' as const, role: 'user' as const, content: 'B!' }],
        preHandoffItems: [],
      };
      return how === 'sync' ? chosen : Promise.resolve(chosen);
    });
    const result = await Runner.run(a, 'go');
    expect(shown[0]?.inputHistory).toEqual([{ type: 'message', role: 'user', content: 'go' }]);
    expect(brief(shown[0]?.preHandoffItems ?? [])).toEqual(['message Looking.', 'call ping', 'output ping']);
    expect(brief(shown[0]?.newItems ?? [])).toEqual(['handoff call B', 'handoff A > B']);
    expect(sent(model, 2)).toEqual(['user "go"', 'user "B!"', 'function_call', 'function_call_output']);
    expect(result.finalOutput).toBe('b here');
  });

  test(verifies('L11', "the handoff's own beats the run config's, which beats none"), async () => {
    const own = pair(onlyNew);
    await Runner.run(own.a, 'go', { runConfig: { handoffInputFilter: nothing } });
    expect(sent(own.model, 2)).toEqual(['function_call', 'function_call_output']);
    const configured = pair();
    await Runner.run(configured.a, 'go', { runConfig: { handoffInputFilter: nothing } });
    expect(sent(configured.model, 2)).toEqual([]);
    const none = pair();
    await Runner.run(none.a, 'go');
    expect(sent(none.model, 2)).toHaveLength(6);
  });

  test(verifies('L11', 'changes what the model sees; newItems and the log keep everything'), async () => {
    const { model, a } = pair(nothing);
    const result = await Runner.run(a, 'go');
    expect(sent(model, 2)).toEqual([]);
    expect(brief(result.newItems)).toEqual([
      'message Looking.',
      'call ping',
      'output ping',
      'handoff call B',
      'handoff A > B',
      'message b here',
    ]);
    expect(result.toInputList()).toHaveLength(7);
    expect(result.toInputList({ view: 'log' })).toEqual(result.toInputList());
    expect(result.toInputList({ view: 'model' })).toMatchObject([{ role: 'assistant' }]);
  });

  test(verifies('L11', 'a second handoff filters what the first one left'), async () => {
    const model = new ScriptedModel([
      [call('transfer_to_b', {}, '1')],
      [call('ping', {}, '2')],
      [call('transfer_to_c', {}, '3')],
      'c here',
    ]);
    const shown: HandoffInputData[] = [];
    const c = new Agent({ name: 'C', model });
    const b = new Agent({
      name: 'B',
      model,
      tools: [ping],
      handoffs: [
        handoff(c, {
          inputFilter: ({ runContext: _, ...data }) => {
            shown.push(data);
            return data;
          },
        }),
      ],
    });
    const a = new Agent({ name: 'A', model, handoffs: [handoff(b, { inputFilter: onlyNew })] });
    await Runner.run(a, 'go');
    expect(shown[0]?.inputHistory).toEqual([]);
    expect(brief(shown[0]?.preHandoffItems ?? [])).toEqual([
      'handoff call B',
      'handoff A > B',
      'call ping',
      'output ping',
    ]);
    expect(brief(shown[0]?.newItems ?? [])).toEqual(['handoff call C', 'handoff B > C']);
    expect(sent(model, 3)).toHaveLength(6);
  });

  test(verifies('L11', 'a message that asked again for valid output does not shift the parts'), async () => {
    const model = new ScriptedModel(['not json', [call('ping')], [call('transfer_to_b')], 'b here']);
    const shown: HandoffInputData[] = [];
    const b = new Agent({ name: 'B', model });
    const inputFilter: HandoffInputFilter<unknown> = ({ runContext: _, ...data }) => {
      shown.push(data);
      return data;
    };
    const a = new Agent({
      name: 'A',
      model,
      tools: [ping],
      handoffs: [handoff(b, { inputFilter })],
      outputType: jsonNumber,
      outputRetries: 1,
    });
    await Runner.run<unknown, unknown>(a, 'go');
    expect(brief(shown[0]?.preHandoffItems ?? [])).toEqual(['message not json', 'call ping', 'output ping']);
    expect(brief(shown[0]?.newItems ?? [])).toEqual(['handoff call B', 'handoff A > B']);
  });

  test.for([undefined, {}, { inputHistory: [] }, 'text'])(
    verifies('L11', '%j from a filter is a UserError'),
    async (value) => {
      const { model, a } = pair(async () => value as never);
      const error = await rejection(Runner.run(a, 'go'));
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain('handoff inputFilter: expected { inputHistory, preHandoffItems, newItems }');
      expect(model.requests).toHaveLength(2);
    },
  );
});

describe('nestHandoffHistory', () => {
  test(verifies('L11', 'folds the conversation into one message; the log keeps everything'), async () => {
    const { model, a } = pair();
    const result = await Runner.run(a, 'Hello', { runConfig: { nestHandoffHistory: true } });
    expect(model.requests[2]?.input).toHaveLength(1);
    const [folded] = model.requests[2]?.input ?? [];
    expect(folded).toMatchObject({ type: 'message', role: 'user' });
    expect(linesOf(folded)).toEqual([
      '1. user: Hello',
      '2. assistant: Looking.',
      '3. assistant called ping with {}',
      '4. the call returned: pong',
      '5. assistant called transfer_to_b with {}',
      '6. the call returned: {"assistant":"B"}',
    ]);
    expect(result.toInputList()).toHaveLength(7);
    expect(result.toInputList({ view: 'model' })).toHaveLength(2);
  });

  test(verifies('L11', 'stays flat when handoffs repeat, and keeps every word'), async () => {
    const model = new ScriptedModel([
      [call('transfer_to_b', {}, '1')],
      [message('Steps:\n1. look\n2. leap'), call('transfer_to_a', {}, '2')],
      [call('transfer_to_b', {}, '3')],
      'done',
    ]);
    const a: Agent = new Agent({ name: 'A', model, handoffs: () => [b] });
    const b: Agent = new Agent({ name: 'B', model, handoffs: [a] });
    await Runner.run(a, 'My list:\n1. apples\n2. pears', { runConfig: { nestHandoffHistory: true } });
    expect(model.requests[3]?.input).toHaveLength(1);
    const text = linesOf(model.requests[3]?.input[0]).join('\n');
    expect(text.split(/\n(?=\d+\. )/).map((line) => line.replaceAll('\n   ', '\n'))).toEqual([
      '1. user: My list:\n1. apples\n2. pears',
      '2. assistant called transfer_to_b with {}',
      '3. the call returned: {"assistant":"B"}',
      '4. assistant: Steps:\n1. look\n2. leap',
      '5. assistant called transfer_to_a with {}',
      '6. the call returned: {"assistant":"A"}',
      '7. assistant called transfer_to_b with {}',
      '8. the call returned: {"assistant":"B"}',
    ]);
  });

  test(verifies('L11', 'gives way to a filter'), async () => {
    const { model, a } = pair(onlyNew);
    await Runner.run(a, 'go', { runConfig: { nestHandoffHistory: true } });
    expect(sent(model, 2)).toEqual(['function_call', 'function_call_output']);
  });

  test.for(['sync', 'async'] as const)(
    verifies('L11', 'handoffHistoryMapper replaces the folding: %s'),
    async (how) => {
      const { model, a } = pair();
      const handoffHistoryMapper = ({ items }: { items: readonly Item[] }) => {
        const mapped: Item[] = [{ type: 'message', role: 'user', content: `${items.length} items before` }];
        return how === 'sync' ? mapped : Promise.resolve(mapped);
      };
      await Runner.run(a, 'go', { runConfig: { nestHandoffHistory: true, handoffHistoryMapper } });
      expect(sent(model, 2)).toEqual(['user "6 items before"']);
    },
  );

  test('what a mapper returns is checked', async () => {
    const { a } = pair();
    const error = await rejection(
      Runner.run(a, 'go', {
        runConfig: { nestHandoffHistory: true, handoffHistoryMapper: async () => undefined as never },
      }),
    );
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain('runConfig.handoffHistoryMapper: expected');
  });
});

/** What stands between the marks of a folded conversation. */
function linesOf(item: Item | undefined): string[] {
  const text = item?.type === 'message' && typeof item.content === 'string' ? item.content : '';
  const lines = text.split('\n');
  return lines.slice(lines.indexOf('<CONVERSATION HISTORY>') + 1, lines.indexOf('</CONVERSATION HISTORY>'));
}

test.for([
  ['a filter', { inputFilter: nothing }, {}],
  ['the folding', {}, { nestHandoffHistory: true }],
] as const)(verifies('L11', '%s changes nothing of what the session keeps'), async ([, options, runConfig]) => {
  const { a } = pair('inputFilter' in options ? options.inputFilter : undefined);
  const session = new MemorySession();
  const result = await Runner.run(a, 'go', { session, runConfig });
  const items = await session.getItems();
  expect(items).toEqual(result.toInputList());
  expect(items.map(({ type }) => type)).toEqual([
    'message',
    'message',
    'function_call',
    'function_call_output',
    'function_call',
    'function_call_output',
    'message',
  ]);
  expect(result.toInputList({ view: 'model' })).not.toEqual(items);
});

describe('removeAllTools', () => {
  test("leaves the next agent's model what was said, and the log everything", async () => {
    const spoken = { type: 'message', role: 'assistant', content: 'Earlier.' } as const;
    const history: Item[] = [
      { type: 'compaction', id: 'cmp_1', encrypted_content: 'x' },
      { type: 'reasoning', summary: [] },
      call('ping', {}, 'old'),
      { type: 'function_call_output', call_id: 'old', output: 'pong' },
      { type: 'web_search_call', id: 'ws_1' },
      { type: 'anthropic:web_fetch_call', id: 'wf_1' },
      { type: 'mcp_list_tools', id: 'mcp_1' },
      { type: 'computer_call_output', call_id: 'cc_1', output: {} },
      spoken,
      { type: 'anthropic:compaction', content: 'x' },
    ];
    const { model, a } = pair(removeAllTools);
    const result = await Runner.run(a, [...history, { role: 'user', content: 'go' }]);
    expect(result.finalOutput).toBe('b here');
    expect(model.requests[2]?.input.map(({ type }) => type)).toEqual([
      'compaction',
      'message',
      'anthropic:compaction',
      'message',
      'message',
    ]);
    expect(sent(model, 2).filter((each) => each.startsWith('assistant'))).toEqual([
      'assistant "Earlier."',
      expect.stringContaining('Looking.'),
    ]);
    expect(result.toInputList()).toHaveLength(history.length + 1 + result.newItems.length);
    expect(brief(result.newItems)).toContain('output ping');
  });

  test('is a filter for agents of any context, of a handoff or of a run', async () => {
    const b = new Agent<{ user: string }>({ name: 'B', model: new ScriptedModel(['b here']) });
    const model = new ScriptedModel([[call('transfer_to_b')]]);
    const a = new Agent<{ user: string }>({
      name: 'A',
      model,
      handoffs: [handoff(b, { inputFilter: removeAllTools })],
    });
    const context = { user: 'ada' };
    const result = await Runner.run(a, 'go', { context, runConfig: { handoffInputFilter: removeAllTools } });
    expect(result.finalOutput).toBe('b here');
  });
});
