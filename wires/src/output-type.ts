import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, jsonSchema, Runner, tool, type ModelProvider, type ModelSettings } from '@polyrun/core';

/** What a model goes by when it is asked: how many tool answers it has, which tools there are, whether its answer must have a format. */
export type Turn = {
  readonly answers: number;
  readonly tools: readonly string[];
  readonly formatted: boolean;
  readonly streamed: boolean;
};
/** What it says: text, or a call of a tool. */
export type Said = { readonly text: string } | { readonly name: string; readonly args: object };
/** How a wire spells that: as JSON, or as the events of a stream. */
export type Spelled = { readonly json: unknown } | { readonly events: readonly unknown[]; readonly done?: boolean };
export type Wire = {
  read(body: { readonly [field: string]: unknown }): Turn;
  write(said: Said, turn: Turn): Spelled;
};

const report = { city: 'Rome', degrees: 31 };

/** A model that uses both tools of the agent, then answers: by the output tool where there is one. */
export function diligent({ answers, tools }: Turn): Said {
  const next = ['place', 'weather'][answers];
  if (next !== undefined && tools.includes(next)) return { name: next, args: {} };
  if (tools.includes('final_output')) return { name: 'final_output', args: report };
  return { text: JSON.stringify(report) };
}

/** The same behind a server whose grammar holds from the first token on: with a format it can only write JSON, and makes it up. */
export function eager(turn: Turn): Said {
  return turn.formatted ? { text: '{"city":"Nowhere","degrees":0}' } : diligent(turn);
}

/** Runs an agent with two tools and an output type against a model behind a wire, over HTTP. */
export async function askForReport(asked: {
  wire: Wire;
  model: (turn: Turn) => Said;
  providerAt: (baseURL: string) => ModelProvider;
  streamed: boolean;
  modelSettings?: ModelSettings;
}) {
  const { wire, model, providerAt, streamed, modelSettings } = asked;
  const turns: Turn[] = [];
  const server = createServer((request, response) => {
    void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const turn = wire.read(await bodyOf(request));
    turns.push(turn);
    send(response, wire.write(model(turn), turn));
  };
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const ran: string[] = [];
  const agent = reporter(ran);
  const runConfig = { modelProvider: providerAt(`http://127.0.0.1:${port}`), modelSettings, retry: { maxRetries: 0 } };
  try {
    if (!streamed) return { ...outcome(await Runner.run(agent, 'Report.', { runConfig })), ran, turns, text: '' };
    const stream = Runner.runStreamed(agent, 'Report.', { runConfig });
    let text = '';
    for await (const event of stream)
      if (event.type === 'raw_response_event' && event.data.type === 'response.output_text.delta')
        text += event.data.delta;
    await stream.completed;
    return { ...outcome(stream), ran, turns, text };
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
  }
}

/** An agent with two tools, which note in `ran` that they ran, and an output type. */
export function reporter(ran: string[] = []) {
  const noted = (name: string, output: unknown) =>
    tool({
      name,
      description: `Tells the ${name}.`,
      parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
      execute: () => {
        ran.push(name);
        return output;
      },
    });
  const outputType = jsonSchema<typeof report>({
    type: 'object',
    properties: { city: { type: 'string' }, degrees: { type: 'number' } },
    required: ['city', 'degrees'],
    additionalProperties: false,
  });
  return new Agent({ name: 'Reporter', tools: [noted('place', 'Rome'), noted('weather', 31)], outputType });
}

type Ended = { finalOutput: unknown; adaptations: readonly { type: string; name: string }[] };

function outcome({ finalOutput, adaptations }: Ended) {
  const strategies = adaptations.filter(({ type }) => type === 'output_strategy').map(({ name }) => name);
  return { finalOutput, strategies, adaptations };
}

async function bodyOf(request: IncomingMessage): Promise<{ [field: string]: unknown }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as { [field: string]: unknown };
}

function send(response: ServerResponse, spelled: Spelled): void {
  if ('json' in spelled) {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(spelled.json));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const event of spelled.events) {
    const { type } = event as { type?: unknown };
    if (typeof type === 'string') response.write(`event: ${type}\n`);
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
  response.end(spelled.done ? 'data: [DONE]\n\n' : '');
}
