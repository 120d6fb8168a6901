import {
  Agent,
  jsonSchema,
  tool,
  type CallContext,
  type Model,
  type ModelRequest,
  type ModelResponse,
} from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { witnessed } from '@polyrun/wires/witness';

/** What the model says, turn by turn: calls of tools, or the final text. It is the input of a run, as JSON. */
export type Script = readonly (
  | string
  | readonly { readonly tool: string; readonly id: string; readonly name?: string; readonly input?: string }[]
)[];

/** The effects of a scripted run: what the model calls with `name` is what the witness sees. */
export function script(...turns: Script): string {
  return JSON.stringify(turns);
}

const named = jsonSchema<{ name?: string; input?: string }>({
  type: 'object',
  properties: { name: { type: 'string' }, input: { type: 'string' } },
});

/** An agent whose model and tools tell the witness what they do. */
export function assistant(witnessUrl: string, extra: readonly string[] = []): Agent {
  const work = (name: string, needsApproval = false) =>
    tool({
      name,
      description: `Does ${name}.`,
      parameters: named,
      needsApproval,
      execute: ({ name: seen = name }, { idempotencyKey: key, signal }) =>
        witnessed(witnessUrl, { key, name: seen, signal }, () => `${seen} done`),
    });
  const model = scriptedByInput(witnessUrl);
  const inner = new Agent({ name: 'inner', model, tools: [work('work'), work('pay', true)] });
  return new Agent({
    name: 'assistant',
    model,
    tools: [
      work('work'),
      work('pay', true),
      inner.asTool({ toolName: 'ask_inner', toolDescription: 'Asks the inner agent.' }),
      ...extra.map((name) => work(name)),
    ],
  });
}

/** A model that says what its first message scripts, and keeps no state: any process answers the same. */
function scriptedByInput(witnessUrl: string): Model {
  const scripted = async ({ input }: ModelRequest, { idempotencyKey }: CallContext) => {
    const turns = scriptIn(input);
    const called = new Set(input.flatMap((item) => (item.type === 'function_call' ? [item.call_id] : [])));
    const turn = turns.find((each) => typeof each === 'string' || each.some(({ id }) => !called.has(id))) ?? 'no turn';
    const said = typeof turn === 'string' ? turn : turn.map(({ tool: name, id, ...args }) => call(name, args, id));
    await witnessed(witnessUrl, { key: idempotencyKey ?? '', name: 'model' }, () => undefined);
    return new ScriptedModel([said]);
  };
  return {
    provider: 'scripted',
    name: 'by-input',
    capabilities: {},
    getResponse: async (request, context = {}): Promise<ModelResponse> =>
      (await scripted(request, context)).getResponse(request),
    async *streamResponse(request, context = {}) {
      yield* (await scripted(request, context)).streamResponse(request);
    },
  };
}

function scriptIn(input: ModelRequest['input']): Script {
  const message = input.find((item) => item.type === 'message');
  const text = message && 'content' in message ? message.content : undefined;
  const words = typeof text === 'string' ? text : JSON.stringify(text);
  return JSON.parse(words) as Script;
}
