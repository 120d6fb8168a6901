import type { ModelResponse, Usage } from '@polyrun/core';
import { describe, expect, test } from 'vitest';
import { Spending } from '../../src/chat/spending.ts';

const prices = {
  'a/model': { input: 10, output: 20, cachedInput: 1, cacheWrite: 12 },
  other: { input: 0.1, output: 0.2 },
};

function usage(inputTokens: number, outputTokens: number, details: Partial<Usage['inputTokensDetails']> = {}): Usage {
  return {
    requests: 1,
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    inputTokensDetails: { cachedTokens: 0, cacheWriteTokens: 0, ...details },
    outputTokensDetails: { reasoningTokens: 0 },
    source: 'reported',
  };
}

function spent(model: string, used: Usage): { usage: Usage; responses: ModelResponse[]; ms: number } {
  const origin = { provider: 'a', api: 'x', model };
  const output = [{ type: 'message', role: 'assistant', content: 'Yes.', origin } as const];
  const stop = { type: 'end', raw: null } as const;
  return { usage: used, responses: [{ model, output, usage: used, stop, adaptations: [] }], ms: 1234 };
}

describe('the line about an answer', () => {
  test.each<{ what: string; model: string; used: Usage; line: string }>([
    {
      what: 'by provider and model',
      model: 'model',
      used: usage(100_000, 50_000),
      line: '100,000 in · 50,000 out · $2.00 · 1.2 s',
    },
    {
      what: 'cached input by its own price',
      model: 'model',
      used: usage(100_000, 0, { cachedTokens: 90_000 }),
      line: '100,000 in (90,000 cached) · 0 out · $0.19 · 1.2 s',
    },
    {
      what: 'cache writes by theirs',
      model: 'model',
      used: usage(100_000, 0, { cacheWriteTokens: 100_000 }),
      line: '100,000 in · 0 out · $1.20 · 1.2 s',
    },
    {
      what: 'by the model alone, small amounts to be read',
      model: 'other',
      used: usage(1000, 100),
      line: '1,000 in · 100 out · $0.00012 · 1.2 s',
    },
    {
      what: 'a dated name',
      model: 'other-2026-01-31',
      used: usage(1_000_000, 0),
      line: '1,000,000 in · 0 out · $0.10 · 1.2 s',
    },
    { what: 'no price, no money', model: 'unknown', used: usage(10, 10), line: '10 in · 10 out · 1.2 s' },
    {
      what: 'counted by estimate',
      model: 'unknown',
      used: { ...usage(10, 10), source: 'estimated' },
      line: '~10 in · ~10 out · 1.2 s',
    },
  ])('$what', ({ model, used, line }) => {
    expect(new Spending({ prices, currency: 'USD' }).add(spent(model, used))).toBe(line);
  });
});

test('the report sums by model; the sum has a price when all have one', () => {
  const spending = new Spending({ prices, currency: 'EUR' });
  expect(spending.report()).toEqual(['Nothing was asked yet.']);
  spending.add(spent('model', usage(100_000, 0)));
  spending.add(spent('model', usage(100_000, 0)));
  spending.add(spent('other', usage(1_000_000, 0)));
  expect(spending.report()).toEqual([
    'a/model · 2 requests · 200,000 in · 0 out · €2.00',
    'a/other · 1 request · 1,000,000 in · 0 out · €0.10',
    'total · 3 requests · 1,200,000 in · 0 out · €2.10',
  ]);
  spending.add(spent('unknown', usage(1, 1)));
  expect(spending.report().at(-1)).toBe('total · 4 requests · 1,200,001 in · 1 out');
});
