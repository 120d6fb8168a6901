import { afterAll, beforeAll, expect, test } from 'vitest';
import { script } from '@polyrun/wires/assistant';
import { startWitness, type Witness } from '@polyrun/wires/witness';

import { freePorts, restateServer, startWorker, type RestateServer, type Worker } from './support/restate.ts';

let restate: RestateServer;
let witness: Witness;
let worker: Worker;

/** Kills the worker, and starts another in its place. */
async function anotherWorker(...args: string[]): Promise<void> {
  await worker.kill();
  await startAgain(...args);
}

async function startAgain(...args: string[]): Promise<void> {
  worker = await startWorker(worker.port, ['--witness', witness.url, ...args]);
}

beforeAll(async () => {
  witness = await startWitness();
  restate = await restateServer();
  const [port = 0] = await freePorts(1);
  worker = await startWorker(port, ['--witness', witness.url]);
  await restate.start();
  await restate.register(worker.port);
}, 60_000);

afterAll(async () => {
  await worker?.kill();
  await restate?.close();
  await witness?.close();
});

test('each effect of a run is a step of the journal under its own id; parallel tools run at the same time', async () => {
  const tools = witness.hold('parallel');
  const id = await restate.send('assistant/first/run', {
    input: script(
      [
        { tool: 'work', id: 'a', name: 'parallel' },
        { tool: 'work', id: 'b', name: 'parallel' },
      ],
      'all done',
    ),
  });
  // Both have begun before either may end.
  await tools.begun(2);
  tools.release();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'all done', lastAgent: 'assistant' });
  const steps = ['start', '1/prepare', '1/model', '1/a', '1/b', '2/prepare', '2/model', '2/finish'];
  expect(await stepsOf(id)).toEqual(steps);
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/a': 1, '1/b': 1, '2/model': 1 });
});

test('a worker killed in the middle of a turn: what had finished is not done again, what was in flight is, under the same key', async () => {
  const held = witness.hold('in flight');
  const id = await restate.send('assistant/killed/run', {
    input: script(
      [
        { tool: 'work', id: 'quick', name: 'quick' },
        { tool: 'work', id: 'slow', name: 'in flight' },
        { tool: 'ask_inner', id: 'inner', input: script('inner done') },
      ],
      'recovered',
    ),
  });
  await Promise.all([held.begun(), witness.ended('quick', 1), recorded(id, '1/quick', '1/inner')]);
  await worker.kill();
  held.release();
  await startAgain();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'recovered' });
  const { '1/slow': slow, '1/inner/1/model': inner, ...others } = begunBy(id);
  expect(slow).toBe(2);
  // As far as it had come when the worker was killed.
  expect([1, 2]).toContain(inner);
  expect(others).toEqual({ '1/model': 1, '1/quick': 1, '2/model': 1 });
});

test('a worker killed in the middle of a model call asks the model again under the same key', async () => {
  const held = witness.hold('model');
  const id = await restate.send('assistant/model/run', { input: script('after all') });
  await held.begun();
  await worker.kill();
  held.release();
  await startAgain();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'after all' });
  expect(begunBy(id)).toEqual({ '1/model': 2 });
});

test('a server killed in the middle of a turn goes on from its journal; the worker drops what it was at', async () => {
  const held = witness.hold('at the server');
  const id = await restate.send('assistant/server/run', {
    input: script([{ tool: 'work', id: 'a', name: 'at the server' }], 'still here'),
  });
  await held.begun();
  await restate.kill();
  await held.givenUp();
  held.release();
  await restate.start();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'still here' });
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/a': 2, '2/model': 1 });
});

test('a step that is longer than Restate is patient is given up and done again under the same key', async () => {
  const held = witness.hold('long');
  const input = script([{ tool: 'work', id: 'a', name: 'long' }], 'in the end');
  const id = await restate.send('impatient/long/run', { input });
  await held.givenUp();
  held.release();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'in the end' });
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/a': 2, '2/model': 1 });
});

test('a run that waits for a person is nowhere but in the journal: it is suspended, and taken up with the answer', async () => {
  const id = await restate.send('assistant/suspended/run', { input: script([{ tool: 'pay', id: 'p' }], 'paid') });
  const [question] = await questions('suspended', 1);
  await until(async () => {
    const [row] = await restate.query(`SELECT status FROM sys_invocation WHERE id = '${id}'`);
    return row?.['status'] === 'suspended' || undefined;
  });
  await restate.call('assistant/suspended/answer', { id: question?.id, type: 'approved' });
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'paid' });
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/p': 1, '2/model': 1 });
});

