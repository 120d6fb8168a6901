import { describe, expect, test } from 'vitest';
import type { Item, Origin } from '../../src/protocol/items.ts';
import { requestView, type ViewTarget } from '../../src/transcript/view.ts';
import { history, issuers, log, numbers, secretOf } from '../../../../wires/src/logs.ts';
import { verifies } from '../requirements.ts';

const openai = issuers['openai-responses'];
const anthropic = issuers['anthropic-messages'];
const user: Item = { type: 'message', role: 'user', content: 'go' };
const all = Object.values(issuers);
const text = (items: readonly Item[]) => JSON.stringify(items);

describe('what one provider made for itself', () => {
  const pairs = all.flatMap((from) => all.filter((to) => to !== from).map((to) => ({ from, to })));

  test.each(pairs)(
    verifies('X2', 'of $from.provider does not go to $to.provider, and comes back byte for byte'),
    ({ from, to }) => {
      const items = history(from);
      const before = text(items);
      const there = requestView(to)(items);
      expect(text(items)).toContain(secretOf(from));
      expect(text(there.items)).not.toContain(secretOf(from));
      expect(there.adaptations.length).toBeGreaterThan(0);
      const answered = [...items, { ...user, content: 'more' }, ...history(to), user] satisfies Item[];
      const back = requestView(from)(answered);
      expect(text(back.items.slice(0, items.length))).toBe(before);
      expect(text(back.items)).not.toContain(secretOf(to));
      expect(text(items)).toBe(before);
    },
  );

  test('is told in what is left out of messages and calls', () => {
    const from = { id: 'msg_1', origin: anthropic };
    const annotations = [{ type: 'url_citation', encrypted_index: 'x' }];
    const view = requestView(openai)([
      { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a', annotations }], ...from },
      {
        type: 'function_call',
        call_id: 'a',
        name: 'f',
        arguments: '{}',
        provider_data: { anthropic: { s: 1 } },
        ...from,
      },
      { type: 'function_call_output', call_id: 'a', output: 'done' },
      { type: 'message', role: 'assistant', content: 'no more than an id', ...from },
    ]);
    expect(view.items).toEqual([
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'a', annotations: [] }],
        origin: anthropic,
      },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}', origin: anthropic },
      { type: 'function_call_output', call_id: 'a', output: 'done' },
      { type: 'message', role: 'assistant', content: 'no more than an id', origin: anthropic },
    ]);
    expect(view.adaptations).toEqual([
      { type: 'other', name: 'message', detail: 'without annotations that only anthropic can read' },
      { type: 'other', name: 'function_call', detail: 'without provider_data that only anthropic can read' },
    ]);
  });

  test('written by hand belongs to the Responses API, or to whom its kind names', () => {
    const search: Item = { type: 'web_search_call', status: 'completed' };
    const thing: Item = { type: 'anthropic:thing', data: 1 };
    const secret: Item[] = [
      { type: 'reasoning', summary: [], encrypted_content: 'x' },
      { type: 'message', role: 'assistant', content: 'a' },
    ];
    expect(requestView(openai)([search, ...secret]).items).toEqual([search, ...secret]);
    expect(requestView({ ...openai, provider: 'azure' })([search]).items).toEqual([search]);
    expect(requestView(anthropic)([search, thing, ...secret]).items).toEqual([
      { type: 'message', role: 'assistant', content: '[web search call]' },
      thing,
      secret[1],
    ]);
  });
});

