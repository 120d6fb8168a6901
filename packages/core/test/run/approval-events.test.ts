import { describe, expect, test } from 'vitest';
import { Agent, Runner, tool, type Schema, type Tool } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch } from './scripts.ts';
import { idle, noting, reading, words } from './stage.ts';

const parameters = { type: 'object' } as const;

/** A tool whose calls are answered, when the test says so, with whether a person is asked. */
function gated(name: string) {
  const asks = latch<boolean>();
  const works = latch<string>();
  const made = tool({
    name,
    description: 'Waits.',
    parameters,
    needsApproval: () => asks.promise,
    execute: () => works.promise,
  });
  return { tool: made, asks, works };
}

/** The events of a run whose model makes one call of each tool; reads in the background. */
function watched(tools: readonly Tool[]) {
  const model = new ScriptedModel([tools.map(({ name }) => call(name, {}, name)), 'done']);
  const { events, end } = reading(Runner.runStreamed(new Agent({ name: 'A', model, tools }), 'go'));
  return { told: () => words(events), end };
}

const items = (...names: string[]) => ['agent A', ...names.map((name) => `tool_called ${name}`)];

describe('where it takes time to find out whether a person is asked', () => {
  test(verifies('S2', 'the question comes before the outputs of faster calls, those before it too'), async () => {
    const slow = gated('slow');
    const { told, end } = watched([noting('before', []), slow.tool, noting('after', [])]);
    await idle();
    expect(told()).toEqual(items('before', 'slow', 'after'));
    slow.asks.open(true);
    expect(await end).toBe('ended');
    expect(told()).toEqual([
      ...items('before', 'slow', 'after'),
      'tool_approval_requested slow',
      'tool_output before',
      'tool_output after',
    ]);
  });

  test(verifies('S2', 'where nobody is asked, outputs that waited are told at once'), async () => {
    const slow = gated('slow');
    const other = gated('other');
    const { told, end } = watched([noting('before', []), slow.tool, other.tool]);
    await idle();
    slow.asks.open(false);
    await idle();
    expect(told()).toEqual(items('before', 'slow', 'other'));
    other.asks.open(true);
    await idle();
    const asked = [...items('before', 'slow', 'other'), 'tool_approval_requested other', 'tool_output before'];
    expect(told()).toEqual(asked);
    slow.works.open('late');
    expect(await end).toBe('ended');
    expect(told()).toEqual([...asked, 'tool_output slow']);
  });

  test(verifies('S2', 'so too where the answer comes while the call runs on'), async () => {
    const slow = gated('slow');
    const { told, end } = watched([noting('before', []), slow.tool]);
    await idle();
    slow.asks.open(false);
    await idle();
    expect(told()).toEqual([...items('before', 'slow'), 'tool_output before']);
    slow.works.open('worked');
    expect(await end).toBe('ended');
    expect(told()).toEqual([
      ...items('before', 'slow'),
      'tool_output before',
      'tool_output slow',
      'message_output_created',
    ]);
  });

  test(verifies('S2', 'a schema that takes its time holds outputs back as well'), async () => {
    const valid = latch<{ value: object }>();
    const schema: Schema<object> = {
      '~standard': {
        version: 1,
        vendor: 'made',
        validate: () => valid.promise,
        jsonSchema: { input: () => ({ type: 'object' }) },
      },
    };
    const slow = tool({ name: 'slow', description: 'S.', parameters: schema, needsApproval: true, execute: () => 1 });
    const { told, end } = watched([noting('before', []), slow]);
    await idle();
    expect(told()).toEqual(items('before', 'slow'));
    valid.open({ value: {} });
    expect(await end).toBe('ended');
    expect(told().slice(3)).toEqual(['tool_approval_requested slow', 'tool_output before']);
  });

  test('a question that cannot be answered fails the run, and what was done is told', async () => {
    const slow = gated('slow');
    const { told, end } = watched([noting('before', []), slow.tool, noting('after', [])]);
    await idle();
    slow.asks.break(new Error('who knows'));
    expect(await end).toMatchObject({ message: 'who knows' });
    expect(told().slice(4)).toEqual(['tool_output before', 'tool_output after']);
  });
});