test('an approval that comes while no worker is up is taken up by the next one', async () => {
  const id = await restate.send('handlers/run', { input: script([{ tool: 'pay', id: 'p' }], 'paid') });
  const [awakeable = ''] = await asked(id, 1);
  await worker.kill();
  await restate.settle(awakeable, 'resolve', JSON.stringify({ type: 'approved', arguments: { name: 'a small sum' } }));
  await restate.kill();
  await restate.start();
  await startAgain();
  expect(await restate.attach(id)).toBe('paid');
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/p': 1, '2/model': 1 });
  expect(witness.seen.filter(({ name }) => name === 'a small sum')).toHaveLength(2);
});

test('a workflow shows its questions, takes answers at any depth while its worker is down, and refuses what is no answer', async () => {
  const at = (handler: string) => `assistant/asking/${handler}`;
  const inner = script([{ tool: 'pay', id: 'deep' }], 'inner done');
  const turn = [
    { tool: 'ask_inner', id: 'i', input: inner },
    { tool: 'pay', id: 'p' },
  ];
  const id = await restate.send(at('run'), { input: script(turn, 'both settled') });
  const open = await questions('asking', 2);
  expect(open.map(({ callId, path, toolName, agent }) => ({ callId, path, toolName, agent }))).toEqual(
    expect.arrayContaining([
      { callId: 'p', path: [], toolName: 'pay', agent: 'assistant' },
      { callId: 'deep', path: ['i'], toolName: 'pay', agent: 'inner' },
    ]),
  );
  const idOf = (callId: string) => open.find((each) => each.callId === callId)?.id;
  await expect(restate.call(at('answer'), { id: 'none', type: 'approved' })).rejects.toThrow('404');
  await expect(restate.call(at('answer'), { id: idOf('p'), type: 'yes' })).rejects.toThrow(/400: .*type: 'approved'/);
  await worker.kill();
  await restate.send(at('answer'), { id: idOf('deep'), type: 'approved' });
  await startAgain();
  // Answered one by one: the rest of the run goes on without waiting for the other.
  await witness.ended('pay', 1);
  expect((await questions('asking', 1)).map(({ callId }) => callId)).toEqual(['p']);
  await anotherWorker();
  await restate.call(at('answer'), { id: idOf('p'), type: 'rejected', message: 'Too much.' });
  const reply = await restate.attach(id);
  expect(reply).toMatchObject({ finalOutput: 'both settled' });
  expect(JSON.stringify(reply)).toContain('Too much.');
  expect(begunBy(id)).toMatchObject({ '1/i/1/deep': 1, '2/model': 1 });
  expect(begunBy(id)).not.toHaveProperty('1/p');
});

test('an awakeable settled with what is no answer is asked again; one that is rejected rejects the call', async () => {
  const id = await restate.send('handlers/run', {
    input: script(
      [
        { tool: 'pay', id: 'p' },
        { tool: 'pay', id: 'q' },
      ],
      'end',
    ),
  });
  const [p = '', q = ''] = await asked(id, 2);
  await restate.settle(p, 'resolve', 'not JSON at all');
  await witness.ended('question answer: expected JSON.', 1);
  await restate.settle(q, 'reject', 'The cashier is out.');
  const again = witness.seen.find(({ name }) => name.startsWith('question answer'))?.key ?? '';
  expect(again).not.toBe(p);
  await restate.settle(again, 'resolve', JSON.stringify({ type: 'approved' }));
  expect(await restate.attach(id)).toBe('end');
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/p': 1, '2/model': 1 });
});

test("waiting ends by Restate's timers: a late answer rejects the call, a deadline stops the run", async () => {
  const input = script([{ tool: 'pay', id: 'p' }], 'went on');
  expect(await restate.call('handlers/run', { input, answerWithinMs: 200 })).toBe('went on');
  const held = witness.hold('too slow');
  const slow = script([{ tool: 'work', id: 'w', name: 'too slow' }], 'never');
  await expect(restate.call('handlers/run', { input: slow, deadlineMs: 500 })).rejects.toThrow('408');
  held.release();
  expect(witness.seen.filter(({ name, phase }) => name === 'too slow' && phase === 'ended')).toEqual([]);
});

