import {
  contentText,
  defineModel,
  isFields,
  ModelError,
  parseJson,
  ResponseEvents,
  usageOf,
  UserError,
  wireIds,
  type Adaptation,
  type Capabilities,
  type Codec,
  type InputPart,
  type Item,
  type Model,
  type ModelEvent,
  type ModelRequest,
  type OutputItem,
  type StopType,
} from '../../src/index.ts';
import {
  callError,
  errorInReply,
  given,
  headerReader,
  notAReply,
  redactor,
  requestIdIn,
  serverEvents,
  type Redact,
} from '../../src/http/index.ts';

type Fields = { [field: string]: unknown };
export type Turn = { who: string; parts?: Fields[]; [field: string]: unknown };
export type Body = { model: string; turns: Turn[]; [field: string]: unknown };
export type Reply = { data: Fields; requestId?: string };
type AcmeCodec = Codec<Body, Reply, Reply>;
type Encoded = { body: Body; adaptations: readonly Adaptation[] };
type Decoded = ReturnType<AcmeCodec['decode']>;
type Accumulating = { add: (chunk: Reply) => readonly ModelEvent[]; end: () => Reply };

/** What the adapter is made of, so that a test may replace a part by a wrong one. */
export type Parts = {
  encode: (request: ModelRequest) => Encoded;
  decode: (reply: Reply) => Decoded;
  accumulate: () => Accumulating;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  lines: (body: ReadableStream<Uint8Array>) => AsyncGenerator<string>;
  redact: Redact | undefined;
  errorIn: typeof errorInReply;
  toError: (error: unknown) => ModelError;
  capabilities: Capabilities;
};
export type Address = { baseURL: string; modelName?: string };

const key = 'acme-key-0123456789';

/** An adapter for a small made-up wire: sound, but for the parts that are replaced. */
export function acme(
  { baseURL, modelName = 'acme-1' }: Address,
  change: (parts: Parts) => Partial<Parts> = () => ({}),
): Model {
  const sound: Parts = {
    encode: (request) => encode(request, modelName),
    decode,
    accumulate,
    fetch,
    lines: dataOf,
    redact: undefined,
    errorIn: errorInReply,
    toError: (error) => callError(error, { provider: 'acme', redact: redactor() }),
    capabilities: {
      input: ['image'],
      toolOutputMedia: false,
      hostedTools: [],
      serverState: ['previous_response'],
      settings: ['temperature', 'maxTokens', 'stop', 'toolChoice', 'providerOptions'],
    },
  };
  const parts = { ...sound, ...change(sound) };

  async function post(path: string, body: Body, signal: AbortSignal | undefined): Promise<Response> {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const init = { method: 'POST', headers, body: JSON.stringify(body), ...given({ signal }) };
    const response = await parts.fetch(`${baseURL}${path}`, init);
    if (response.ok) return response;
    const text = await response.text();
    const error = {
      status: response.status,
      error: Object(parseJson(text)).error,
      headers: response.headers,
      message: text,
    };
    throw callError(error, { provider: 'acme', redact: parts.redact ?? redactor([key], body) });
  }

  function read(text: string, body: Body, streamed: boolean): Fields {
    const data = parseJson(text);
    const failure = parts.errorIn(data, { provider: 'acme', redact: redactor([key], body) });
    if (failure) throw failure;
    if (!isFields(data)) throw notAReply('no JSON object', undefined, streamed);
    return data;
  }

  return defineModel<Body, Reply, Reply>(
    { provider: 'acme', api: 'acme-wire', name: modelName, capabilities: parts.capabilities },
    parts,
    {
      async send(body, { signal }) {
        const response = await post('/answer', body, signal);
        const requestId = requestIdIn(headerReader(response.headers));
        return { data: read(await response.text(), body, false), ...given({ requestId }) };
      },
      async *open(body, { signal }) {
        const response = await post('/stream', body, signal);
        const requestId = requestIdIn(headerReader(response.headers));
        if (!response.body) throw notAReply('no body', requestId);
        for await (const line of parts.lines(response.body))
          yield { data: read(line, body, true), ...given({ requestId }) };
      },
      toError: (error) => parts.toError(error),
    },
  );
}

async function* dataOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  for await (const { data } of serverEvents(body)) yield data;
}

const names: { readonly [setting: string]: string } = {
  temperature: 'heat',
  maxTokens: 'limit',
  stop: 'halt',
  toolChoice: 'tool',
};

function encode(request: ModelRequest, model: string): Encoded {
  const adaptations: Adaptation[] = [];
  const report: Report = (type, name) => void adaptations.push({ type, name, detail: 'this wire has no place for it' });
  const { conversationId, previousResponseId, tools, output, instructions = '' } = request;
  if (conversationId !== undefined) throw new UserError('conversationId: acme has no conversations.');
  const hosted = tools.find(({ type }) => type !== 'function');
  if (hosted) throw new UserError(`tools: acme has no '${hosted.type}'.`);
  const settings: Fields = {};
  for (const [name, value] of Object.entries(request.settings)) {
    if (names[name] !== undefined) settings[names[name]] = value;
    else if (name !== 'providerOptions') report('unsupported_setting', name);
  }
  const body = {
    model,
    system: instructions,
    turns: turnsOf(request.input, report),
    tools,
    ...(output && { format: output.schema }),
    ...given({ after: previousResponseId }),
    ...settings,
    ...request.settings.providerOptions?.['acme'],
  };
  return { body, adaptations };
}

