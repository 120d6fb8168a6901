import { mergeCapabilities, type Capabilities, type ModelSettings } from '@polyrun/core';
import type { JsonObject } from './wire.ts';

/** How the models of a family differ from each other on the wire, as data. */
export type Family = {
  /** Efforts that a model lacks, with the nearest one that it has. */
  readonly efforts: { readonly [effort: string]: string };
  /** What asks a model that has no efforts to reason. */
  readonly reasoningFields?: JsonObject;
};

/** What is known of some models. */
export type FamilyRow = { readonly models: RegExp; readonly facts?: Capabilities } & Partial<Family>;

/** What is true of every model: https://docs.mistral.ai/api/endpoint/chat */
const wire: Capabilities = {
  // The API answers "Cannot use json response type with tools" (3051).
  structuredOutput: 'without_tools',
  jsonMode: true,
  schemaDialect: 'full',
  reasoningReplay: 'optional',
  serverState: [],
  toolOutputMedia: false,
  settings: [
    'temperature',
    'topP',
    'maxTokens',
    'stop',
    'seed',
    'frequencyPenalty',
    'presencePenalty',
    'toolChoice',
    'parallelToolCalls',
    'reasoning',
    'metadata',
    'serviceTier',
    'providerOptions',
  ] satisfies (keyof ModelSettings)[],
};

/** High is the most that any model documents. */
const common: Family = { efforts: { max: 'high' } };

/** Every quirk of a family that this package knows, in one table. Rows overlay each other in order; a test holds a fixture for each. What no row says is permitted: the API is the authority. */
export const familyRows: readonly FamilyRow[] = [
  // https://docs.mistral.ai/capabilities/vision and /capabilities/document_ai/document_qna
  { models: /^(mistral|ministral|magistral|devstral|pixtral)-/, facts: { input: ['image', 'file'] } },
  { models: /^(codestral|open)-/, facts: { input: ['file'] } },
  // https://docs.mistral.ai/capabilities/audio_transcription: chat with audio.
  { models: /^voxtral-/, facts: { input: ['audio', 'file'] } },
  // https://docs.mistral.ai/capabilities/reasoning: which models reason; the others refuse `reasoning_effort` and thinking chunks.
  {
    models:
      /^((codestral|devstral|ministral|pixtral|voxtral|open)-|mistral-(tiny|nemo|saba)|mistral-(small|medium|large)-2[45]\d\d)/,
    facts: { reasoning: 'none', reasoningReplay: 'forbidden' },
  },
  // The same page, adjustable reasoning: `none` or `high`.
  {
    models: /^(mistral-small-(latest|2603|4)|mistral-medium-(3[.-]5|2604)|magistral-\w+-latest)/,
    efforts: { minimal: 'high', low: 'high', medium: 'high' },
    facts: { reasoning: 'optional' },
  },
  { models: /^mistral-large-4/, efforts: { minimal: 'low' }, facts: { reasoning: 'optional' } },
  // https://docs.mistral.ai/capabilities/reasoning/native: these always reason, as their default system prompt tells them.
  {
    models: /^magistral-\w+-25\d\d/,
    reasoningFields: { prompt_mode: 'reasoning' },
    facts: { reasoning: 'always' },
  },
];

function rowsFor(model: string): readonly FamilyRow[] {
  return familyRows.filter(({ models }) => models.test(model));
}

/** What is common, overlaid by every row that fits. */
export function familyOf(model: string): Family {
  const overlay = (known: Family, { efforts, reasoningFields }: FamilyRow): Family => ({
    efforts: { ...known.efforts, ...efforts },
    ...(reasoningFields && { reasoningFields }),
  });
  return rowsFor(model).reduce(overlay, common);
}

/** What a model can do as far as this package knows; the user's facts win. */
export function capabilitiesOf(model: string, hostedTools: readonly string[], user?: Capabilities): Capabilities {
  return mergeCapabilities(wire, { hostedTools }, ...rowsFor(model).map(({ facts }) => facts), user);
}
