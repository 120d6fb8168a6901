import { describe, expect, test } from 'vitest';
import type { FunctionCallOutputItem, InputPart, Item } from '../../src/protocol/items.ts';
import type { Adaptation } from '../../src/protocol/response.ts';
import { mediaApart } from '../../src/transcript/media.ts';

const image: InputPart = { type: 'input_image', image_url: 'data:image/png;base64,AA==' };
const text: InputPart = { type: 'input_text', text: 'see' };
const user: Item = { type: 'message', role: 'user', content: 'go' };
const output = (call_id: string, ...parts: InputPart[]): FunctionCallOutputItem => ({
  type: 'function_call_output',
  call_id,
  output: parts,
});
const shown = (...content: InputPart[]): Item => ({ type: 'message', role: 'user', content });

describe('media of outputs', () => {
  const apart = mediaApart();

  function moved(...items: Item[]): { items: readonly Item[]; reports: string[] } {
    const reports: string[] = [];
    const report = (type: Adaptation['type'], _name: string, detail: string) => void reports.push(`${type}: ${detail}`);
    return { items: apart(items, report), reports };
  }

  test('go behind all outputs that stand together, each in a message of its own', () => {
    const { items, reports } = moved(output('a', text, image), output('b', image), output('c', text), user);
    expect(items).toEqual([
      { ...output('a'), output: 'see' },
      { ...output('b'), output: '(see the next user message)' },
      { ...output('c'), output: 'see' },
      shown(image),
      shown(image),
      user,
    ]);
    expect(reports).toEqual([
      'moved_media: media of a follow in a user message',
      'moved_media: media of b follow in a user message',
    ]);
  });

  test('at the end of a conversation go at its end', () => {
    expect(moved(user, output('a', image)).items.at(-1)).toEqual(shown(image));
  });

  test('are the same objects the next time; what has none stays as it is', () => {
    const log = [user, output('a', text, image), output('b', text), { ...output('c'), output: 'c' }];
    const first = moved(...log).items;
    const next = moved(...log, user).items;
    expect(next.slice(0, first.length).every((item, index) => item === first[index])).toBe(true);
    expect([first[0] === log[0], first[3] === log[3]]).toEqual([true, true]);
  });
});