describe('reasoning', () => {
  const thought = (origin?: Origin): Item => ({
    type: 'reasoning',
    summary: [],
    content: [{ type: 'reasoning_text', text: 'hm' }],
    ...(origin && { origin }),
  });
  const said = (origin?: Origin): Item => ({
    type: 'message',
    role: 'assistant',
    content: 'a',
    ...(origin && { origin }),
  });
  const shown = (target: ViewTarget, ...items: Item[]) => requestView(target)(items).items;

  test('goes back to its provider and api, other models of theirs included', () => {
    const other = { ...openai, model: 'gpt-4.1' };
    expect(shown(openai, thought(openai), said(openai))).toHaveLength(2);
    expect(shown(openai, thought(other), said(other))).toHaveLength(2);
    expect(shown(openai, thought(), said())).toHaveLength(2);
    expect(shown(openai, thought({ ...openai, api: 'chat-completions' }), said())).toHaveLength(1);
    expect(shown(openai, thought({ ...openai, provider: 'azure' }), said())).toHaveLength(1);
  });

  test('goes to nobody who takes none', () => {
    const view = requestView({ ...openai, reasoningReplay: 'forbidden' })([thought(openai), said(openai)]);
    expect(view.items).toEqual([said(openai)]);
    expect(view.adaptations).toEqual([
      { type: 'dropped_item', name: 'reasoning', detail: 'this model takes no reasoning back' },
    ]);
  });

  test(verifies('X3', 'never goes without the item that followed it'), () => {
    const call: Item = { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}', origin: openai };
    const output: Item = { type: 'function_call_output', call_id: 'a', output: 'done' };
    const mine = thought(openai);
    const empty: Item = { type: 'message', role: 'assistant', content: '', origin: openai };
    expect(shown(openai, user, mine, mine, call, output)).toEqual([user, mine, mine, call, output]);
    for (const after of [[], [user], [said(anthropic)], [empty]] satisfies Item[][])
      expect(shown(openai, user, mine, ...after)).not.toContain(mine);
    expect(shown(openai, call, mine, output)).toEqual([call, output]);
    expect(requestView(openai)([mine]).adaptations).toEqual([
      { type: 'dropped_item', name: 'reasoning', detail: 'nothing follows that it led to' },
    ]);
  });
});

describe('foreign provider items are told', () => {
  const told = (item: Item) => requestView(anthropic)([user, { ...item, origin: openai }]).items.slice(1);
  const words = (item: Item) => {
    const [message] = told(item);
    return message?.type === 'message' ? message.content : undefined;
  };

  test.each<[Item, string]>([
    [
      { type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'Oslo weather' } },
      '[openai web search call] action: query: Oslo weather',
    ],
    [
      { type: 'mcp_call', name: 'roll', server_label: 'dice', arguments: '{"n":2}', output: '7', status: 'incomplete' },
      '[openai mcp call] name: roll; server_label: dice; arguments: {"n":2}; output: 7; status: incomplete',
    ],
    [
      { type: 'code_interpreter_call', code: 'print(1)', container_id: 'c', outputs: [{ type: 'logs', logs: '1\n' }] },
      '[openai code interpreter call] code: print(1); outputs: logs: 1',
    ],
    [{ type: 'image_generation_call', result: 'iVBOR'.repeat(100) }, '[openai image generation call] result: (data)'],
    [{ type: 'compaction', encrypted_content: 'gAAAA' }, '[openai compaction]'],
    [
      {
        type: 'x:page',
        results: [
          { title: 'A', url: 'u', encrypted_content: 'e', page_age: null },
          { title: 'B', n: 2 },
        ],
      },
      '[openai page] results: title: A; url: u, title: B; n: 2',
    ],
  ])('%j', (item, text) => expect(words(item)).toBe(text));

  test('in a thousand characters at most, none of them cut in two', () => {
    for (const start of ['', 'x', 'xx']) {
      const text = words({ type: 'x:thing', text: start + '🙂 '.repeat(900) });
      expect(text?.length).toBeGreaterThan(995);
      expect(text?.length).toBeLessThanOrEqual(1000);
      expect(text).not.toMatch(/[\ud800-\udbff](?![\udc00-\udfff])/);
    }
  });

  test('a reference to what only its issuer has is left out', () => {
    const view = requestView(anthropic)([user, { type: 'item_reference', id: 'rs_1' }]);
    expect(view.items).toEqual([user]);
    expect(view.adaptations).toMatchObject([{ type: 'dropped_item', name: 'item_reference' }]);
  });

  test(verifies('T13', 'an answered call of another provider is told with its answer, media stay media'), () => {
    const call: Item = { type: 'computer_call', call_id: 'c', action: { type: 'click', x: 1, y: 2 }, origin: openai };
    const screen = { type: 'computer_screenshot', image_url: 'data:image/png;base64,AA==' };
    const log: Item[] = [
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      call,
      { type: 'function_call', call_id: 'b', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'A' },
      { type: 'computer_call_output', call_id: 'c', output: screen },
      { type: 'function_call_output', call_id: 'b', output: 'B' },
    ];
    expect(requestView(openai)(log).items).toEqual(log);
    expect(requestView(anthropic)(log).items).toEqual([
      log[0],
      { type: 'message', role: 'assistant', content: '[openai computer call] action: x: 1; y: 2' },
      log[2],
      log[3],
      log[5],
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: '[computer call output] output: image_url: (data)' },
          { type: 'input_image', image_url: screen.image_url },
        ],
      },
    ]);
  });
});

