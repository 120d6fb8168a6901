import { describe, expect, test } from 'vitest';
import {
  Agent,
  ContentFilterError,
  ModelError,
  ModelRefusalError,
  OutputTruncatedError,
  Runner,
  tool,
  UserError,
  type AgentsError,
  type ErrorHandlers,
  type OutputItem,
} from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection, response } from './scripts.ts';

const refused: OutputItem = {
  type: 'message',
  role: 'assistant',
  content: [{ type: 'refusal', refusal: 'I will not.' }],
};

function answering(...turns: ConstructorParameters<typeof ScriptedModel>[0]): { agent: Agent; model: ScriptedModel } {
  const model = new ScriptedModel(turns);
  return { agent: new Agent({ name: 'A', model }), model };
}

describe('an end that is no normal end', () => {
  test(verifies('L5', 'a refusal is an error with its words'), async () => {
    const { agent } = answering([refused]);
    const error = await rejection(Runner.run(agent, 'go'));
    expect(error).toBeInstanceOf(ModelRefusalError);
    expect(error).toMatchObject({ refusal: 'I will not.' });
  });

  test(verifies('L5', 'a stop that says refusal is one, too, whatever the message holds'), async () => {
    const { agent } = answering(response([message('No.')], { stop: 'refusal' }));
    expect(await rejection(Runner.run(agent, 'go'))).toMatchObject({ name: 'ModelRefusalError', refusal: 'No.' });
  });

  test(verifies('L5', 'a content filter is an error with the partial text'), async () => {
    const { agent } = answering(response([message('Once upon')], { stop: 'content_filter' }));
    const error = await rejection(Runner.run(agent, 'go'));
    expect(error).toBeInstanceOf(ContentFilterError);
    expect(error).toMatchObject({ partialText: 'Once upon' });
    const empty = answering(response([], { stop: 'content_filter' }));
    expect(await rejection(Runner.run(empty.agent, 'go'))).toMatchObject({ partialText: '' });
  });

  test(verifies('L5', 'a truncated answer is an error with the partial text and what the run had done'), async () => {
    const { agent } = answering(response([message('Once upon')], { stop: 'length' }));
    const error = await rejection(Runner.run(agent, 'go'));
    expect(error).toBeInstanceOf(OutputTruncatedError);
    expect(error).toMatchObject({
      partialText: 'Once upon',
      runData: { rawResponses: [{ stop: { type: 'length' } }] },
    });
    expect(brief((error as AgentsError).runData?.newItems ?? [])).toEqual(['message Once upon']);
  });

  test(verifies('L5', 'they are the same when streamed'), async () => {
    const { agent } = answering(response([message('Once upon')], { stop: 'length' }));
    await expect(Runner.runStreamed(agent, 'go').completed).rejects.toBeInstanceOf(OutputTruncatedError);
  });

  const kinds = [
    { handler: 'modelRefusal', turn: [refused], type: ModelRefusalError },
    { handler: 'contentFilter', turn: response([message('so')], { stop: 'content_filter' }), type: ContentFilterError },
    { handler: 'outputTruncated', turn: response([message('so')], { stop: 'length' }), type: OutputTruncatedError },
  ] as const;

  test.for(kinds)(verifies('L5', 'errorHandlers.$handler answers instead'), async ({ handler, turn, type }) => {
    const { agent } = answering(turn);
    const seen: AgentsError[] = [];
    const errorHandlers: ErrorHandlers<unknown> = {
      [handler]: ({ error }: { error: AgentsError }) => {
        seen.push(error);
        return { finalOutput: 'instead' };
      },
      default: () => {
        throw new Error('must not be asked');
      },
    };
    const result = await Runner.run(agent, 'go', { errorHandlers });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeInstanceOf(type);
    expect(result.finalOutput).toBe('instead');
    expect(brief(result.newItems).at(-1)).toBe('message instead');
  });

  test.for(kinds)(verifies('L5', 'errorHandlers.default answers where $handler is not given'), async ({ turn }) => {
    const { agent } = answering(turn);
    const errorHandlers: ErrorHandlers<string> = {
      default: async ({ runContext }) => ({ finalOutput: `for ${runContext.context}`, includeInHistory: false }),
    };
    const result = await Runner.run(agent, 'go', { context: 'ada', errorHandlers });
    expect(result.finalOutput).toBe('for ada');
    expect(brief(result.newItems)).toHaveLength(1);
    expect(brief(result.newItems)).not.toContain('message for ada');
  });

  test(verifies('L5', 'a handler that answers undefined lets the error stand'), async () => {
    const { agent } = answering([refused]);
    await expect(Runner.run(agent, 'go', { errorHandlers: { modelRefusal: () => undefined } })).rejects.toBeInstanceOf(
      ModelRefusalError,
    );
  });

  test('a handler that answers something else is told what to return', async () => {
    const { agent } = answering([refused]);
    const error = await rejection(Runner.run(agent, 'go', { errorHandlers: { modelRefusal: () => 'sorry' as never } }));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain('errorHandlers.modelRefusal: expected { finalOutput }, or undefined');
  });

  test('a final output that is no text is kept as it is, and as JSON in the history', async () => {
    const { agent } = answering([refused]);
    const result = await Runner.run(agent, 'go', { errorHandlers: { default: () => ({ finalOutput: { a: 1 } }) } });
    expect(result.finalOutput).toEqual({ a: 1 });
    expect(brief(result.newItems).at(-1)).toBe('message {"a":1}');
  });
});

