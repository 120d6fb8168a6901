import { expect, test } from 'vitest';
import {
  Agent,
  MemoryJournal,
  ModelError,
  Runner,
  tool,
  UserError,
  type AgentsError,
  type JournalEntry,
  type RunOptions,
} from '../../src/index.ts';
import { call, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from '../run/scripts.ts';
import { all, idle, words } from '../run/stage.ts';
import { made, parameters, runId } from './made.ts';
import { OpenJournal } from './world.ts';

const ids = (entries: readonly JournalEntry[]) => entries.map(({ effectId }) => effectId);

test(verifies('J1', 'outcomes are appended before they are folded in, under the ids of their effects'), async () => {
  const journal = new OpenJournal();
  const append = journal.append.bind(journal);
  const gate = latch();
  const { agent, model } = made([[call('work')], 'hi']);
  journal.append = async (id, entry) => {
    if (entry.effectId === '1/model') await gate.promise;
    await append(id, entry);
  };
  const running = Runner.run(agent, 'go', { journal, runId });
  await idle();
  // The model has answered, but that is not written yet: nothing follows from it.
  expect(model.requests).toHaveLength(1);
  expect(ids(journal.entries)).toEqual(['run', 'start', '1/prepare']);
  gate.open();
  await running;
  expect(ids(journal.entries)).toEqual([
    'run',
    'start',
    '1/prepare',
    '1/model',
    '1/call_work',
    '2/prepare',
    '2/model',
    '2/finish',
  ]);
  expect(JSON.parse(JSON.stringify(journal.entries))).toEqual(journal.entries);
});

test(verifies('J1', 'started again with both, in another process, the run continues where it stopped'), async () => {
  const journal = new OpenJournal();
  const first = made([[call('work')], new Error('gone')]);
  await rejection(Runner.run(first.agent, 'go', { journal, runId, runConfig: { retry: { maxRetries: 0 } } }));
  // Another process knows the entries as text only.
  const entries = JSON.parse(JSON.stringify(journal.entries)) as JournalEntry[];
  const second = made(['hi']);
  const result = await Runner.run(second.agent, 'go', { journal: new OpenJournal(entries), runId });
  expect(result.finalOutput).toBe('hi');
  expect(second.keys).toEqual([]);
  expect(second.model.requests).toHaveLength(1);
  expect(second.model.requests[0]?.input.map(({ type }) => type)).toEqual([
    'message',
    'function_call',
    'function_call_output',
  ]);
  expect(result.usage.requests).toBe(3);
});

test(verifies('J1', 'a run that is done gives its result again, and nothing is performed or written'), async () => {
  const journal = new OpenJournal();
  const { agent } = made([[call('work')], 'hi']);
  const first = await Runner.run(agent, 'go', { journal, runId });
  const written = journal.entries.length;
  const again = made([]);
  const result = await Runner.run(again.agent, 'go', { journal, runId });
  expect(result.finalOutput).toBe('hi');
  expect(result.newItems.map(({ type }) => type)).toEqual(first.newItems.map(({ type }) => type));
  expect(result.usage).toEqual(first.usage);
  expect(journal.entries).toHaveLength(written);
});

test.for<[string, (agent: Agent) => { agent: Agent; input: string }]>([
  ['another input', (agent) => ({ agent, input: 'something else' })],
  ['another agent', () => ({ agent: new Agent({ name: 'B', model: new ScriptedModel([]) }), input: 'go' })],
  ['an agent of other tools', (agent) => ({ agent: agent.clone({ tools: [] }), input: 'go' })],
  [
    'an agent of other handoffs',
    (agent) => ({ agent: agent.clone({ handoffs: [new Agent({ name: 'C', model: 'm' })] }), input: 'go' }),
  ],
])(verifies('J1', '%s under the same run id is a UserError before anything happens'), async ([, change]) => {
  const journal = new OpenJournal();
  const { agent } = made([new Error('gone')]);
  await rejection(Runner.run(agent, 'go', { journal, runId, runConfig: { retry: { maxRetries: 0 } } }));
  const written = journal.entries.length;
  const { agent: other, input } = change(agent);
  const error = await rejection(Runner.run(other, input, { journal, runId }));
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ message: expect.stringContaining('journal, runId') });
  expect(journal.entries).toHaveLength(written);
});