describe('whatever the log holds', () => {
  const targets: ViewTarget[] = [...all, { ...openai, reasoningReplay: 'forbidden' }];

  test.each(targets)('the view for $provider is valid, and the log stays as it was', (target) => {
    const next = numbers(11);
    const view = requestView(target);
    for (let round = 0; round < 1500; round++) {
      const items = log(next);
      const before = text(items);
      expect(problems(view(items).items, target), before).toEqual([]);
      expect(text(items)).toBe(before);
    }
  });

  test(verifies('X4', 'a view is the beginning of the next one, or a cause is named'), () => {
    const next = numbers(5);
    let broken = 0;
    for (let round = 0; round < 600; round++) {
      const items = [...log(next), ...log(next)];
      const target = targets[round % targets.length] ?? openai;
      for (let length = 1; length < items.length; length++) {
        const [now, then] = [items.slice(0, length), items.slice(0, length + 1)].map((part) =>
          requestView(target)(part),
        );
        const held = now?.items.every(
          (item, index) => text([item]) === text(then?.items.slice(index, index + 1) ?? []),
        );
        if (held) continue;
        broken++;
        const causes = [...(now?.adaptations ?? []), ...(then?.adaptations ?? [])].map(({ detail }) => detail);
        expect(causes.join()).toMatch(/has no output|came late|in the order of their calls|nothing follows/);
      }
    }
    expect(broken).toBeGreaterThan(10);
  });
});

/** What is wrong with a view. */
function problems(items: readonly Item[], target: ViewTarget): string[] {
  const each = items.flatMap((item, index) => itemProblems(item, items[index + 1], target));
  return [...pairingProblems(items), ...each];
}

/** Outputs follow in the order of their calls, behind the model's own items among which these stand. */
function pairingProblems(items: readonly Item[]): string[] {
  const found: string[] = [];
  const ids = new Set<string>();
  const open: string[] = [];
  for (const [index, item] of items.entries()) {
    const id = 'call_id' in item ? String(item.call_id) : undefined;
    if (isOutput(item)) {
      if (open.shift() !== id) found.push(`${index} is not the next output`);
      continue;
    }
    if (open.length > 0 && (isOutput(items[index - 1]) || !isModels(item))) found.push(`${index} comes before outputs`);
    if (id === undefined) continue;
    if (id === '' || ids.has(id)) found.push(`${index} has no id of its own`);
    ids.add(id);
    open.push(id);
  }
  return open.length > 0 ? [...found, `no outputs for ${open.join()}`] : found;
}

/** Nothing is empty, nothing is for another's eyes, and reasoning stands before what it led to. */
function itemProblems(item: Item, next: Item | undefined, { provider, api, reasoningReplay }: ViewTarget): string[] {
  const own = !item.origin || (item.origin.provider === provider && item.origin.api === api);
  const stranger = item.type !== 'message' && item.type !== 'function_call';
  const wrong = {
    empty: (item.type === 'message' && item.content.length === 0) || /"(text|refusal)":""/.test(text([item])),
    opaque: !own && (stranger || item.id !== undefined || item.provider_data !== undefined),
    alone: item.type === 'reasoning' && (reasoningReplay === 'forbidden' || !isModels(next)),
  };
  return Object.entries(wrong).flatMap(([name, is]) => (is ? [`${item.type} is ${name}`] : []));
}

function isOutput(item: Item | undefined): boolean {
  return item !== undefined && item.type.endsWith('_output');
}

function isModels(item: Item | undefined): boolean {
  return item !== undefined && !isOutput(item) && (item.type !== 'message' || item.role === 'assistant');
}