test('a cancelled run aborts what goes on, and ends as cancelled', async () => {
  const held = witness.hold('endless');
  const input = script([{ tool: 'work', id: 'w', name: 'endless' }], 'never');
  const id = await restate.send('assistant/cancelled/run', { input });
  await held.begun();
  await restate.call('assistant/cancelled/cancel', {});
  await expect(restate.attach(id)).rejects.toThrow('409');
  held.release();
  // The step was waited for, and is in the journal as aborted.
  expect(await stepsOf(id)).toEqual(['start', '1/prepare', '1/model', '1/w']);
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/w': 1 });
  // A run that was stopped still stores what it has done.
  const stored = witness.hold('unstored');
  const remembered = script([{ tool: 'work', id: 'w', name: 'unstored' }], 'never');
  const other = await restate.send('handlers/run', { input: remembered, remembers: true });
  await stored.begun();
  await restate.cancel(other);
  await expect(restate.attach(other)).rejects.toThrow('409');
  stored.release();
  expect(await stepsOf(other)).toEqual(['start', '1/prepare', 'save/0', '1/model', '1/w', 'save/1']);
  const waiting = await restate.send('handlers/run', { input: script([{ tool: 'pay', id: 'p' }], 'never') });
  await asked(waiting, 1);
  await restate.cancel(waiting);
  await expect(restate.attach(waiting)).rejects.toThrow('409');
});

test('an error of the run is terminal: Restate does not try it again', async () => {
  const input = script([{ tool: 'work', id: 'w' }], 'never');
  await expect(restate.call('handlers/failing', { input })).rejects.toThrow(/500: .*MaxTurnsExceededError.*1 turns/);
  await expect(restate.call('assistant/bad/run', {})).rejects.toThrow(/400: .*input/);
});

test('changed agents meet the journal of old ones: a clear error, and the run goes on once the old program is back', async () => {
  const id = await restate.send('assistant/changed/run', { input: script([{ tool: 'pay', id: 'p' }], 'in the end') });
  const [question] = await questions('changed', 1);
  await anotherWorker('--extra', 'new_tool');
  await restate.call('assistant/changed/answer', { id: question?.id, type: 'approved' });
  const failure = await failureOf(id, 'Step');
  expect(failure).toContain("Step 'start': what was recorded is not what this program does");
  expect(failure).toContain('Let the program that began a run end it');
  await anotherWorker();
  expect(await restate.attach(id)).toMatchObject({ finalOutput: 'in the end' });
  expect(begunBy(id)).toEqual({ '1/model': 1, '1/p': 1, '2/model': 1 });
});

test("a program with other steps meets Restate's own check, which the old program passes again", async () => {
  const id = await restate.send('handlers/run', { input: script([{ tool: 'pay', id: 'p' }], 'in the end') });
  const [awakeable = ''] = await asked(id, 1);
  await anotherWorker('--shifted');
  await restate.settle(awakeable, 'resolve', JSON.stringify({ type: 'approved' }));
  expect(await failureOf(id, '570')).toContain('something else');
  await anotherWorker();
  expect(await restate.attach(id)).toBe('in the end');
});

test('progress is told by the worker as it comes, while the run is durable', async () => {
  expect(await restate.call('handlers/streamed', { input: script('word by word by word') })).toBe(
    'word by word by word',
  );
  const told = () => witness.seen.filter(({ name, phase }) => name === 'delta' && phase === 'began');
  await until(async () => (told().length === 3 ? true : undefined));
  expect(new Set(told().map(({ key }) => key))).toEqual(new Set(['word by ', 'word by ', 'word']));
});