type Report = (type: Adaptation['type'], name: string) => void;

function turnsOf(input: readonly Item[], report: Report): Turn[] {
  const wireId = wireIds({ legal: /^[\w-]{1,32}$/, length: 12, prefix: 'c' });
  return input.flatMap((item): Turn[] => {
    if (item.type === 'message') return [{ who: item.role, parts: partsOf(item.content as string, report) }];
    if (item.type === 'function_call') {
      const {
        call_id,
        name,
        arguments: args,
      } = item as OutputItem & { call_id: string; name: string; arguments: string };
      return [{ who: 'assistant', call: { id: wireId(call_id), name, args: args || '{}' } }];
    }
    if (item.type === 'function_call_output') {
      const { call_id, output } = item as Item & { call_id: string; output: string | InputPart[] };
      if (typeof output !== 'string' && output.some(({ type }) => type !== 'input_text'))
        report('dropped_item', 'function_call_output');
      return [{ who: 'tool', answers: wireId(call_id), parts: [{ text: contentText(output) || '(none)' }] }];
    }
    const seal = (item.provider_data?.['acme'] as Fields | undefined)?.['seal'];
    if (item.type === 'reasoning' && seal !== undefined) return [{ who: 'assistant', seal }];
    report('dropped_item', item.type);
    return [];
  });
}

function partsOf(content: string | readonly InputPart[], report: Report): Fields[] {
  if (typeof content === 'string') return [{ text: content }];
  return content.map((part) => {
    if (part.type === 'input_image') return { image: part.image_url };
    const text = contentText([part]);
    if (text === '') report('dropped_item', part.type);
    return { text: text || '(left out)' };
  });
}

const stops: { readonly [word: string]: StopType } = { done: 'end', calls: 'tool_calls', cut: 'length' };

function decode({ data, requestId }: Reply): Decoded {
  const { id, model, refusal, stop } = data as { [field: string]: string };
  const { usage, calls } = data as { usage?: { in: number; out: number; cached: number }; calls?: Call[] };
  if (!calls) throw notAReply('no calls', requestId);
  return {
    ...given({ id, requestId }),
    model: model ?? 'acme-1',
    output: [...said(data as { [field: string]: string }), ...calls.map(called)],
    usage: usageOf({
      inputTokens: usage && usage.in + usage.cached,
      outputTokens: usage?.out,
      cachedTokens: usage?.cached,
    }),
    stop: { type: refusal ? 'refusal' : (stops[stop ?? ''] ?? 'other'), raw: stop ?? null },
  };
}

type Call = { id: string; name: string; args: string };

function called({ id: call_id, name, args }: Call): OutputItem {
  return { type: 'function_call', status: 'completed', call_id, name, arguments: args };
}

function said({ text, thoughts, seal, refusal }: { [field: string]: string }): OutputItem[] {
  const output: OutputItem[] = [];
  if (thoughts)
    output.push({
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: thoughts }],
      ...(seal && { provider_data: { acme: { seal } } }),
    });
  if (text)
    output.push({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] });
  if (refusal) output.push({ type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal }] });
  return output;
}

function accumulate(): Accumulating {
  const events = new ResponseEvents();
  const calls: Call[] = [];
  const reply: Reply = { data: { text: '', thoughts: '', seal: '', calls } };
  const append = (field: string, text: string) => void (reply.data[field] = `${String(reply.data[field])}${text}`);
  const add = ({ data, requestId }: Reply): readonly ModelEvent[] => {
    const { t, v, n, id, name, ...rest } = data as Fields & {
      t: string;
      v: string;
      n: number;
      id: string;
      name: string;
    };
    Object.assign(reply, given({ requestId }));
    switch (t) {
      case 'start':
        Object.assign(reply.data, { id, model: rest['model'] });
        return [];
      case 'text':
        append('text', v);
        return events.text(v);
      case 'thought':
        append('thoughts', v);
        return events.reasoning(v);
      case 'seal':
        append('seal', v);
        return [];
      case 'call':
        calls[n] = { id, name, args: '' };
        return events.call(n, { callId: id, name });
      case 'args':
        if (calls[n]) calls[n].args += v;
        return events.callArguments(n, v);
      case 'end':
        Object.assign(reply.data, { stop: rest['stop'], usage: rest['usage'] });
        return [];
      default:
        return [];
    }
  };
  const end = () => {
    if (reply.data['stop'] !== undefined) return reply;
    throw new ModelError({ kind: 'protocol', message: 'The stream ended early.', retryable: true });
  };
  return { add, end };
}
