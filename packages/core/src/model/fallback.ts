import { misfit, ModelError, UserError } from '../errors.ts';
import type { ModelEvent } from '../protocol/events.ts';
import { isFields } from '../protocol/json.ts';
import type { ModelRequest } from '../protocol/request.ts';
import type { ModelErrorKind, ModelResponse } from '../protocol/response.ts';
import { addUsage, lostUsage, noUsage, type Usage } from '../protocol/usage.ts';
import type { Capabilities } from './capabilities.ts';
import type { CallContext, Candidate, Model } from './model.ts';
import { given } from './settings.ts';

/** A model of a `fallback`, alone or with the kinds of its failures after which the next one is tried. */
export type FallbackEntry = Model | { readonly model: Model; readonly on: readonly ModelErrorKind[] };

/**
 * A model that tries models in order. The next one is tried when one fails with `rate_limit`, `quota`, `overloaded`, `server`, `network`,
 * `timeout` or `not_found`, or with one of the kinds that stand beside it; what the failed one streamed is discarded
 * (`polyrun:attempt_discarded`). The last one's error is the error of all.
 *
 * In a run each model has deadlines of its own, and the next one is called at once, without backoff. The run's retries come when all have
 * failed: the last error decides, and they begin with the first model again. Conversations that a provider keeps
 * (`conversationId`, `previousResponseId`) are a `UserError`, for no other provider knows them.
 */
export function fallback(...models: readonly FallbackEntry[]): Model {
  const candidates = models.flatMap(candidatesOf);
  if (candidates.length === 0) throw new UserError('fallback: no model was given; give at least one.');
  const tried = candidates.map(({ model }) => model);
  return {
    provider: 'fallback',
    name: tried.map(({ provider, name }) => `${provider}/${name}`).join(', '),
    capabilities: sharedFacts(tried.map(({ capabilities }) => capabilities)),
    candidates,
    getResponse: (request, call = {}) => respond(candidates, request, call),
    streamResponse: (request, call = {}) => stream(candidates, request, call),
  };
}

/** Failures that the next model may not have. */
const passing: readonly ModelErrorKind[] = [
  'rate_limit',
  'quota',
  'overloaded',
  'server',
  'network',
  'timeout',
  'not_found',
];
const staying: readonly ModelErrorKind[] = [
  'auth',
  'invalid_request',
  'context_length',
  'content_filter',
  'aborted',
  'protocol',
  'unknown',
];

/** The models of one entry: those of a fallback inside a fallback stand in its place. */
function candidatesOf(entry: FallbackEntry, index: number): readonly Candidate[] {
  const field = `fallback models[${index}]`;
  const { model, on } = isChoice(entry) ? entry : { model: entry, on: passing };
  if (typeof model?.getResponse !== 'function') throw misfit(field, 'a model, or { model, on }', model);
  if (!Array.isArray(on)) throw misfit(`${field} on`, 'a list of kinds of failure', on);
  const known = [...passing, ...staying];
  const unknown = on.find((kind) => !known.includes(kind));
  if (unknown !== undefined)
    throw new UserError(`${field} on: '${unknown}' is no kind of failure; there are ${known.join(', ')}.`);
  const inner = model.candidates ?? [{ model, on }];
  return inner.map((each, at) => (at === inner.length - 1 ? { ...each, on } : each));
}

function isChoice(entry: FallbackEntry): entry is Exclude<FallbackEntry, Model> {
  return isFields(entry) && 'model' in entry && !('getResponse' in entry);
}

async function respond(
  candidates: readonly Candidate[],
  request: ModelRequest,
  call: CallContext,
): Promise<ModelResponse> {
  checkState(request);
  let spent = noUsage();
  let failure: unknown;
  for (const candidate of candidates) {
    try {
      return withSpent(await candidate.model.getResponse(request, call), spent);
    } catch (error) {
      failure = error;
      if (!passesOn(error, candidate, call)) break;
      spent = addUsage(spent, lostUsage(false));
    }
  }
  throw failure;
}

async function* stream(
  candidates: readonly Candidate[],
  request: ModelRequest,
  call: CallContext,
): AsyncGenerator<ModelEvent, void, undefined> {
  checkState(request);
  let spent = noUsage();
  let failure: unknown;
  for (const [index, candidate] of candidates.entries()) {
    let visible = false;
    try {
      for await (const event of candidate.model.streamResponse(request, call)) {
        visible = true;
        yield event.type === 'polyrun:response_done' ? { ...event, response: withSpent(event.response, spent) } : event;
      }
      return;
    } catch (error) {
      failure = error;
      if (!passesOn(error, candidate, call)) break;
      spent = addUsage(spent, lostUsage(visible));
      if (visible && index < candidates.length - 1) yield discarded(error, index + 1);
    }
  }
  throw failure;
}

function checkState({ conversationId, previousResponseId }: ModelRequest): void {
  if ((conversationId ?? previousResponseId) === undefined) return;
  throw new UserError(
    'conversationId, previousResponseId: models of a fallback keep no conversation in common; use a session instead.',
  );
}

function passesOn(error: unknown, { on }: Candidate, { signal }: CallContext): error is ModelError {
  return error instanceof ModelError && on.includes(error.kind) && signal?.aborted !== true;
}

/** Failed attempts count, too. */
function withSpent(response: ModelResponse, spent: Usage): ModelResponse {
  return spent.requests === 0 ? response : { ...response, usage: addUsage(spent, response.usage) };
}

function discarded({ kind, message }: ModelError, attempt: number): ModelEvent {
  return { type: 'polyrun:attempt_discarded', sequence_number: 0, attempt, error: { kind, message } };
}

/** What holds of whichever model answers; what they differ in is left open. Each request is fitted to the model that gets it. */
function sharedFacts(facts: readonly Capabilities[]): Capabilities {
  const unless = (key: 'tools' | 'parallelToolCalls' | 'forcedToolChoice' | 'streaming' | 'toolOutputMedia') =>
    facts.some(({ [key]: can }) => can === false) ? false : undefined;
  return {
    ...given({
      tools: unless('tools'),
      parallelToolCalls: unless('parallelToolCalls'),
      forcedToolChoice: unless('forcedToolChoice'),
      streaming: unless('streaming'),
      toolOutputMedia: unless('toolOutputMedia'),
      jsonMode: agreed(facts.map((each) => each.jsonMode)),
      structuredOutput: least(
        ['none', 'without_tools', 'with_tools'],
        facts.map((each) => each.structuredOutput),
      ),
      schemaDialect: least(
        ['basic', 'openai_strict', 'full'],
        facts.map((each) => each.schemaDialect),
      ),
      reasoning: agreed(facts.map((each) => each.reasoning)),
      reasoningReplay: agreed(facts.map((each) => each.reasoningReplay)),
      input: common(facts.map((each) => each.input)),
      hostedTools: common(facts.map((each) => each.hostedTools)),
      settings: common(facts.map((each) => each.settings)),
    }),
    serverState: [],
  };
}

function least<T>(order: readonly T[], values: readonly (T | undefined)[]): T | undefined {
  return order.find((value) => values.includes(value));
}

function agreed<T>(values: readonly T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined;
}

/** What stands in every list; a list that is not given holds everything. */
function common<T>(lists: readonly (readonly T[] | undefined)[]): readonly T[] | undefined {
  const [first, ...rest] = lists.filter((list) => list !== undefined);
  return first?.filter((entry) => rest.every((list) => list.includes(entry)));
}
