import { askForReport, diligent, eager, type Said, type Wire } from '@polyrun/wires/output-type';
import { describe, expect, test } from 'vitest';
import { mistral, type AdapterOptions } from '../src/index.ts';
import { completion, delta, finish } from './support/endpoint.ts';

const wire: Wire = {
  read: ({ messages, tools, response_format, stream }) => ({
    answers: (messages as { role: string }[]).filter(({ role }) => role === 'tool').length,
    tools: ((tools ?? []) as { function: { name: string } }[]).map((each) => each.function.name),
    formatted: response_format !== undefined,
    streamed: stream === true,
  }),
  write: (said, { streamed, answers }) => {
    const message = messageOf(said, answers);
    const reason = 'text' in said ? 'stop' : 'tool_calls';
    return streamed
      ? { events: [delta(message), finish(reason)], done: true }
      : { json: completion({ role: 'assistant', ...message }, reason) };
  },
};

function messageOf(said: Said, answers: number): object {
  if ('text' in said) return { content: said.text };
  const called = { name: said.name, arguments: JSON.stringify(said.args) };
  return { content: '', tool_calls: [{ id: `call0000${answers}`, index: 0, function: called }] };
}

describe.each([false, true])('an agent with two tools and an output type (streamed: %s)', (streamed) => {
  const ask = (model: typeof eager, options: AdapterOptions = {}) => {
    const providerAt = (baseURL: string) =>
      mistral({ apiKey: 'test-key', baseURL: `${baseURL}/v1`, defaultModel: 'mistral-small-latest', ...options });
    return askForReport({ wire, model, providerAt, streamed });
  };

  test.each([
    ['where the grammar holds from the first token', eager],
    ['where it does not', diligent],
  ])('comes through %s', async (_, model) => {
    const { finalOutput, ran, text } = await ask(model);
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect(text).toBe(streamed ? '{"city":"Rome","degrees":31}' : '');
  });

  test.each([
    [{}, 'output_tool'],
    [{ forcedToolChoice: false }, 'prompted'],
  ] as const)('also where there are no formats: %j, %s', async (more, strategy) => {
    const { finalOutput, ran, strategies, turns } = await ask(eager, {
      capabilities: { structuredOutput: 'none', ...more },
    });
    expect([finalOutput, ran]).toEqual([{ city: 'Rome', degrees: 31 }, ['place', 'weather']]);
    expect(strategies).toEqual([strategy, strategy, strategy]);
    expect(turns.map(({ formatted }) => formatted)).toEqual([false, false, false]);
  });
});
