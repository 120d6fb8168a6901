import { Agent, UserError } from '@polyrun/core';
import { z } from 'zod';
import type { AgentDescription, ChatConfig } from './define-config.ts';

/** Throws `UserError` with the field and the fix where it is no config; `file` is what the user calls it. */
export function checkConfig(exported: unknown, file: string): asserts exported is ChatConfig {
  if (exported === undefined)
    throw new UserError(`${file}: it has no default export; write \`export default defineConfig({ … })\`.`);
  const [issue] = shape.safeParse(exported).error?.issues ?? [];
  if (issue) throw new UserError(`${file}: ${wordsFor(issue)}`);
  checkNames(Object(exported), file);
}

const expecting = (what: string) => ({ error: `expected ${what}` });
const named = <T extends z.ZodType>(value: T, what: string) => z.record(z.string(), value, expecting(what));
const text = (what: string) => z.string(expecting(what)).min(1, expecting(what));
const anObject = (what: string) => z.looseObject({}, expecting(what));
const amount = z.number(expecting('a price for a million tokens')).min(0, expecting('a price of 0 or more'));
const currency = expecting("a currency's code, such as 'EUR'");

const provider = z.custom(
  (value) => typeof Object(value).getModel === 'function',
  expecting('a provider, such as `mistral()` of @polyrun/mistral'),
);
const price = z.strictObject(
  { input: amount, output: amount, cachedInput: amount.optional(), cacheWrite: amount.optional() },
  expecting('a price: `{ input: 0.1, output: 0.3 }`'),
);
const server = z.looseObject(
  { transport: anObject("a transport, such as `{ type: 'stdio', command: 'npx', args: […] }`") },
  expecting('a server: `{ transport: … }`'),
);
const shape = z.strictObject(
  {
    providers: named(provider, 'an object, such as `{ mistral: mistral() }`').refine(
      isFilled,
      expecting('at least one provider, such as `{ mistral: mistral() }`'),
    ),
    models: named(z.unknown(), "an object of models' names").optional(),
    model: text("a model's name, such as 'mistral/mistral-small-latest'").optional(),
    agents: named(anObject('an agent: `{ instructions: … }` or `new Agent({ … })`'), 'an object of agents')
      .refine(isFilled, expecting('at least one agent'))
      .optional(),
    agent: text("an agent's name").optional(),
    tools: z.array(anObject('a tool, made with `tool({ … })`'), expecting('a list of tools')).optional(),
    mcpServers: named(server, 'an object of servers').optional(),
    sessionFile: text("a file's path").optional(),
    prices: named(price, 'an object of prices').optional(),
    currency: z
      .string(currency)
      .regex(/^[A-Z]{3}$/, currency)
      .optional(),
    runConfig: z
      .looseObject(
        {
          model: z.undefined(expecting('no model here, but in the field model')).optional(),
          modelProvider: z.undefined(expecting('no provider here, but in the field providers')).optional(),
        },
        expecting('an object'),
      )
      .optional(),
  },
  expecting('an object: `export default defineConfig({ … })`'),
);

function isFilled(entries: object): boolean {
  return Object.keys(entries).length > 0;
}

function wordsFor(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
  if (issue.code !== 'unrecognized_keys') return `${path}${path && ': '}${issue.message}.`;
  const known = Object.keys(path === '' ? shape.shape : price.shape);
  return `${path}${path && '.'}${issue.keys.join(', ')}: there is no such field; known are ${known.join(', ')}.`;
}

/** Names that lead nowhere. */
function checkNames(
  { providers = {}, models = {}, agents = {}, agent, model }: Partial<ChatConfig>,
  file: string,
): void {
  const names = Object.keys(agents);
  const known = names.length > 0 ? names : ['Assistant'];
  const mustBeAgent = (field: string, name: string) => {
    if (!known.includes(name))
      throw new UserError(`${file}: ${field}: there is no '${name}'; known are ${known.join(', ')}.`);
  };
  const mustBeModel = (field: string, name: unknown) => {
    const [prefix = ''] = typeof name === 'string' ? name.split('/') : [];
    if (typeof name !== 'string' || Object.hasOwn(models, name) || Object.hasOwn(providers, prefix)) return;
    const prefixes = Object.keys(providers).join(', ');
    throw new UserError(
      `${file}: ${field}: '${name}' names no provider; write 'provider/model', the provider one of ${prefixes}.`,
    );
  };
  for (const [name, target] of Object.entries(models))
    for (const each of targetsOf(target)) mustBeModel(`models.${name}`, each);
  if (agent !== undefined) mustBeAgent('agent', agent);
  mustBeModel('model', model);
  for (const [key, entry] of Object.entries(agents)) {
    if (entry instanceof Agent) {
      if (entry.name === key) continue;
      throw new UserError(`${file}: agents.${key}: this agent is called '${entry.name}'; make that its key.`);
    }
    mustBeModel(`agents.${key}.model`, entry.model);
    for (const [index, name] of handoffsOf(entry, `${file}: agents.${key}`).entries())
      mustBeAgent(`agents.${key}.handoffs[${index}]`, name);
  }
}

/** The models that an entry of the table names; what is no entry at all is told by who routes. */
function targetsOf(entry: unknown): readonly unknown[] {
  const listed: unknown = Object(entry).fallback;
  if (typeof entry === 'string') return [entry];
  return Array.isArray(listed) ? listed.map((each: unknown) => Object(each).model ?? each) : [];
}

function handoffsOf({ handoffs = [] }: AgentDescription, field: string): readonly string[] {
  if (Array.isArray(handoffs) && handoffs.every((name) => typeof name === 'string')) return handoffs;
  throw new UserError(`${field}.handoffs: expected a list of agents' names; for more, give \`new Agent({ … })\`.`);
}
