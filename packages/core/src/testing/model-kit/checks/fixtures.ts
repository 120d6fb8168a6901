import { ModelError } from '../../../errors.ts';
import type { OutputItem } from '../../../protocol/items.ts';
import { parseJson } from '../../../protocol/json.ts';
import type { ModelResponse } from '../../../protocol/response.ts';
import type { Usage } from '../../../protocol/usage.ts';
import { canonical } from '../../compare.ts';
import type { Expected, Recorded } from '../cassettes.ts';
import { isAnswer, plainest, plainStream, type ModelCheck, type Subject } from '../kit.ts';
import { inTurn, nameOf, shown, streamed, whole } from '../play.ts';

const beyondASCII = /[^\0-\x7f]/;

export const fixtureChecks: readonly ModelCheck[] = [
  {
    id: 'fixtures',
    title: 'the fixtures hold what the other checks need',
    advice:
      'Add the missing answers to the folder of fixtures, recorded or written by hand after the documentation of the provider.',
    idle: ({ recorded }) => (recorded.length === 0 ? 'there are none' : undefined),
    early: true,
    run: async ({ subject }) => missingFixtures(subject),
  },
  {
    id: 'reading',
    title: "every fixture is read as its 'expected' says",
    advice: "Correct how replies are read (`decode`), or 'expected' where the fixture is wrong.",
    idle: ({ recorded }) => (recorded.length === 0 ? 'there are no fixtures' : undefined),
    early: true,
    run: async (kit) =>
      (
        await inTurn(kit.subject.recorded, async (recorded) => {
          const { model } = kit.replay(recorded);
          const { response, error } = await (recorded.streaming ? streamed(model) : whole(model));
          const problems = response ? responseProblems(response, recorded.expected) : errorProblems(error, recorded);
          return problems.map((problem) => `${recorded.name}: ${problem}`);
        })
      ).flat(),
  },
];

function missingFixtures({ recorded, capabilities }: Subject): string[] {
  const streams = recorded.filter((each) => each.streaming && isAnswer(each));
  const wants = (missing: boolean, what: string) => (missing ? [`expected ${what}, got none`] : []);
  const calls =
    (least: number) =>
    ({ expected }: Recorded) =>
      (expected.toolCalls?.length ?? 0) >= least;
  const streaming = capabilities.streaming !== false;
  const tools = capabilities.tools !== false;
  return [
    ...wants(!plainest(recorded), "an unstreamed plain text ('expected.text', no calls)"),
    ...wants(streaming && !plainStream(recorded), 'a streamed plain text'),
    ...wants(
      streaming && !streams.some(({ sameAs }) => sameAs !== undefined),
      "a stream with 'sameAs': the same answer unstreamed",
    ),
    ...wants(
      streaming && !streams.some(({ response }) => beyondASCII.test(response.sse ?? '')),
      'a stream with characters beyond ASCII',
    ),
    ...wants(tools && !recorded.some(calls(1)), "a function call ('expected.toolCalls')"),
    ...wants(tools && streaming && !streams.some(calls(1)), 'a streamed function call'),
    ...wants(
      tools && streaming && capabilities.parallelToolCalls !== false && !streams.some(calls(2)),
      'two function calls in one stream',
    ),
    ...wants(
      !recorded.some(({ expected }) => expected.error !== undefined),
      "an error of the provider ('expected.error')",
    ),
  ];
}

function errorProblems(error: unknown, { expected, response }: Recorded): string[] {
  if (!(error instanceof ModelError)) return [`expected an answer or a ModelError, got ${nameOf(error)}`];
  if (expected.malformed === true)
    return error.kind === 'protocol' ? [] : [`expected a ModelError 'protocol', got ${nameOf(error)}`];
  if (!expected.error) return [`expected an answer, got ${nameOf(error)}`];
  const { kind, message } = expected.error;
  return [
    ...(kind === undefined || kind === error.kind ? [] : [`expected a ModelError '${kind}', got ${nameOf(error)}`]),
    ...(response.status === 200 || response.status === error.status
      ? []
      : [`expected status ${response.status} on the error, got ${error.status}`]),
    ...(message === undefined || error.message.includes(message.slice(0, 30))
      ? []
      : [`expected the provider's words '${message}', got '${error.message}'`]),
  ];
}

