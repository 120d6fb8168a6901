import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** The table of settings in an adapter's README: which package, what makes its provider, and for which models there is a column. */
type Table = { readonly folder: string; readonly factory: string; readonly models: readonly string[] };

/** One line for each adapter. */
export const tables: readonly Table[] = [
  {
    folder: 'packages/chat-completions',
    factory: 'chatCompletions',
    models: [
      'openai/gpt-4.1',
      'openai/gpt-5',
      'mistral/mistral-small-latest',
      'groq/llama-3.3-70b-versatile',
      'deepseek/deepseek-chat',
      'openrouter/qwen/qwen3-32b',
      'ollama/gpt-oss:20b',
    ],
  },
  {
    folder: 'packages/mistral',
    factory: 'mistral',
    models: ['mistral-small-latest', 'mistral-large-latest', 'magistral-medium-latest', 'codestral-latest'],
  },
  {
    folder: 'packages/anthropic',
    factory: 'anthropic',
    models: ['claude-sonnet-4-0', 'claude-sonnet-4-5', 'claude-opus-4-6', 'claude-sonnet-5'],
  },
  { folder: 'packages/openai-responses', factory: 'openaiResponses', models: ['gpt-4.1', 'gpt-5', 'gpt-5.6'] },
];

/** A value for each setting that no wire has as its default. */
const samples: { readonly [setting: string]: unknown } = {
  temperature: 0.3,
  topP: 0.8,
  topK: 5,
  maxTokens: 1234,
  stop: ['END'],
  seed: 7,
  frequencyPenalty: 0.1,
  presencePenalty: 0.2,
  toolChoice: 'required',
  parallelToolCalls: false,
  'reasoning.effort': 'low',
  'reasoning.summary': 'detailed',
  verbosity: 'low',
  truncation: 'auto',
  store: true,
  cache: { ttl: '1h' },
  metadata: { key: 'value' },
  serviceTier: 'flex',
};

type Fields = { readonly [key: string]: unknown };
type Encoded = { readonly body: unknown; readonly reported: readonly string[] };
type Probed = {
  preview(request: object): readonly { readonly name: string }[];
  getResponse(request: object, call: object): Promise<unknown>;
};

const begin = '<!-- settings: written by scripts/settings-table.ts -->';
const end = '<!-- settings: end -->';

/** The README of an adapter with its table as the built package makes it now. */
export async function withTable(
  root: string,
  { folder, factory, models }: Table,
): Promise<{ file: string; text: string }> {
  const file = path.join(root, folder, 'README.md');
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${file}: put '${begin}' and '${end}' around the place of the table.`);
  const made: { [name: string]: ((options: object) => { getModel(name: string): Probed }) | undefined } = await import(
    pathToFileURL(path.join(root, folder, 'dist/index.js')).href
  );
  const provider = made[factory]?.({ apiKey: 'none' });
  if (!provider) throw new Error(`${folder} exports no ${factory}.`);
  const rows = await settingsTable(models, (name) => provider.getModel(name));
  return { file, text: `${text.slice(0, from)}${begin}\n\n${rows.join('\n')}\n\n${text.slice(to)}` };
}

/** A row for each setting, a column for each model: the fields of the body that the setting changes. */
async function settingsTable(names: readonly string[], modelOf: (name: string) => Probed): Promise<string[]> {
  const columns = await Promise.all(
    names.map(async (name) => {
      const model = modelOf(name);
      const plain = await encoded(model, {});
      return Promise.all(
        Object.entries(samples).map(async ([setting, value]) =>
          cell(setting, plain, await encoded(model, asked(setting, value))),
        ),
      );
    }),
  );
  const rows = Object.keys(samples).map((setting, row) => [
    `\`${setting}\``,
    ...columns.map((column) => column[row] ?? ''),
  ]);
  return [['setting', ...names.map((name) => `\`${name}\``)], ['---', ...names.map(() => '---')], ...rows].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
}

function asked(setting: string, value: unknown): Fields {
  const [name = '', inner] = setting.split('.');
  return { [name]: inner === undefined ? value : { [inner]: value } };
}

/** What a model would send, caught before it is sent, and which settings it reports as adapted. */
async function encoded(model: Probed, settings: Fields): Promise<Encoded> {
  const tool = { type: 'function', name: 'look', description: '', parameters: { type: 'object' }, strict: false };
  const input = [{ type: 'message', role: 'user', content: 'Hello.' }];
  const request = { input, tools: [tool], settings };
  const caught: { body?: unknown } = {};
  const onWire = ({ data }: { data: unknown }) => {
    caught.body = data;
    throw new Error('Enough.');
  };
  await model.getResponse(request, { onWire }).catch((error: unknown) => {
    if (caught.body === undefined) throw error;
  });
  return { body: caught.body, reported: model.preview(request).map(({ name }) => name) };
}

function cell(setting: string, plain: Encoded, made: Encoded): string {
  const before = new Map(leaves(plain.body));
  const changed = leaves(made.body).filter(([place, value]) => before.get(place) !== value);
  const fields = [...new Set(changed.map(([place]) => place))];
  const reported = made.reported.some((name) => name === setting || setting.startsWith(`${name}.`));
  if (fields.length === 0 && !reported) throw new Error(`${setting} is neither sent nor reported.`);
  return fields.length === 0 ? '–' : `${fields.map((field) => `\`${field}\``).join(', ')}${reported ? ' *' : ''}`;
}

/** The places of a body with their values; objects of one's own keys (metadata) and lists are one place. */
function leaves(value: unknown, place = ''): [string, string][] {
  const nested = typeof value === 'object' && value !== null && !Array.isArray(value) && place.split('.').length < 3;
  if (!nested || place === 'metadata') return [[place, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, entry]) => leaves(entry, place === '' ? key : `${place}.${key}`));
}

if (process.argv[1] === import.meta.filename) {
  const root = path.join(import.meta.dirname, '..');
  for (const table of tables) {
    if (!existsSync(path.join(root, table.folder, 'dist/index.js')))
      throw new Error(`${table.folder}: build it first.`);
    const { file, text } = await withTable(root, table);
    writeFileSync(file, text);
  }
}