test('200 runs at once, their worker killed twice: nothing that finished is done again', async () => {
  const count = 200;
  const input = script(
    [
      { tool: 'work', id: 'a', name: 'many' },
      { tool: 'work', id: 'b', name: 'many' },
    ],
    [{ tool: 'work', id: 'c', name: 'many' }],
    'done',
  );
  const ids = await Promise.all(
    Array.from({ length: count }, (_, at) => restate.send(`assistant/many-${at}/run`, { input })),
  );
  const finished: { [key: string]: number }[] = [];
  for (const done of [100, 300]) {
    await witness.ended('many', done);
    const keys = await finishedIn(ids);
    const counts = witness.counts();
    finished.push(Object.fromEntries(keys.map((key) => [key, counts[key] ?? 0])));
    await anotherWorker();
  }
  const replies = await Promise.all(ids.map((id) => restate.attach(id)));
  expect(replies.every((reply) => (reply as { finalOutput: string }).finalOutput === 'done')).toBe(true);
  // What was recorded when a worker died was not begun again.
  const counts = witness.counts();
  for (const known of finished) {
    expect(Object.keys(known).length).toBeGreaterThan(100);
    for (const [key, begun] of Object.entries(known)) expect(counts[key] ?? 0, key).toBe(begun);
  }
  // Anything else was begun once more for each worker that died over it.
  const times = ids.flatMap((id) => Object.values(begunBy(id)));
  expect(times.length).toBe(count * 6);
  expect(Math.max(...times)).toBeLessThanOrEqual(3);
}, 120_000);

/** How often each effect of a run was begun, by its id. */
function begunBy(id: string): { [effect: string]: number } {
  const own = Object.entries(witness.counts()).filter(([key]) => key.startsWith(`${id}/`));
  return Object.fromEntries(own.map(([key, begun]) => [key.slice(id.length + 1), begun]));
}

/** The steps in the journal of a run, in the order in which they were begun. */
async function stepsOf(id: string): Promise<unknown[]> {
  const rows = await restate.query(
    `SELECT name FROM sys_journal WHERE id = '${id}' AND entry_type = 'Command: Run' ORDER BY index`,
  );
  return rows.map(({ name }) => name);
}

/** Until these steps of a run have been recorded as done. */
async function recorded(id: string, ...steps: string[]): Promise<void> {
  await until(async () => {
    const keys = await finishedIn([id]);
    return steps.every((step) => keys.includes(`${id}/${step}`)) || undefined;
  });
}

/** The keys of all steps that are recorded as done. */
async function finishedIn(ids: readonly string[]): Promise<string[]> {
  const list = ids.map((id) => `'${id}'`).join(',');
  const rows = await restate.query(`SELECT id, entry_json FROM sys_journal WHERE id IN (${list})`);
  const entries = rows.map(({ id, entry_json }) => ({ id: String(id), ...(JSON.parse(String(entry_json)) as Entry) }));
  const keyOf = (id: string, completion: number) => `${id}/${completion}`;
  const names = new Map<string, string>();
  for (const { id, Command } of entries) {
    if (typeof Command === 'object' && Command.Run) names.set(keyOf(id, Command.Run.completion_id), Command.Run.name);
  }
  return entries.flatMap(({ id, Notification }) => {
    const done = Notification?.Completion?.Run?.completion_id;
    const name = done === undefined ? undefined : names.get(keyOf(id, done));
    return name === undefined ? [] : [`${id}/${name}`];
  });
}

type Completed = { readonly Run?: { readonly completion_id: number; readonly name: string } };
type Entry = { readonly Command?: Completed | string; readonly Notification?: { readonly Completion?: Completed } };

/** The awakeables that a plain handler has asked about. */
async function asked(id: string, count: number): Promise<string[]> {
  const from = witness.seen.filter(({ name, phase }) => name === 'question' && phase === 'ended').length;
  await until(
    async () => (await stepsOf(id)).filter((name) => String(name).startsWith('ask/')).length === count || undefined,
  );
  await witness.ended('question', Math.max(from, 1));
  return witness.seen
    .filter(({ name, phase }) => name === 'question' && phase === 'began')
    .map(({ key }) => key)
    .slice(-count);
}

/** What Restate says of an invocation that it tries again and again. */
async function failureOf(id: string, word: string): Promise<string> {
  return until(async () => {
    const [row] = await restate.query(`SELECT last_failure FROM sys_invocation WHERE id = '${id}'`);
    const told = String(row?.['last_failure']);
    return told.includes(word) ? told : undefined;
  });
}

type Shown = { id: string; callId: string; path: string[]; toolName: string; agent: string };

async function questions(key: string, count: number): Promise<Shown[]> {
  return until(async () => {
    const open = (await restate.call(`assistant/${key}/questions`, {})) as Shown[];
    return open.length === count ? open : undefined;
  });
}

/** Asks again until there is an answer. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come to pass');
}
