import { describe, expect, test } from 'vitest';
import { Agent, Runner } from '../../src/index.ts';
import { message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { response } from './scripts.ts';

const paused = (id: string) => response([], { id, stop: 'pause' });

describe('what a model is told', () => {
  test(
    verifies('L5', 'after a pause: which response paused, so that its provider may be asked for that one'),
    async () => {
      const model = new ScriptedModel([paused('r1'), paused('r2'), 'done']);
      const result = await Runner.run(new Agent({ name: 'A', model }), 'go');
      expect(result.finalOutput).toBe('done');
      expect(model.requests.map(({ pausedResponseId }) => pausedResponseId)).toEqual([undefined, 'r1', 'r2']);
      expect(result.usage.requests).toBe(3);
    },
  );

  test(verifies('L5', 'nothing of it after a pause of a provider that gave no id, nor on the next turn'), async () => {
    const model = new ScriptedModel([response([message('a')], { stop: 'pause' }), 'done', 'more']);
    const agent = new Agent({ name: 'A', model });
    await Runner.run(agent, 'go');
    await Runner.run(agent, 'again');
    expect(model.requests.map((request) => 'pausedResponseId' in request)).toEqual([false, false, false]);
  });

  test(verifies('V1', 'to keep its responses, where the next one is to hang on to them'), async () => {
    const store = async (options: object, modelSettings = {}) => {
      const model = new ScriptedModel([response([message('hi')], { id: 'r1' })]);
      await Runner.run(new Agent({ name: 'A', model, modelSettings }), 'go', options);
      return model.requests[0]?.settings.store;
    };
    expect(await store({ autoPreviousResponseId: true })).toBe(true);
    expect(await store({ conversationId: 'c' })).toBe(true);
    expect(await store({ previousResponseId: 'r0' }, { store: false })).toBe(false);
    expect(await store({})).toBeUndefined();
  });
});
