import type { ModelSettings } from '@polyrun/core';
import { stringOf } from '@polyrun/core/http';
import { isThinking } from './messages.ts';
import type { Target } from './target.ts';
import { isJsonObject, type JsonObject, type Message } from './wire.ts';

/** What bears on thinking in one request. `options` are the user's own fields for this provider. */
export type Wish = {
  readonly settings: ModelSettings;
  readonly options: JsonObject;
  readonly messages: readonly Message[];
  readonly maxTokens: number;
  readonly forced: boolean;
};
/** How a request asks for thinking. `active`: the model may think. */
export type Thinking = { readonly thinking?: JsonObject; readonly effort?: string; readonly active: boolean };

type Effort = NonNullable<NonNullable<ModelSettings['reasoning']>['effort']>;

/** Tokens of thinking that an effort stands for, where the model wants a budget; the API takes no less than 1,024. */
const budgets: { readonly [effort in Effort]: number } = {
  none: 0,
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 16_384,
  max: 32_768,
};

/**
 * Thinking as the request wants it and the model has it, off where it would be refused: thinking with a budget stands neither beside a
 * forced tool nor within a turn that began without it. platform.claude.com/docs/en/build-with-claude/thinking
 */
export function thinkingFor(wish: Wish, target: Target): Thinking {
  const asked = askedFor(wish, target);
  if (!asked.active) return asked;
  const reason = obstacle(wish, asked);
  if (reason === undefined) return bound(asked, wish, target);
  target.report('reasoning_off', 'reasoning', reason);
  return off(target);
}

function askedFor({ settings: { reasoning = {} }, options, maxTokens }: Wish, target: Target): Thinking {
  const { family, capabilities, report } = target;
  const { effort, summary } = reasoning;
  const { thinking: own } = options;
  if (isJsonObject(own)) return { thinking: own, active: /^(enabled|adaptive)$/.test(stringOf(own['type'])) };
  const unasked: Thinking = { active: family.off !== 'unsaid' };
  if ((effort ?? summary) === undefined) return unasked;
  if (capabilities.reasoning === 'none') {
    if (effort !== 'none') report('unsupported_setting', 'reasoning', 'not a reasoning model');
    return unasked;
  }
  if (effort === 'none' && family.off !== 'never') return off(target);
  return family.thinking === 'budget' ? budget(effort, maxTokens, target) : adaptive(reasoning, target);
}

function adaptive({ effort, summary }: NonNullable<ModelSettings['reasoning']>, { report }: Target): Thinking {
  const least = effort === 'none' || effort === 'minimal';
  if (least) report('unsupported_setting', 'reasoning.effort', 'sent as low');
  const thinking = { type: 'adaptive', ...(summary && { display: 'summarized' }) };
  return { thinking, ...(effort && { effort: least ? 'low' : effort }), active: true };
}

function budget(effort: Effort | undefined, maxTokens: number, { report }: Target): Thinking {
  const most = Math.max(1024, Math.floor(maxTokens * 0.75));
  const budget_tokens = Math.min(budgets[effort ?? 'medium'], most);
  if (budget_tokens < maxTokens) return { thinking: { type: 'enabled', budget_tokens }, active: true };
  report('reasoning_off', 'reasoning', 'maxTokens has no room for its 1024 tokens');
  return { active: false };
}

function off({ family }: Target): Thinking {
  return { ...(family.off !== 'unsaid' && { thinking: { type: family.off } }), active: false };
}

/** Why the request would be refused with thinking; only with a budget it can be, adaptive thinking makes way by itself. */
function obstacle({ forced, messages }: Wish, { thinking }: Thinking): string | undefined {
  if (thinking?.['type'] !== 'enabled') return undefined;
  if (forced) return 'a tool must be called';
  return beganWithoutThinking(messages) ? 'this turn began without' : undefined;
}

/** True where the model is to go on with a turn of its own that does not begin with thinking, or is in the middle of its answer. */
function beganWithoutThinking(messages: readonly Message[]): boolean {
  const within = ({ role, content }: Message) => role !== 'user' || content.some(({ type }) => type === 'tool_result');
  const last = messages.at(-1);
  if (!last || !within(last)) return false;
  if (last.role === 'assistant' && last.content.at(-1)?.type === 'text') return true;
  const start = messages.findLastIndex((message) => !within(message)) + 1;
  const first = messages.slice(start).find(({ role }) => role === 'assistant')?.content[0];
  return first !== undefined && !isThinking(first);
}

/** Thinking that no longer fits what stands before it is to be left out, where the API would refuse the request: a handoff changes that. */
function bound(asked: Thinking, { messages }: Wish, { family }: Target): Thinking {
  const thinking = { type: 'adaptive', block_binding: { prefix_mismatch_behavior: 'drop_block' }, ...asked.thinking };
  const needed = family.boundThinking && messages.some(({ content }) => content.some(isThinking));
  return needed ? { ...asked, thinking } : asked;
}