describe('a provider pause', () => {
  const paused = (text: string) => response([message(text)], { stop: 'pause' });

  test(verifies('L5', 'goes on as the same turn, and counts as a request'), async () => {
    const { agent, model } = answering(paused('one'), paused('two'), 'three');
    const result = await Runner.run(agent, 'go', { maxTurns: 1 });
    expect(result.finalOutput).toBe('three');
    expect(result.usage).toMatchObject({ requests: 3, inputTokens: 30 });
    expect(brief(result.newItems)).toEqual(['message one', 'message two', 'message three']);
    expect(model.requests[2]?.input).toMatchObject([{ role: 'user' }, message('one'), message('two')]);
  });

  test(verifies('L5', 'goes on ten times, the next one is a protocol error that knows what it cost'), async () => {
    const ten = answering(...Array.from({ length: 10 }, () => paused('…')), 'done');
    await expect(Runner.run(ten.agent, 'go')).resolves.toMatchObject({ finalOutput: 'done', usage: { requests: 11 } });
    const eleven = answering(...Array.from({ length: 11 }, () => paused('…')), 'done');
    const error = await rejection(Runner.run(eleven.agent, 'go'));
    expect(error).toBeInstanceOf(ModelError);
    expect(error).toMatchObject({ kind: 'protocol', runData: { usage: { requests: 11 } } });
  });

  test('does not go on past calls that this side must answer', async () => {
    const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });
    const model = new ScriptedModel([response([call('ping')], { stop: 'pause' }), 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go');
    expect(model.requests[1]?.input.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
    ]);
    const shell: OutputItem = { type: 'local_shell_call', call_id: 'sh', action: { type: 'exec', command: ['ls'] } };
    const other = new ScriptedModel([response([shell], { stop: 'pause' }), 'done']);
    await Runner.run(new Agent({ name: 'A', model: other }), 'go');
    expect(other.requests[1]?.input.at(-1)).toMatchObject({ type: 'local_shell_call_output', call_id: 'sh' });
  });

  test('is what the output filter makes of the response', async () => {
    const { agent, model } = answering(paused('half'), 'never asked');
    const result = await Runner.run(agent, 'go', {
      runConfig: { callModelOutputFilter: ({ response: given }) => ({ ...given, stop: { type: 'end', raw: null } }) },
    });
    expect(result.finalOutput).toBe('half');
    expect(model.requests).toHaveLength(1);
  });
});
