import { askForReport, diligent, eager, type Said, type Wire } from '@polyrun/wires/output-type';
import { describe, expect, test } from 'vitest';
import { openaiResponses, type AdapterOptions } from '../src/index.ts';

const wire: Wire = {
  read: ({ input, tools, text, stream }) => ({
    answers: (input as { type?: string }[]).filter(({ type }) => type === 'function_call_output').length,
    tools: ((tools ?? []) as { name: string }[]).map(({ name }) => name),
    formatted: (text as { format?: unknown } | undefined)?.format !== undefined,
    streamed: stream === true,
  }),
  write: (said, { streamed, answers }) => {
    const item = itemOf(said, answers);
    const usage = { input_tokens: 10, output_tokens: 5, total_tokens: 15 };
    const response = {
      id: `resp_${answers}`,
      object: 'response',
      status: 'completed',
      model: 'm',
      output: [item],
      usage,
    };
    if (!streamed) return { json: response };
    const at = { output_index: 0, item_id: item.id };
    const begun = { ...response, status: 'in_progress', output: [], usage: null };
    const events = [
      { type: 'response.created', response: begun },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { ...item, ...opened(said), status: 'in_progress' },
      },
      ...deltas(said).map((event) => ({ ...at, ...event })),
      { type: 'response.output_item.done', output_index: 0, item },
      { type: 'response.completed', response },
    ];
    return { events: events.map((event, sequence_number) => ({ ...event, sequence_number })) };
  },
};

function itemOf(said: Said, answers: number) {
  if ('text' in said) {
    const content = [{ type: 'output_text', text: said.text, annotations: [] }];
    return { type: 'message', id: `msg_${answers}`, role: 'assistant', status: 'completed', content };
  }
  const call = { call_id: `call_${answers}`, name: said.name, arguments: JSON.stringify(said.args) };
  return { type: 'function_call', id: `fc_${answers}`, status: 'completed', ...call };
}

function opened(said: Said): object {
  return 'text' in said ? { content: [] } : { arguments: '' };
}

function deltas(said: Said): object[] {
  if (!('text' in said)) {
    const text = JSON.stringify(said.args);
    return [
      { type: 'response.function_call_arguments.delta', delta: text },
      { type: 'response.function_call_arguments.done', arguments: text },
    ];
  }
  const { text } = said;
  const at = { content_index: 0 };
  return [
    { type: 'response.content_part.added', ...at, part: { type: 'output_text', text: '', annotations: [] } },
    { type: 'response.output_text.delta', ...at, delta: text },
    { type: 'response.output_text.done', ...at, text },
    { type: 'response.content_part.done', ...at, part: { type: 'output_text', text, annotations: [] } },
  ];
}

describe.each([false, true])('an agent with two tools and an output type (streamed: %s)', (streamed) => {
  const ask = (model: typeof eager, options: AdapterOptions) => {
    const providerAt = (baseURL: string) =>
      openaiResponses({ apiKey: 'test-key', baseURL: `${baseURL}/v1`, defaultModel: 'gpt-5', ...options });
    return askForReport({ wire, model, providerAt, streamed });
  };

  test('is asked natively where the API has formats beside tools', async () => {
    const { finalOutput, ran, strategies, turns } = await ask(diligent, { name: 'openai' });
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect([strategies, turns.every(({ formatted }) => formatted)]).toEqual([[], true]);
  });

  test.each([{}, { name: 'vllm' }, { name: 'groq' }])(
    'comes through elsewhere, also where the grammar holds from the first token: %j',
    async (options) => {
      const { finalOutput, ran, strategies, text } = await ask(eager, options);
      expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
      expect(strategies).toEqual(['output_tool', 'output_tool', 'output_tool']);
      expect(text).toBe(streamed ? '{"city":"Rome","degrees":31}' : '');
    },
  );
});
