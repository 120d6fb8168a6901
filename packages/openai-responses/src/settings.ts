import { toJson, type ModelRequest, type ModelSettings } from '@polyrun/core';
import { given, knownSettings, type Report } from '@polyrun/core/http';
import type { Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

type At = Destination & { readonly report: Report };

/** Settings that are one field of the body, under another name or under their own in snake case; others are not. */
const fieldNames: { readonly [setting: string]: string } = { maxTokens: 'max_output_tokens' };
const elsewhere = /^(?:toolChoice|reasoning|verbosity|store|cache|providerOptions)$/;

/** The settings that are one field each. Those that the model does not have are reported. */
export function settingFields({ settings, tools }: ModelRequest, { capabilities, report }: At): JsonObject {
  const known = Object.entries(knownSettings(settings, capabilities.settings, { report })).flatMap(([name, value]) => {
    const idle = elsewhere.test(name) || (name === 'parallelToolCalls' && tools.length === 0);
    const field = fieldNames[name] ?? name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return idle ? [] : [[field, toJson(value)] as const];
  });
  return Object.fromEntries(known);
}

/** How much the model is to reason, and how it is to tell of it. */
export function reasoningField(reasoning: ModelSettings['reasoning'], at: At): JsonObject {
  const { effort, summary } = reasoning ?? {};
  if ((effort ?? summary) === undefined) return {};
  if (at.capabilities.reasoning === 'none') {
    at.report('unsupported_setting', 'reasoning', 'not a reasoning model');
    return {};
  }
  const sent = effort && (at.dialect.efforts[effort] ?? effort);
  // The highest effort just has another name there.
  if (sent !== effort && sent !== 'xhigh') at.report('unsupported_setting', 'reasoning.effort', `sent as ${sent}`);
  return { reasoning: given({ effort: sent, summary }) };
}

/** https://platform.openai.com/docs/guides/prompt-caching: it is always on; a day is the one lifetime that all models know. */
export function cacheFields(cache: ModelSettings['cache'], { capabilities, report }: At): JsonObject {
  if (cache === undefined || cache === 'auto' || capabilities.settings?.includes('cache') === false) return {};
  if (cache !== 'none')
    return cache.ttl === '24h' ? { prompt_cache_retention: cache.ttl } : { prompt_cache_options: { ttl: cache.ttl } };
  report('unsupported_setting', 'cache', 'prompts are cached anyway');
  return {};
}
