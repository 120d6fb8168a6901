import { oncePerItem, type Adaptation, type Item, type ModelRequest } from '@polyrun/core';
import { given, overlaid, refuseServerState, reporter, type Report } from '@polyrun/core/http';
import { inputList } from './input.ts';
import { issuerOf, pieceOf, type Piece } from './pieces.ts';
import { cacheFields, reasoningField, settingFields } from './settings.ts';
import { api, type Destination } from './target.ts';
import { schemaOf, toolFields } from './tools.ts';
import type { Body, JsonObject } from './wire.ts';

type Encoded = { body: Body; adaptations: readonly Adaptation[] };
type At = Destination & { readonly report: Report };

/**
 * Makes the bodies of one model's requests. What the server cannot carry becomes an adaptation; hosted tools and server-held
 * conversations that it lacks are a `UserError`. An item is converted once: the next request converts only what is new.
 */
export function encoder(destination: Destination): (request: ModelRequest) => Encoded {
  const piece = oncePerItem((item: Item): Piece => pieceOf(item, destination));
  return (request) => {
    const { adaptations, report } = reporter();
    const at: At = { ...destination, report };
    const body = request.pausedResponseId === undefined ? asked(request, at, piece) : awaited(request, at);
    return { body, adaptations };
  };
}

function asked(request: ModelRequest, at: At, piece: (item: Item) => Piece): Body {
  const { instructions, input, settings } = request;
  if (at.capabilities.serverState) refuseServerState(request, at.provider, at.capabilities.serverState);
  // What the server is to go on from.
  const state = given({ conversation: request.conversationId, previous_response_id: request.previousResponseId });
  const options = settings.providerOptions?.[at.provider] ?? {};
  const delta = Object.keys(state).length > 0;
  // A response that is made in the background is looked after later, so it must be kept.
  const stored = settings.store ?? (delta || options['background'] === true);
  const pieces = input.map((item) => piece(item));
  const issuer = issuerOf({ provider: at.provider, api });
  const list = inputList(pieces, { ...at, issuer, delta, stored });
  const body: JsonObject = {
    model: at.model,
    input: list.length > 0 || delta || options['prompt'] ? list : [somethingToSay(at.report)],
    ...(instructions && { instructions }),
    ...toolFields(request, at),
    ...textField(request, at),
    ...reasoningField(settings.reasoning, at),
    ...settingFields(request, at),
    ...cacheFields(settings.cache, at),
    ...state,
    ...included(at),
    store: stored,
  };
  return overlaid(body, options);
}

/** What is asked of a response that is being made in the background. */
function awaited({ pausedResponseId = '', settings }: ModelRequest, at: At): Body {
  const { include = [] } = settings.providerOptions?.[at.provider] ?? {};
  return { ...overlaid(included(at), { include }), response_id: pausedResponseId };
}

/** Reasoning in its encrypted form: only so can it go back to a server that keeps nothing. */
function included({ dialect, capabilities }: At): JsonObject {
  const asked = dialect.encryptedReasoning && capabilities.reasoning !== 'none';
  return asked ? { include: ['reasoning.encrypted_content'] } : {};
}

/** The API refuses a request without any input. */
function somethingToSay(report: Report): JsonObject {
  report('added_message', 'user', 'nothing of the conversation can be sent');
  return { type: 'message', role: 'user', content: 'Continue.' };
}

function textField({ output, settings }: ModelRequest, { report, capabilities }: At): JsonObject {
  const { verbosity } = settings;
  const heard = verbosity !== undefined && capabilities.settings?.includes('verbosity') !== false;
  const format = output && outputFormat(output, report);
  return format || heard ? { text: { ...(format && { format }), ...(heard && { verbosity }) } } : {};
}

/** https://platform.openai.com/docs/guides/structured-outputs; any JSON object where that is all that is asked. */
function outputFormat({ name, schema, strict }: NonNullable<ModelRequest['output']>, report: Report): JsonObject {
  if (schema === true) return { type: 'json_object' };
  const legal = name.replace(/[^\w-]/g, '_').slice(0, 64);
  return { type: 'json_schema', name: legal, ...schemaOf(name, schema, strict ? report : undefined) };
}
