import {
  SessionBusyError,
  UserError,
  inputToItems,
  wireIds,
  type InputItem,
  type InputPart,
  type Item,
  type Session,
} from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { callError, fieldsOf, listOf, redactor, stringOf, without } from '@polyrun/core/http';
import { connector, type Connection } from './connect.ts';
import { inputList } from './input.ts';
import { itemIn } from './items.ts';
import type { AdapterOptions } from './options.ts';
import { isOwn, pieceOf } from './pieces.ts';
import { destinationOf, serverOf } from './provider.ts';
import type { Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

/** What an `OpenAIConversationsSession` takes beside address and key. */
export type ConversationsSessionOptions = AdapterOptions & {
  /** A conversation that is there already. Default: a new one, made when it is first needed. */
  conversationId?: string;
};

/** What we note on a conversation: how often it was changed, and the keys of the last writes. */
type Notes = { readonly metadata: Fields; readonly changes: number; readonly keys: readonly string[] };
type Call = { method: 'get' | 'post' | 'delete'; path: string; query?: object; body?: object };

/** The field of a conversation's metadata that holds our notes, and how many keys it has room for: 512 characters. */
const notesField = 'polyrun';
const mostKeys = 40;
/** The API takes so many items at once, and gives so many. */
const most = { added: 20, read: 100 } as const;
/** What is left out of a list unless it is asked for. */
const include: readonly string[] = [
  'reasoning.encrypted_content',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'file_search_call.results',
  'web_search_call.action.sources',
];

/**
 * A session that lives in OpenAI's Conversations API, where runs of other programs may go on with it by its `conversationId`. What that
 * API has no place for is not kept: who made an item, what other providers left for themselves, and their reasoning. Writers are told
 * apart by the version, which the API cannot check and write at once. Source: https://platform.openai.com/docs/api-reference/conversations
 */
export class OpenAIConversationsSession implements Session {
  readonly #destination: Destination;
  readonly #connect: () => Promise<Connection>;
  #conversation: Promise<string> | undefined;
  #sessionId: string;

  constructor({ conversationId, ...options }: ConversationsSessionOptions = {}) {
    if (conversationId === '') throw new UserError('conversationId: it is empty; leave it out for a new conversation.');
    this.#destination = destinationOf('', options);
    this.#connect = connector(options, serverOf(options));
    this.#sessionId = conversationId ?? '';
    if (conversationId !== undefined) this.#conversation = Promise.resolve(conversationId);
  }

  /** The id of the conversation; `''` until one is made. */
  get sessionId(): string {
    return this.#sessionId;
  }

  async read(limit?: number): Promise<{ items: Item[]; version: string }> {
    const notes = await this.#notes();
    const newest = await this.#list(limit === undefined ? Infinity : Math.max(limit, 1));
    const items = (limit === undefined ? newest : newest.slice(0, limit)).toReversed();
    return { items: items.map((item) => this.#itemOf(item)), version: versionOf(notes, newest) };
  }

  async addItems(
    items: readonly InputItem[],
    { key, ifVersion }: { key?: string; ifVersion?: string } = {},
  ): Promise<{ version: string }> {
    const notes = await this.#notes();
    const newest = await this.#list(1);
    const version = versionOf(notes, newest);
    const mark = key === undefined ? [] : [markOf(key)];
    if (mark.some((known) => notes.keys.includes(known))) return { version };
    if (ifVersion !== undefined && ifVersion !== version)
      throw new SessionBusyError(
        `Session '${this.sessionId}' is at version ${version}, not ${ifVersion}: somebody else has written; read it again.`,
      );
    const added: Fields[] = [];
    const bodies = this.#bodiesOf(items);
    for (let at = 0; at < bodies.length; at += most.added) {
      const body = { items: bodies.slice(at, at + most.added) };
      added.push(...listOf((await this.#call({ method: 'post', path: '/items', body }))['data']));
    }
    const noted = await this.#note({ ...notes, keys: [...notes.keys, ...mark].slice(-mostKeys) });
    return { version: versionOf(noted, added.length > 0 ? added.slice(-1) : newest) };
  }

  async getItems(limit?: number): Promise<Item[]> {
    return (await this.read(limit)).items;
  }

  async popItem(): Promise<Item | undefined> {
    const [last] = await this.#list(1);
    if (last === undefined) return undefined;
    await this.#remove(last);
    await this.#note(await this.#notes());
    return this.#itemOf(last);
  }

  async clear(): Promise<void> {
    for (const item of await this.#list(Infinity)) await this.#remove(item);
    await this.#note(await this.#notes());
  }

  /** Newest first, at most so many. */
  async #list(limit: number): Promise<Fields[]> {
    const found: Fields[] = [];
    for (let after: string | undefined; ;) {
      const query = {
        order: 'desc',
        limit: Math.min(limit - found.length, most.read),
        include,
        ...(after && { after }),
      };
      const page = await this.#call({ method: 'get', path: '/items', query });
      found.push(...listOf(page['data']));
      after = stringOf(page['last_id']);
      if (page['has_more'] !== true || after === '' || found.length >= limit) return found;
    }
  }

  async #remove({ id }: Fields): Promise<void> {
    await this.#call({ method: 'delete', path: `/items/${stringOf(id)}` });
  }

  async #notes(): Promise<Notes> {
    const { metadata } = await this.#call({ method: 'get', path: '' });
    const [changes = '0', ...keys] = stringOf(fieldsOf(metadata)[notesField]).split(' ');
    return { metadata: fieldsOf(metadata), changes: Number(changes) || 0, keys };
  }

  /** Notes a change, so that no version comes twice. */
  async #note({ metadata, changes, keys }: Notes): Promise<Notes> {
    const noted = { metadata, changes: changes + 1, keys };
    const body = { metadata: { ...metadata, [notesField]: [noted.changes, ...keys].join(' ') } };
    await this.#call({ method: 'post', path: '', body });
    return noted;
  }

  /** Items as the API takes them. */
  #bodiesOf(items: readonly InputItem[]): readonly JsonObject[] {
    const known = inputToItems(items).filter((item) => item.type !== 'reasoning' || isOwn(item, this.#destination));
    const pieces = known.map((item) => pieceOf(item, this.#destination));
    return inputList(pieces, { ...this.#destination, issuer: '', report: () => undefined, delta: true, stored: false });
  }

  /** An item as the log has it: a text alone is a string, and the ids of what anybody may say are the conversation's own affair. */
  #itemOf(raw: Fields): Item {
    if (raw['type'] === 'function_call_output') return outputOf(raw);
    const said = /^(?:message|function_call|reasoning)$/.test(stringOf(raw['type']));
    const item = itemIn(said ? without(raw, new Set(['id', 'status'])) : raw, { ...this.#destination, cut: false });
    if (item.type === 'function_call') return without(item, new Set(['status']));
    if (item.type !== 'message' || typeof item.content === 'string' || item.role === 'assistant') return item;
    const [first, ...rest] = item.content;
    return first?.type === 'input_text' && rest.length === 0 ? { ...item, content: first.text } : item;
  }

  async #call({ method, path, query = {}, body }: Call): Promise<Fields> {
    const connection = await this.#connect();
    this.#conversation ??= this.#create(connection);
    const conversation = await this.#conversation;
    return this.#send(connection, {
      method,
      path: `/conversations/${conversation}${path}`,
      query,
      ...(body && { body }),
    });
  }

  async #create(connection: Connection): Promise<string> {
    const { id } = await this.#send(connection, { method: 'post', path: '/conversations', body: {} });
    this.#sessionId = stringOf(id);
    return this.#sessionId;
  }

  async #send({ client, headers, secrets }: Connection, call: Call): Promise<Fields> {
    const { method, path, query, body } = call;
    try {
      // What only reads or deletes may be tried again.
      const options = {
        headers,
        query,
        maxRetries: method === 'post' ? 0 : 2,
        ...(body && { body }),
      };
      return fieldsOf(await client[method](path, options));
    } catch (error) {
      throw callError(error, {
        provider: this.#destination.provider,
        redact: redactor(secrets, body),
        address: client.baseURL,
      });
    }
  }
}

function outputOf({ call_id, output }: Fields): Item {
  const parts = listOf(output).filter(isInputPart);
  return {
    type: 'function_call_output',
    call_id: stringOf(call_id),
    output: typeof output === 'string' ? output : parts,
  };
}

function isInputPart(part: Fields): part is Fields & InputPart {
  return /^input_(?:text|image|file)$/.test(stringOf(part['type']));
}

function versionOf({ changes }: Notes, [newest]: readonly Fields[]): string {
  return `${changes} ${stringOf(newest?.['id'])}`.trim();
}

/** A key in eleven characters. */
const markOf: (key: string) => string = (key) => wireIds({ legal: /^\w{11}$/, length: 11 })(`key ${key}`);
