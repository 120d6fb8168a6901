import { describe, expect, test } from 'vitest';
import { Agent, Runner, tool, UserError, type Item, type ModelData, type RunConfig } from '../../src/index.ts';
import { call, message, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { brief, rejection } from './scripts.ts';

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });
const note: Item = { type: 'message', role: 'developer', content: 'Be brief.' };

describe('callModelInputFilter', () => {
  test.for(['sync', 'async'] as const)(
    verifies('L12', 'edits what each call sends, never what is stored: %s'),
    async (how) => {
      const model = new ScriptedModel([[call('ping')], 'done']);
      const agent = new Agent<string>({ name: 'A', instructions: 'Old.', model, tools: [ping] });
      const seen: ModelData[] = [];
      const result = await Runner.run(agent, 'go', {
        context: 'ada',
        runConfig: {
          callModelInputFilter: ({ modelData, agent: at, runContext }) => {
            seen.push(modelData);
            const edited = {
              input: [...modelData.input.slice(-1), note],
              instructions: `New ${at.name} ${runContext.context} ${seen.length}.`,
            };
            return how === 'sync' ? edited : Promise.resolve(edited);
          },
        },
      });
      expect(seen.map(({ input }) => input.length)).toEqual([1, 3]);
      expect(seen[0]?.instructions).toBe('Old.');
      expect(model.requests.map(({ instructions }) => instructions)).toEqual(['New A ada 1.', 'New A ada 2.']);
      expect(model.requests[1]?.input).toMatchObject([{ type: 'function_call_output', output: 'pong' }, note]);
      expect(brief(result.newItems)).toEqual(['call ping', 'output ping', 'message done']);
      expect(result.toInputList()).toHaveLength(4);
      expect(JSON.stringify(result.toInputList({ view: 'model' }))).not.toContain('Be brief.');
    },
  );

  test(verifies('L12', 'may take the instructions away'), async () => {
    const model = new ScriptedModel(['done']);
    await Runner.run(new Agent({ name: 'A', instructions: 'Old.', model }), 'go', {
      runConfig: { callModelInputFilter: ({ modelData: { input } }) => ({ input }) },
    });
    expect(model.requests[0]).not.toHaveProperty('instructions');
  });

  const wrong: readonly [string, unknown, string][] = [
    ['nothing', undefined, 'runConfig.callModelInputFilter: expected { input, instructions }, got undefined'],
    ['a list', [], 'runConfig.callModelInputFilter: expected { input, instructions }, got an array'],
    ['no input', {}, 'runConfig.callModelInputFilter input: expected'],
    ['an input that is no list of items', { input: [1] }, 'runConfig.callModelInputFilter input[0]: expected an item'],
    ['instructions that are no text', { input: [], instructions: 1 }, 'runConfig.callModelInputFilter instructions'],
  ];
  test.for(wrong)(
    verifies('L12', '%s is a UserError that names the field, before any request'),
    async ([, value, words]) => {
      const model = new ScriptedModel(['done']);
      const callModelInputFilter = async () => value as ModelData;
      const error = await rejection(
        Runner.run(new Agent({ name: 'A', model }), 'go', { runConfig: { callModelInputFilter } }),
      );
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain(words);
      expect(model.requests).toHaveLength(0);
    },
  );
});

describe('callModelOutputFilter', () => {
  test.for(['sync', 'async'] as const)(
    verifies('L12', 'edits the response before it is processed: %s'),
    async (how) => {
      const model = new ScriptedModel([[message('secret'), call('ping')]]);
      const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go', {
        runConfig: {
          callModelOutputFilter: ({ response, agent }) => {
            const edited = { ...response, output: [message(`redacted by ${agent.name}`)] };
            return how === 'sync' ? edited : Promise.resolve(edited);
          },
        },
      });
      expect(result.finalOutput).toBe('redacted by A');
      expect(brief(result.newItems)).toEqual(['message redacted by A']);
      expect(result.rawResponses[0]?.output).toEqual([message('redacted by A')]);
      expect(model.requests).toHaveLength(1);
    },
  );

  test(verifies('L12', 'may add a call, which is run'), async () => {
    const model = new ScriptedModel(['ask the tool', 'done']);
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go', {
      runConfig: {
        callModelOutputFilter: ({ response }) =>
          model.requests.length === 1 ? { ...response, output: [call('ping')] } : response,
      },
    });
    expect(brief(result.newItems)).toEqual(['call ping', 'output ping', 'message done']);
  });

  test.for([undefined, null, 'text', [], { output: [] }])(
    verifies('L12', '%j is a UserError that names the field'),
    async (value) => {
      const model = new ScriptedModel(['done']);
      const callModelOutputFilter: RunConfig['callModelOutputFilter'] = async () => value as never;
      const error = await rejection(
        Runner.run(new Agent({ name: 'A', model }), 'go', { runConfig: { callModelOutputFilter } }),
      );
      expect(error).toBeInstanceOf(UserError);
      expect(String(error)).toContain('runConfig.callModelOutputFilter');
      expect(error).toMatchObject({ runData: { usage: { requests: 1 } } });
    },
  );
});

describe('reasoningItemIdPolicy', () => {
  const reasoning = { type: 'reasoning' as const, id: 'rs_1', summary: [], encrypted_content: 'opaque' };

  test('preserve sends the ids of reasoning items, omit does not; the log keeps them', async () => {
    for (const [reasoningItemIdPolicy, id] of [
      [undefined, 'rs_1'],
      ['preserve', 'rs_1'],
      ['omit', undefined],
    ] as const) {
      const model = new ScriptedModel([[reasoning, call('ping')], 'done']);
      const result = await Runner.run(new Agent({ name: 'A', model, tools: [ping] }), 'go', {
        runConfig: { reasoningItemIdPolicy },
      });
      const sent = model.requests[1]?.input[1];
      expect(sent).toMatchObject({ type: 'reasoning', encrypted_content: 'opaque' });
      expect(sent?.id).toBe(id);
      expect(result.toInputList()[1]).toMatchObject({ id: 'rs_1' });
    }
  });
});