test(verifies('J1', 'other instructions and another model under the same names are the same run'), async () => {
  const journal = new OpenJournal();
  const { agent } = made([new Error('gone')]);
  await rejection(Runner.run(agent, 'go', { journal, runId, runConfig: { retry: { maxRetries: 0 } } }));
  const changed = agent.clone({ instructions: 'Be brief.', model: new ScriptedModel(['hi']) });
  expect((await Runner.run(changed, 'go', { journal, runId })).finalOutput).toBe('hi');
});

test('a journal that gives back something else is a UserError', async () => {
  const begun = new OpenJournal();
  await Runner.run(made(['hi']).agent, 'go', { journal: begun, runId });
  const cases: JournalEntry[][] = [
    [{ effectId: 'run', outcome: null }],
    [...begun.entries, { effectId: 'x', outcome: 7 }],
  ];
  for (const entries of cases) {
    const error = await rejection(Runner.run(made([]).agent, 'go', { journal: new OpenJournal(entries), runId }));
    expect(error).toBeInstanceOf(UserError);
  }
});

test('a journal that cannot be written ends the run with its own error, and what was written is enough to go on', async () => {
  const journal = new OpenJournal();
  const append = journal.append.bind(journal);
  const full = new Error('disk full');
  journal.append = async (id, entry) => {
    if (entry.effectId === '1/call_work') throw full;
    await append(id, entry);
  };
  const first = made([[call('work')], 'hi']);
  expect(await rejection(Runner.run(first.agent, 'go', { journal, runId }))).toBe(full);
  journal.append = append;
  const second = made(['hi']);
  expect((await Runner.run(second.agent, 'go', { journal, runId })).finalOutput).toBe('hi');
  expect(second.keys).toEqual(first.keys);
});

test(
  verifies('J2', 'a crash repeats what was in flight under the same key, and no hook of what was recorded fires again'),
  async () => {
    const journal = new OpenJournal();
    const hanging = latch<string>();
    const log: string[] = [];
    const agentIn = (process: number, turns: readonly ScriptedTurn[]) => {
      const note = (what: string) => () => void log.push(`${process} ${what}`);
      const worker = (name: string, hang: boolean) =>
        tool({
          name,
          description: 'Works.',
          parameters,
          execute: (_, { idempotencyKey }) => {
            log.push(`${process} ${name} ${idempotencyKey}`);
            return hang && process === 1 ? hanging.promise : 'ok';
          },
        });
      const hooks = {
        onRunStart: note('run start'),
        onAgentStart: note('agent start'),
        onModelStart: note('model start'),
        onModelEnd: note('model end'),
        onToolStart: ({ tool: { name } }: { tool: { name: string } }) => void log.push(`${process} tool start ${name}`),
        onToolEnd: ({ tool: { name } }: { tool: { name: string } }) => void log.push(`${process} tool end ${name}`),
        onAgentEnd: note('agent end'),
      };
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel(turns),
        tools: [worker('quick', false), worker('slow', true)],
      });
      return { agent, hooks };
    };
    const first = agentIn(1, [[call('quick'), call('slow')]]);
    void Runner.run(first.agent, 'go', { journal, runId, hooks: first.hooks });
    await idle();
    const second = agentIn(2, ['hi']);
    const options: RunOptions<unknown> = { journal: new OpenJournal(journal.entries), runId, hooks: second.hooks };
    expect((await Runner.run(second.agent, 'go', options)).finalOutput).toBe('hi');
    expect(log.filter((line) => line.startsWith('2'))).toEqual([
      '2 tool start slow',
      '2 slow run/1/call_slow',
      '2 tool end slow',
      '2 model start',
      '2 model end',
      '2 agent end',
    ]);
    expect(log).toContain('1 slow run/1/call_slow');
    expect(log).toContain('1 quick run/1/call_quick');
  },
);

test(verifies('J2', 'an agent as a tool goes on inside: its finished calls are not made again'), async () => {
  const journal = new OpenJournal();
  const hanging = latch<string>();
  const seen: string[] = [];
  const build = (process: number, inner: readonly ScriptedTurn[], outer: readonly ScriptedTurn[]) => {
    const step = (name: string) =>
      tool({
        name,
        description: 'Steps.',
        parameters,
        execute: (_, { idempotencyKey }) => {
          seen.push(`${process} ${idempotencyKey}`);
          return process === 1 && name === 'second' ? hanging.promise : name;
        },
      });
    const worker = new Agent({ name: 'W', model: new ScriptedModel(inner), tools: [step('first'), step('second')] });
    return new Agent({ name: 'A', model: new ScriptedModel(outer), tools: [worker.asTool({ toolName: 'w' })] });
  };
  void Runner.run(build(1, [[call('first')], [call('second')]], [[call('w', { input: 'x' })]]), 'go', {
    journal,
    runId,
  });
  await idle();
  const again = build(2, ['inner end'], ['outer end']);
  const result = await Runner.run(again, 'go', { journal: new OpenJournal(journal.entries), runId });
  expect(result.finalOutput).toBe('outer end');
  expect(seen).toEqual(['1 run/1/call_w/1/call_first', '1 run/1/call_w/2/call_second', '2 run/1/call_w/2/call_second']);
});

