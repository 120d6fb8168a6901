/** Tokens of one or more model calls. `inputTokens` includes cached and cache-writing tokens, for every provider. */
export type Usage = {
  requests: number;
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  inputTokensDetails: { cachedTokens: number; cacheWriteTokens: number };
  outputTokensDetails: { reasoningTokens: number };
  /** `reported` by the provider, `partial` when an attempt ended early, `estimated` when nothing was reported. */
  source: 'reported' | 'partial' | 'estimated';
};

/** The sum of no calls. */
export function noUsage(): Usage {
  return {
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    totalTokens: 0,
    inputTokensDetails: { cachedTokens: 0, cacheWriteTokens: 0 },
    outputTokensDetails: { reasoningTokens: 0 },
    source: 'reported',
  };
}

/** The usage of one call, from what its provider told; `totalTokens` defaults to input plus output. */
export function usageOf(told: {
  inputTokens?: number | null | undefined;
  outputTokens?: number | null | undefined;
  totalTokens?: number | null | undefined;
  cachedTokens?: number | null | undefined;
  cacheWriteTokens?: number | null | undefined;
  reasoningTokens?: number | null | undefined;
}): Usage {
  const inputTokens = told.inputTokens ?? 0;
  const outputTokens = told.outputTokens ?? 0;
  const reported = (told.inputTokens ?? told.outputTokens ?? null) !== null;
  return {
    requests: 1,
    inputTokens,
    outputTokens,
    totalTokens: told.totalTokens ?? inputTokens + outputTokens,
    inputTokensDetails: { cachedTokens: told.cachedTokens ?? 0, cacheWriteTokens: told.cacheWriteTokens ?? 0 },
    outputTokensDetails: { reasoningTokens: told.reasoningTokens ?? 0 },
    source: reported ? 'reported' : 'estimated',
  };
}

/** What a failed attempt cost: one request, its tokens unknown. `visible`: it had begun to answer. */
export function lostUsage(visible: boolean): Usage {
  return { ...noUsage(), requests: 1, source: visible ? 'partial' : 'estimated' };
}

/** Adds two usages; the weaker `source` of those that counted a request wins. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    requests: a.requests + b.requests,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    inputTokensDetails: {
      cachedTokens: a.inputTokensDetails.cachedTokens + b.inputTokensDetails.cachedTokens,
      cacheWriteTokens: a.inputTokensDetails.cacheWriteTokens + b.inputTokensDetails.cacheWriteTokens,
    },
    outputTokensDetails: {
      reasoningTokens: a.outputTokensDetails.reasoningTokens + b.outputTokensDetails.reasoningTokens,
    },
    source: weaker(a.source, b.source),
  };
}

function weaker(a: Usage['source'], b: Usage['source']): Usage['source'] {
  if (a === 'estimated' || b === 'estimated') return 'estimated';
  return a === 'partial' || b === 'partial' ? 'partial' : 'reported';
}
