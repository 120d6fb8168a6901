import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Runner, RunState } from '../../src/index.ts';
import { verifies } from '../requirements.ts';
import { cases } from './cases.ts';

const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.json'));

test('there is a stored state of every case', () => {
  const stored = files.map((file) => file.replace(/^v\d+-(.*)\.json$/, '$1'));
  expect(new Set(stored)).toEqual(new Set(Object.keys(cases)));
});

test.for(files)(verifies('I3', '%s, stored by an earlier version, loads and runs to its end'), async (file) => {
  const name = file.replace(/^v\d+-(.*)\.json$/, '$1');
  const known = cases[name];
  if (known === undefined) throw new Error(`No case ${name}.`);
  const agent = known.agent();
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const state = RunState.fromString(agent, text);
  expect(JSON.parse(state.toString())).toEqual(JSON.parse(text));
  for (const item of state.interruptions) state.approve(item);
  const result = await Runner.run(agent, RunState.fromString(agent, state.toString()), known.go());
  expect(result.interruptions).toEqual([]);
  expect(result.newItems.map(({ type }) => type)).toEqual(known.items);
  expect(result.finalOutput).toBe(`end of ${result.lastAgent.name}`);
});

test.for(Object.entries(cases))(
  'a run of today that is %s is stored and runs to its end alike',
  async ([, { agent, stop, go, items }]) => {
    const state = RunState.fromString(agent(), (await stop(agent())).toString());
    for (const item of state.interruptions) state.approve(item);
    const result = await Runner.run(agent(), state, go());
    expect(result.newItems.map(({ type }) => type)).toEqual(items);
  },
);