function responseProblems(response: ModelResponse, expected: Expected): string[] {
  if (expected.error || expected.malformed === true)
    return [`expected a ModelError, got an answer: ${shown(response.output)}`];
  const { output, stop } = response;
  return [
    ...differs('text', textIn(output, 'text'), expected.text),
    ...differs('refusal', textIn(output, 'refusal'), expected.refusal === null ? '' : expected.refusal),
    ...differs('reasoning', reasoningIn(output), expected.reasoningText ?? undefined),
    ...callProblems(output, expected.toolCalls),
    ...differs('stop', stop.type, expected.stop),
    ...differs('the raw word of the stop', stop.raw, expected.finishReason),
    ...differs('response id', response.id ?? null, expected.responseId),
    ...differs('model', response.model, expected.responseModel ?? undefined),
    ...usageProblems(response.usage, expected.usage),
  ];
}

function callProblems(output: readonly OutputItem[], wanted: Expected['toolCalls']): string[] {
  // Calls of custom tools have a text for an input, and may as well have been run by the provider.
  const custom = wanted?.some(({ type }) => type === 'custom') === true;
  const calls = output
    .filter(({ type }) => type === 'function_call' || (custom && type === 'custom_tool_call'))
    .map((item): { name?: string; arguments?: string; input?: string; call_id?: string } => Object(item));
  const told = calls.map(({ name, arguments: args, input = null }) => ({ name, args: plain(args ?? input) }));
  const ids = wanted?.map(({ callId }, index) => callId || calls[index]?.call_id);
  return [
    ...differs(
      'calls',
      told,
      wanted?.map(({ name, arguments: args }) => ({ name, args: plain(args) })),
    ),
    ...differs(
      'call ids',
      calls.map(({ call_id }) => call_id),
      ids,
    ),
  ];
}

function usageProblems(usage: Usage, expected: Expected['usage']): string[] {
  if (expected === undefined) return [];
  const { inputTokensDetails: input, outputTokensDetails: output } = usage;
  const told: { [count: string]: unknown } = {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    totalTokens: usage.totalTokens,
    cachedInputTokens: input.cachedTokens,
    cacheWriteTokens: input.cacheWriteTokens,
    reasoningTokens: output.reasoningTokens,
  };
  const counts = Object.entries(countsOf(expected ?? {}));
  return [
    ...counts.flatMap(([count, wanted]) => differs(`usage ${count}`, told[count], wanted)),
    ...differs('usage source', usage.source, expected === null ? 'estimated' : 'reported'),
  ];
}

function differs(what: string, got: unknown, wanted: unknown): string[] {
  if (wanted === undefined || canonical(got) === canonical(wanted)) return [];
  return [`expected ${what} ${shown(wanted)}, got ${shown(got)}`];
}

/** Counts that are told, cached tokens put into the input where a wire counts them apart. */
function countsOf({ cacheReadInputTokens, cacheCreationInputTokens, ...usage }: { readonly [count: string]: unknown }) {
  const [read, written] = [cacheReadInputTokens, cacheCreationInputTokens].map((count) =>
    typeof count === 'number' ? count : 0,
  );
  const apart = cacheReadInputTokens !== undefined || cacheCreationInputTokens !== undefined;
  const input = Number(usage['inputTokens']) + (read ?? 0) + (written ?? 0);
  const all = apart ? { ...usage, inputTokens: input, cachedInputTokens: read, cacheWriteTokens: written } : usage;
  return Object.fromEntries(Object.entries(all).filter(([, count]) => typeof count === 'number'));
}

function textIn(output: readonly OutputItem[], field: 'text' | 'refusal'): string {
  const messages = output.filter((item) => item.type === 'message');
  return messages
    .flatMap(({ content }): readonly object[] => (typeof content === 'string' ? [{ text: content }] : content))
    .map((part) => String(Reflect.get(part, field) ?? ''))
    .join('');
}

function reasoningIn(output: readonly OutputItem[]): string {
  const items = output.filter((item) => item.type === 'reasoning');
  return items.flatMap(({ summary, content = [] }) => [...summary, ...content].map(({ text }) => text)).join('');
}

/** Arguments as JSON, none being an empty object. */
function plain(args: unknown): unknown {
  if (args === null || args === '') return {};
  return typeof args === 'string' ? (parseJson(args) ?? args) : args;
}
