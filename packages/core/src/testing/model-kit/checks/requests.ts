import { UserError } from '../../../errors.ts';
import type { ModelRequest, ToolSpec } from '../../../protocol/request.ts';
import { canonical } from '../../compare.ts';
import { needsAnswer, needsStream, plainStream, reported, type Kit, type ModelCheck, type Sent } from '../kit.ts';
import { damagedLog, seeded } from '../logs.ts';
import { apart, hello, nameOf, shown, streamed } from '../play.ts';
import { textsIn } from '../wire-ids.ts';
import { probeTool } from './settings.ts';

export const requestChecks: readonly ModelCheck[] = [
  {
    id: 'frozen',
    title: 'the request is read only: frozen all the way down it works, and it is the same afterwards',
    advice: 'Copy before you change: the items of the request are those of the log, which other requests share.',
    idle: needsAnswer,
    run: frozenProblems,
  },
  {
    id: 'instructions',
    title: 'instructions reach the wire',
    advice:
      "Send `request.instructions` where the wire has a place for them: a system message, a field 'system' or 'instructions'.",
    idle: needsAnswer,
    run: async (kit) => {
      const { text } = await kit.sent({ instructions: 'Kit instructions.' });
      return text.includes('Kit instructions.') ? [] : ['expected the instructions in the body, got none'];
    },
  },
  {
    id: 'tools',
    title: 'function tools reach the wire with name, description and schema',
    advice: 'Send every tool of type function with its name, description and parameters.',
    idle: (subject) => (subject.capabilities.tools === false ? 'the model has no tools' : needsAnswer(subject)),
    run: async (kit) => {
      const { body } = await kit.sent({ tools: [probeTool] });
      const texts = [...textsIn(body), ...keysIn(body)].join('\n');
      const wanted = ['probe', 'Tool description of the probe.', 'probe_field', 'Field description of the probe.'];
      return wanted
        .filter((word) => !texts.includes(word))
        .map((word) => `expected '${word}' of a tool in the body, got none`);
    },
  },
  {
    id: 'no-tools',
    title: 'a model without tools refuses them or reports that they are left out',
    advice:
      'Throw a UserError that names the tool, or report an adaptation: a tool that is silently left out is never called.',
    idle: (subject) => (subject.capabilities.tools === false ? needsAnswer(subject) : 'the model has tools'),
    run: async (kit) => refusedOrReported(await kit.send({ tools: [probeTool] }), 'a tool', ['probe', 'tools']),
  },
  {
    id: 'hosted-tools',
    title: 'a hosted tool that the provider lacks is a UserError before any request',
    advice: 'Throw a UserError that names the tool unless `capabilities.hostedTools` lists it.',
    idle: ({ capabilities }) =>
      capabilities.hostedTools === undefined ? 'capabilities.hostedTools is not given' : undefined,
    early: true,
    run: async (kit) =>
      refused(await kit.send({ tools: [{ type: 'kit:hosted_tool' }] }), "the hosted tool 'kit:hosted_tool'"),
  },
  {
    id: 'output',
    title: 'the schema of the answer reaches the wire, as a native format or in words',
    advice:
      'Send `request.output` as the wire spells structured output; without one put the schema into the instructions and report `output_strategy`.',
    idle: needsAnswer,
    run: outputProblems,
  },
  {
    id: 'server-state',
    title:
      'conversationId and previousResponseId are sent where the provider holds conversations, else a UserError before any request',
    advice:
      'Throw a UserError that names the field unless `capabilities.serverState` lists it, and send it when it does.',
    run: async (kit) => [
      ...(await stateProblems(kit, 'conversation', 'conversationId')),
      ...(await stateProblems(kit, 'previous_response', 'previousResponseId')),
    ],
  },
  {
    id: 'tap',
    title: 'onWire sees the request before it is sent, then the response or each chunk',
    advice: "Call `onWire` with kind 'request', then 'response' or 'chunk' (`defineModel` does).",
    idle: needsStream,
    run: tapProblems,
  },
];

function keysIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return [...(Array.isArray(value) ? [] : Object.keys(value)), ...Object.values(value).flatMap(keysIn)];
}

async function frozenProblems(kit: Kit): Promise<string[]> {
  const tools: ToolSpec[] = kit.subject.capabilities.tools === false ? [] : [probeTool];
  const requests: ModelRequest[] = [1, 2, 3].map((seed) => ({
    input: damagedLog(seeded(seed)),
    tools,
    settings: { metadata: { a: 'b' } },
  }));
  const problems: string[] = [];
  for (const request of requests) {
    const before = canonical(request);
    const { response, error } = await kit.send(frozen(request));
    if (!response) problems.push(`expected an answer to a frozen request, got ${nameOf(error)}`);
    const loose = structuredClone(request);
    await kit.send(loose);
    if (canonical(loose) !== before)
      problems.push(`expected the request to stay as it was: ${apart(canonical(loose), before)}`);
  }
  return problems;
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const entry of Object.values(value)) frozen(entry);
  }
  return value;
}

async function outputProblems(kit: Kit): Promise<string[]> {
  const schema = {
    type: 'object',
    properties: { kit_answer: { type: 'string' } },
    required: ['kit_answer'],
    additionalProperties: false,
  };
  const sent = await kit.sent({ output: { name: 'kit_output', schema, strict: true } });
  const here = sent.text.includes('kit_answer') ? [] : ['expected the schema of the answer in the body, got none'];
  const prompted =
    kit.subject.capabilities.structuredOutput === 'none' && !reported(sent.response, ['output_strategy']);
  return prompted
    ? [...here, "expected an adaptation 'output_strategy', because capabilities.structuredOutput is none, got no such"]
    : here;
}

async function stateProblems(
  kit: Kit,
  state: 'conversation' | 'previous_response',
  field: 'conversationId' | 'previousResponseId',
): Promise<string[]> {
  const declared = kit.subject.capabilities.serverState?.includes(state);
  const sent = await kit.send({ [field]: 'kit_state_123' });
  const undeclared = declared === undefined && sent.error instanceof UserError;
  if (declared === false || undeclared) return refused(sent, field);
  return sent.text.includes('kit_state_123')
    ? []
    : [`expected ${field} in the body or a UserError that names it, got ${nameOf(sent.error)}`];
}

function refused({ error, received }: Sent, what: string): string[] {
  if (!(error instanceof UserError)) return [`expected a UserError for ${what}, got ${nameOf(error)}`];
  return received.length === 0 ? [] : [`expected the UserError for ${what} before any request, got ${received.length}`];
}

function refusedOrReported(sent: Sent, what: string, names: readonly string[]): string[] {
  return sent.response && reported(sent.response, [...names, 'unsupported_setting']) ? [] : refused(sent, what);
}

async function tapProblems(kit: Kit): Promise<string[]> {
  const whole: string[] = [];
  const sent = await kit.sent({}, { onWire: ({ kind }) => void whole.push(kind) });
  const stream = plainStream(kit.subject.recorded);
  const chunks: string[] = [];
  let body: unknown;
  if (stream) {
    const onWire = ({ kind, data }: { kind: string; data: unknown }) => {
      chunks.push(kind);
      if (kind === 'request') body = data;
    };
    await streamed(kit.replay(stream).model, { request: hello, call: { onWire } });
  }
  const kinds = chunks.filter((kind, index) => kind !== 'chunk' || chunks[index - 1] !== 'chunk');
  return [
    ...(canonical(whole) === canonical(['request', 'response'])
      ? []
      : [`expected request, response on the tap of getResponse, got ${shown(whole)}`]),
    ...(canonical(kinds) === canonical(['request', 'chunk'])
      ? []
      : [`expected request, then chunks on the tap of streamResponse, got ${shown(kinds)}`]),
    ...(canonical(body).includes('Hello') || sent.text === ''
      ? []
      : [`expected the body on the tap, got ${shown(body)}`]),
  ];
}
