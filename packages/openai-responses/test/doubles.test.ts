import type { Item } from '@polyrun/core';
import { ask } from '@polyrun/wires/endpoint';
import { grammarProblems } from '@polyrun/wires/openai-responses';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { encoded } from './support/endpoint.ts';

const origin = { provider: 'openai', api: 'openai-responses', model: 'gpt-5.6' };
const user: Item = { type: 'message', role: 'user', content: 'go' };
const search: Item = {
  type: 'web_search_call',
  id: 'ws_1',
  status: 'completed',
  action: { type: 'search', query: 'q' },
  origin,
};
const screen: Item = {
  type: 'computer_call',
  id: 'cu_1',
  call_id: 'c1',
  action: { type: 'screenshot' },
  pending_safety_checks: [],
  status: 'completed',
  origin,
};
const asked: Item = { type: 'tool_search_call', call_id: 't1', execution: 'client', arguments: {}, origin };
const found: Item = { type: 'tool_search_output', call_id: 't1', execution: 'client', tools: [], origin };

/** The kinds and ids of what is sent, with what is reported of one kind. */
async function sent(items: readonly Item[], name: string) {
  const { body, input, response } = await encoded(ask({ input: [user, ...items, user] }));
  expect(grammarProblems(body, 'openai')).toEqual([]);
  const told = response.adaptations.filter((adaptation) => adaptation.name === name).map(({ detail }) => detail);
  return { kinds: input.slice(1, -1).map(({ type }) => type), ids: input.flatMap(({ id }) => id ?? []), told };
}

describe('what stands in a log twice', () => {
  test(verifies('X1', 'goes once where it has an id, for the API refuses a second one'), async () => {
    const { kinds, told } = await sent([search, search], 'web_search_call');
    expect([kinds, told]).toEqual([['web_search_call'], ['the same item stands before']]);
  });

  test(verifies('X1', 'goes under another id where it is a call that has its answer'), async () => {
    const { kinds, ids } = await sent([screen, screen], 'computer_call');
    expect(kinds.filter((kind) => kind === 'computer_call')).toHaveLength(new Set(ids).size);
  });

  test(verifies('X1', 'is one pair where call and answer are the provider’s own'), async () => {
    const once = ['tool_search_call', 'tool_search_output'];
    for (const items of [
      [asked, asked, found],
      [asked, found, found],
      [asked, found, asked],
      [asked, found, asked, found],
    ])
      expect((await sent(items, 'tool_search_call')).kinds).toEqual(once);
    expect((await sent([found, asked], 'tool_search_call')).kinds).toEqual([]);
  });
});
