import {
  defineModel,
  inputToItems,
  type Adaptation,
  type CallContext,
  type InputItem,
  type OutputItem,
  type Usage,
  UserError,
} from '@polyrun/core';
import { connector } from './connect.ts';
import type { AdapterOptions } from './options.ts';
import { codec, destinationOf, serverOf } from './provider.ts';
import { api } from './target.ts';
import { responsesTransport } from './transport.ts';

/** What `compact` takes beside the options of `openaiResponses`. */
export type CompactOptions = AdapterOptions & {
  /** Default: `defaultModel`. */
  model?: string;
  instructions?: string;
  /** Compacts what the server keeps behind this response, together with the items. */
  previousResponseId?: string;
  signal?: AbortSignal;
};
/** `items` take the place of the conversation: what the users said, and one item that only the server can read. */
export type Compacted = { items: readonly OutputItem[]; usage: Usage; adaptations: readonly Adaptation[] };

const fields: ReadonlySet<string> = new Set(['model', 'input', 'instructions', 'previous_response_id']);

/**
 * Shortens a conversation at the server: what comes back is the input of the next run on the same provider. Rejects with a
 * `ModelError`. Source: https://platform.openai.com/docs/guides/compaction
 */
export async function compact(input: string | readonly InputItem[], options: CompactOptions): Promise<Compacted> {
  const { model: name = options.defaultModel, instructions, previousResponseId, signal } = options;
  if (name === undefined) throw new UserError("compact model: none was named. Name one, such as 'gpt-5.6'.");
  const destination = destinationOf(name, options);
  const responses = codec(destination);
  const model = defineModel(
    { provider: destination.provider, api, name, capabilities: destination.capabilities },
    {
      ...responses,
      encode(request, capabilities) {
        const { body, adaptations } = responses.encode(request, capabilities);
        return { body: Object.fromEntries(Object.entries(body).filter(([field]) => fields.has(field))), adaptations };
      },
    },
    responsesTransport({ destination, path: '/responses/compact', connect: connector(options, serverOf(options)) }),
  );
  const call: CallContext = signal ? { signal } : {};
  const { output, usage, adaptations } = await model.getResponse(
    {
      input: inputToItems(input),
      tools: [],
      settings: {},
      ...(instructions !== undefined && { instructions }),
      ...(previousResponseId !== undefined && { previousResponseId }),
    },
    call,
  );
  return { items: output, usage, adaptations };
}
