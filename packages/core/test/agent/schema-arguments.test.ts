import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { issuesText, parseArguments } from '../../src/agent/schema/parse-arguments.ts';

describe('parseArguments', () => {
  test('the empty text is no arguments', () => {
    expect(parseArguments('')).toEqual({ value: {} });
  });

  test('reads any JSON as it is', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseArguments(text)).toEqual({ value: JSON.parse(text) });
      }),
    );
  });

  test.for(['{', '{"a":1', "{'a':1}", '{"a":1,}', '```json\n{}\n```', '{} {}', ' ', 'undefined', 'NaN'])(
    'refuses %j',
    (text) => {
      expect(parseArguments(text)).toEqual({ problem: expect.stringContaining('not valid JSON') });
    },
  );
});

describe('issuesText', () => {
  test('writes paths as one reads them', () => {
    const issues = [
      { message: 'expected string, got a number', path: ['city'] },
      { message: 'required, but missing', path: ['days', 0, 'at'] },
      { message: 'not allowed', path: [2, 'x'] },
      { message: 'expected object, got null' },
      { message: 'odd', path: [] },
      { message: 'deep', path: [{ key: 'a' }, { key: 0 }] },
    ];
    expect(issuesText(issues)).toBe(
      'city: expected string, got a number; days[0].at: required, but missing; [2].x: not allowed; expected object, got null; odd; a[0]: deep',
    );
  });

  test('tells ten at most', () => {
    const issues = Array.from({ length: 13 }, (_, at) => ({ message: `m${at}` }));
    expect(issuesText(issues)).toMatch(/; m9; and 3 more$/);
    expect(issuesText(issues.slice(0, 10))).toMatch(/; m9$/);
    expect(issuesText([])).toBe('');
  });
});
