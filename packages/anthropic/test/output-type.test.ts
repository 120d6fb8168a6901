import { askForReport, diligent, eager, type Wire } from '@polyrun/wires/output-type';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../src/index.ts';
import { block, events, message } from './support/endpoint.ts';

type Block = { type: string };

const wire: Wire = {
  read: ({ messages, tools, output_config, output_format, stream }) => ({
    answers: (messages as { content: string | Block[] }[])
      .flatMap(({ content }) => (typeof content === 'string' ? [] : content))
      .filter(({ type }) => type === 'tool_result').length,
    tools: ((tools ?? []) as { name: string }[]).map(({ name }) => name),
    formatted: ((output_config as { format?: unknown } | undefined)?.format ?? output_format) !== undefined,
    streamed: stream === true,
  }),
  write: (said, { streamed, answers }) => {
    const isText = 'text' in said;
    const stop = isText ? 'end_turn' : 'tool_use';
    const whole = isText
      ? { type: 'text', text: said.text }
      : { type: 'tool_use', id: `toolu_${answers}`, name: said.name, input: said.args };
    if (!streamed) return { json: message([whole], { stop_reason: stop }) };
    const deltas = isText
      ? block(0, { type: 'text', text: '' }, [{ type: 'text_delta', text: said.text }])
      : block(0, { ...whole, input: {} }, [{ type: 'input_json_delta', partial_json: JSON.stringify(said.args) }]);
    return { events: events(deltas, { stop }) };
  },
};

describe.each([false, true])('an agent with two tools and an output type (streamed: %s)', (streamed) => {
  const ask = (model: typeof eager, defaultModel: string) => {
    const providerAt = (baseURL: string) => anthropic({ apiKey: 'test-key', baseURL, defaultModel });
    return askForReport({ wire, model, providerAt, streamed });
  };

  test('is asked natively where the model has formats beside tools', async () => {
    const { finalOutput, ran, strategies, turns } = await ask(diligent, 'claude-sonnet-4-5');
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect([strategies, turns.every(({ formatted }) => formatted)]).toEqual([[], true]);
  });

  test.each(['claude-sonnet-4-0', 'claude-3-5-haiku-latest', 'a-model-that-nobody-knows'])(
    'comes by a tool where it has none: %s',
    async (name) => {
      const { finalOutput, ran, strategies, turns, text } = await ask(eager, name);
      expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
      expect(strategies).toEqual(['output_tool', 'output_tool', 'output_tool']);
      expect(turns.some(({ formatted }) => formatted)).toBe(false);
      expect(text).toBe(streamed ? '{"city":"Rome","degrees":31}' : '');
    },
  );
});
