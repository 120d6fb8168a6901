import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wireIds } from '../../src/index.ts';
import { verifies } from '../requirements.ts';

const wires = [
  { legal: /^[a-zA-Z0-9]{9}$/, length: 9 },
  { legal: /^[\w-]{1,40}$/, length: 16, prefix: 'call_' },
  { legal: /^\d{6}$/, length: 6 },
] as const;
const ids = fc.uniqueArray(
  fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.stringMatching(/^[a-zA-Z0-9]{9}$/),
    fc.integer({ min: 0, max: 20 }).map((n) => `call_${n}`),
    fc.integer({ min: 100_000, max: 999_999 }).map(String),
  ),
  { maxLength: 40 },
);

test.for(wires)(
  verifies('X4', 'ids of calls for a wire of %j: legal, short, none twice, legal ones of the conversation kept'),
  (wire) => {
    fc.assert(
      fc.property(ids, (asked) => {
        const id = wireIds(wire);
        const made = asked.map(id);
        expect(made.filter((each) => !wire.legal.test(each) || each.length > 40)).toEqual([]);
        expect(new Set(made).size).toBe(asked.length);
        for (const [index, each] of asked.entries())
          if (wire.legal.test(each) && !made.slice(0, index).includes(each)) expect(made[index]).toBe(each);
      }),
    );
  },
);

test(verifies('X4', 'they are the same in every request, whatever calls come later'), () => {
  fc.assert(
    fc.property(ids, fc.nat(40), fc.constantFrom(...wires), (asked, length, wire) => {
      const id = wireIds(wire);
      const again = wireIds(wire);
      const made = asked.map(id);
      expect(asked.slice(0, length).map(again)).toEqual(made.slice(0, length));
      expect(asked.map(id)).toEqual(made);
    }),
  );
});

test(verifies('X4', 'an id that is the hash of another one does not collide with it'), () => {
  const wire = wires[0];
  const hash = wireIds(wire)('not legal');
  const id = wireIds(wire);
  expect(new Set([id('not legal'), id(hash)]).size).toBe(2);
  const other = wireIds(wire);
  expect(other(hash)).toBe(hash);
  expect(other('not legal')).not.toBe(hash);
});