test('errors are rebuilt from the journal, of their own class', async () => {
  const journal = new OpenJournal();
  const build = () => made([new ModelError({ kind: 'quota', message: 'No money.' })], { inputGuardrails: [] }).agent;
  const live = await rejection(Runner.run(build(), 'go', { journal, runId }));
  expect(live).toMatchObject({ kind: 'quota' });
  const [failed] = journal.entries.filter(({ effectId }) => effectId === '1/model');
  expect(failed?.outcome).toMatchObject({ type: 'failed', failure: { name: 'ModelError', data: { kind: 'quota' } } });
});

test('a run that began without a journal can go on with one', async () => {
  const journal = new OpenJournal();
  const first = made([[call('work')], new Error('gone')]);
  const error = await rejection(Runner.run(first.agent, 'go', { runId, runConfig: { retry: { maxRetries: 0 } } }));
  const { state } = error as AgentsError;
  if (!state) throw new Error('no state');
  const crash = made([new Error('gone again')]);
  await rejection(Runner.run(crash.agent, state, { journal, runConfig: { retry: { maxRetries: 0 } } }));
  const last = made(['hi']);
  expect((await Runner.run(last.agent, state, { journal })).finalOutput).toBe('hi');
  expect(last.keys).toEqual([]);
  // The input that it began with is not known: by an input it cannot be found again.
  await expect(Runner.run(last.agent, 'go', { journal, runId })).rejects.toThrow(UserError);
});

test('a stream of a run that goes on tells only what is new, also of runs inside it', async () => {
  const journal = new OpenJournal();
  const hanging = latch<string>();
  const build = (process: number, inner: readonly ScriptedTurn[], outer: readonly ScriptedTurn[]) => {
    const step = tool({ name: 'step', description: 'Steps.', parameters, execute: () => 'ok' });
    const wait = tool({
      name: 'wait',
      description: 'Waits.',
      parameters,
      execute: () => (process === 1 ? hanging.promise : 'ok'),
    });
    const worker = new Agent({ name: 'W', model: new ScriptedModel(inner), tools: [step, wait] });
    return new Agent({ name: 'A', model: new ScriptedModel(outer), tools: [worker.asTool({ toolName: 'w' })] });
  };
  void Runner.run(build(1, [[call('step')], [call('wait')]], [[call('w', { input: 'x' })]]), 'go', { journal, runId });
  await idle();
  const stream = Runner.runStreamed(build(2, ['inner'], ['outer']), 'go', {
    journal: new OpenJournal(journal.entries),
    runId,
  });
  const told = words(await all(stream)).filter((word) => !word.includes('response.') && !word.includes('polyrun:'));
  expect(told).toEqual([
    'call_w: tool_output call_wait',
    'call_w: message_output_created',
    'tool_output call_w',
    'message_output_created',
  ]);
});

test('MemoryJournal keeps runs apart and hands out copies', async () => {
  const journal = new MemoryJournal();
  const entry = { effectId: 'a', outcome: { list: [1] } };
  await journal.append('one', entry);
  await journal.append('two', { effectId: 'b', outcome: null });
  entry.outcome.list.push(2);
  const read = await journal.read('one');
  expect(read).toEqual([{ effectId: 'a', outcome: { list: [1] } }]);
  (read as JournalEntry[]).pop();
  expect(await journal.read('one')).toHaveLength(1);
  expect(await journal.read('three')).toEqual([]);
  const { agent } = made([[call('work')], 'hi']);
  await Runner.run(agent, 'go', { journal, runId });
  const before = structuredClone(await journal.read(runId));
  expect((await Runner.run(made([]).agent, 'go', { journal, runId })).finalOutput).toBe('hi');
  expect(await journal.read(runId)).toEqual(before);
});
