/** What takes the place of one gap of a new adapter: `from` to the end of its statement. */
type Filling = { readonly file: string; readonly gap: RegExp; readonly code: string };

/** A small wire, as somebody would write it into a new adapter: one entry for each `todo`, and the grammar. */
export const fillings: readonly Filling[] = [
  filling('src/encode.ts', 'functionTool', 'return { name, about: description, takes: parameters };'),
  filling('src/messages.ts', 'systemMessage', "return { who: 'rules', text };"),
  filling('src/messages.ts', 'userMessage', "return { who: 'user', text };"),
  filling('src/messages.ts', 'assistantMessage', "return { who: 'model', text: texts.join('\\n'), calls };"),
  filling('src/messages.ts', 'outputMessage', "return { who: 'tool', callId, text };"),
  filling(
    'src/decode.ts',
    'toldBy',
    `const { id, model, text, calls, used, stop } = Object(data);
     if (!Array.isArray(calls)) return undefined;
     return { id, model, text, calls, usage: { inputTokens: used.in, outputTokens: used.out }, stop };`,
  ),
  filling(
    'src/accumulate.ts',
    'add',
    `const { text, at, call, piece, end } = Object(data);
     const calls = Object((this.#data['calls'] ??= []));
     Object.assign(this.#data, { text: [this.#data['text'], text].join('') }, end);
     this.#ended ||= end !== undefined;
     if (text !== undefined) return this.#events.text(text);
     if (call !== undefined) calls[at] = { ...call, arguments: '' };
     if (call !== undefined) return this.#events.call(at, { callId: call.id, name: call.name });
     if (piece === undefined) return [];
     calls[at].arguments += piece;
     return this.#events.callArguments(at, piece);`,
  ),
  {
    file: 'test/grammar.ts',
    gap: /return \[[\s\S]*?\];/,
    code: `const { messages } = Object(_body);
           const calls = messages.flatMap((message: { calls?: object[] }) => message.calls ?? []);
           const answers = messages.filter(({ who }: { who: string }) => who === 'tool');
           return calls.length === answers.length ? [] : ['calls without answers'];`,
  },
];

/** Answers on that wire. */
export function fixtures(): { [name: string]: object } {
  const weather = { id: 'call_1', name: 'weather', arguments: '{"city":"Oslo"}' };
  const time = { id: 'call_2', name: 'time', arguments: '{}' };
  const refusal = { status: 429, body: { error: { message: 'Slow down, please.' } } };
  const expected = { error: { kind: 'rate_limit', message: 'Slow down, please.' } };
  return {
    text: cassette('Grüße aus 東京', []),
    call: cassette('', [weather]),
    'parallel-calls': cassette('Looking.', [weather, time]),
    error: { exchanges: [{ streaming: false, response: refusal, expected }] },
  };
}

function filling(file: string, name: string, code: string): Filling {
  return { file, gap: new RegExp(`return todo\\(\\s*'${file}, ${name}:[^;]*;`), code };
}

type Call = { readonly id: string; readonly name: string; readonly arguments: string };

/** The same answer, unstreamed and streamed. */
function cassette(text: string, calls: readonly Call[]): object {
  const end = { id: 'answer_1', model: 'small-1', used: { in: 12, out: 8 }, stop: 'done' };
  const said = text === '' ? [] : [{ text: text.slice(0, 3) }, { text: text.slice(3) }];
  const called = calls.flatMap(({ arguments: args, ...call }, at) => [
    { at, call },
    { at, piece: args.slice(0, 1) },
    { at, piece: args.slice(1) },
  ]);
  const sse = [...said, ...called, { end }].map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
  const toolCalls = calls.map(({ id, name, arguments: args }) => ({ name, arguments: JSON.parse(args), callId: id }));
  const expected = { text, toolCalls, usage: { inputTokens: 12, outputTokens: 8 }, responseId: 'answer_1' };
  return {
    model: 'small',
    exchanges: [
      { streaming: false, response: { status: 200, body: { ...end, text, calls } }, expected },
      { streaming: true, sameAs: 0, response: { status: 200, sse }, expected },
    ],
  };
}
