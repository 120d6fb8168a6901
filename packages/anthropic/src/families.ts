import { mergeCapabilities, type Capabilities } from '@polyrun/core';
import { hostedTypes } from './hosted-tools.ts';

/** How the models of one family differ, as data. */
export type Family = {
  /** The most tokens of one answer, which is what a request asks for by default. */
  readonly maxTokens: number;
  /** How thinking is asked for: with a budget of tokens, or with an effort. */
  readonly thinking: 'budget' | 'adaptive';
  /** How thinking is switched off: by saying nothing, for models that do not think unasked; by a type; or not at all. */
  readonly off: 'unsaid' | 'disabled' | 'between_tools' | 'never';
  /** Whether its thinking blocks hold only behind the very messages, tools and instructions they were made behind. */
  readonly boundThinking: boolean;
  /** Which of temperature, top_p and top_k are taken: all, either temperature or top_p, none. */
  readonly sampling: 'all' | 'one' | 'none';
  /** Whether the last message may be the model's own, to be continued. */
  readonly prefill: boolean;
  /** Whether a system message may stand in the middle. */
  readonly systemInside: boolean;
  readonly facts: Capabilities;
};

type Row = Partial<Family> & { readonly models: RegExp };

/** Answers held to a schema, and with them strict tools. */
const structured = { facts: { structuredOutput: 'with_tools' } } as const;

/** What is common, and what is assumed of models that nobody knows: the API is the authority. */
const common: Family = {
  maxTokens: 32_000,
  thinking: 'budget',
  off: 'unsaid',
  boundThinking: false,
  sampling: 'all',
  prefill: true,
  systemInside: false,
  facts: { structuredOutput: 'none', reasoning: 'optional' },
};

/**
 * What is known of the families of Claude, in one table; rows overlay each other in order, later names fit the newest rows. Sources:
 * platform.claude.com/docs: about-claude/models (most tokens), build-with-claude/thinking, /structured-outputs,
 * /mid-conversation-system-messages, and the migration guide of each model.
 */
export const familyRows: readonly Row[] = [
  { models: /claude-(instant|2|3)/, maxTokens: 4096, facts: { reasoning: 'none' } },
  { models: /claude-3-5/, maxTokens: 8192 },
  { models: /claude-3-7/, maxTokens: 64_000, facts: { reasoning: 'optional' } },
  { models: /claude-(opus|sonnet|haiku)-4/, maxTokens: 64_000 },
  { models: /claude-opus-4(-[01](?!\d)|-2\d|@|$)/, maxTokens: 32_000 },
  { models: /claude-(opus-4-[1-9]|(sonnet|haiku)-4-[5-9])(?!\d)/, sampling: 'one', ...structured },
  { models: /claude-(opus|sonnet)-4-[6-9](?!\d)/, maxTokens: 128_000, thinking: 'adaptive', prefill: false },
  { models: /claude-opus-4-[7-9](?!\d)/, sampling: 'none' },
  { models: /claude-opus-4-[89](?!\d)/, systemInside: true },
  // Everything since: thinking is adaptive and on unless it is switched off, sampling is fixed.
  {
    models: /claude-(\D+-([5-9]|\d\d)|mythos)/,
    maxTokens: 128_000,
    thinking: 'adaptive',
    off: 'disabled',
    sampling: 'none',
    prefill: false,
    systemInside: true,
    ...structured,
  },
  // What came with 5.1 and 5.5: thinking is bound to the conversation, tools cannot be forced. The migration guide of Haiku names
  // neither a ban on forced tools nor another way to switch thinking off.
  {
    models: /claude-[a-z]+-(5-[1-9]|[6-9])(?!\d)/,
    off: 'between_tools',
    boundThinking: true,
    facts: { forcedToolChoice: false },
  },
  { models: /claude-haiku-[5-9]/, off: 'disabled', facts: { forcedToolChoice: true } },
  { models: /claude-(fable|mythos|opus-(5-[1-9]|[6-9]))/, off: 'never', facts: { reasoning: 'always' } },
];

/** What is known of a model by its name: what is common, overlaid by every row that fits. */
export function familyOf(model: string): Family {
  return familyRows
    .filter(({ models }) => models.test(model))
    .reduce((known, row) => ({ ...known, ...row, facts: { ...known.facts, ...row.facts } }), common);
}

/** What a model can do as far as this package knows; the user's facts win. */
export function capabilitiesOf(family: Family, user?: Capabilities): Capabilities {
  const wire: Capabilities = {
    input: ['image', 'file'],
    toolOutputMedia: true,
    reasoningReplay: 'optional',
    serverState: [],
    hostedTools: hostedTypes,
    settings: [
      ...(family.sampling === 'none' ? [] : (['temperature', 'topP', 'topK'] as const)),
      'maxTokens',
      'stop',
      'toolChoice',
      'parallelToolCalls',
      ...(family.facts.reasoning === 'none' ? [] : (['reasoning'] as const)),
      'cache',
      'metadata',
      'serviceTier',
      'providerOptions',
    ],
  };
  return mergeCapabilities(wire, family.facts, user);
}
