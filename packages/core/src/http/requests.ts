import { UserError } from '../errors.ts';
import type { FunctionCallItem } from '../protocol/items.ts';
import { isFields, parseJson } from '../protocol/json.ts';
import type { FunctionToolSpec, ModelRequest, ModelSettings, ToolSpec } from '../protocol/request.ts';
import type { Adaptation } from '../protocol/response.ts';

/** Reports one difference between what was asked and what a wire can carry. */
export type Report = (type: Adaptation['type'], name: string, detail: string) => void;

/** A report, and the list of all that it was told. */
export function reporter(): { readonly adaptations: readonly Adaptation[]; readonly report: Report } {
  const adaptations: Adaptation[] = [];
  return { adaptations, report: (type, name, detail) => void adaptations.push({ type, name, detail }) };
}

/** The arguments of a past call; servers parse them and refuse the request when they are no JSON object, for which `{}` is sent. */
export function closedArguments({ arguments: args, call_id }: FunctionCallItem, report: Report): string {
  if (isFields(parseJson(args))) return args;
  if (args !== '') report('other', 'function_call', `arguments of ${call_id} that are no JSON object: sent as {}`);
  return '{}';
}

/** The name of a past call in letters that every server takes. */
export function legalName({ name }: FunctionCallItem, longest: number, report: Report): string {
  const legal = name.replace(/[^\w-]/g, '_').slice(0, longest) || '_';
  if (legal !== name) report('other', 'function_call', `a name with other letters: sent as ${legal}`);
  return legal;
}

/** Every setting that a request may have. */
const settings = [
  'temperature',
  'topP',
  'topK',
  'maxTokens',
  'stop',
  'seed',
  'frequencyPenalty',
  'presencePenalty',
  'toolChoice',
  'parallelToolCalls',
  'reasoning',
  'verbosity',
  'truncation',
  'store',
  'cache',
  'metadata',
  'serviceTier',
  'providerOptions',
] as const satisfies readonly (keyof ModelSettings)[];

/** All settings but these, for `capabilities.settings`. */
export function settingsBut(lacks: readonly (keyof ModelSettings)[]): readonly (keyof ModelSettings)[] {
  return settings.filter((setting) => !lacks.includes(setting));
}

/** Refuses a request that counts on a conversation kept by the provider in another way than those that it `keeps`. */
export function refuseServerState(
  request: ModelRequest,
  adapter: string,
  keeps: readonly string[] | undefined = [],
): void {
  for (const [field, kind] of [
    ['conversationId', 'conversation'],
    ['previousResponseId', 'previous_response'],
  ] as const) {
    if (request[field] === undefined || keeps.includes(kind)) continue;
    throw new UserError(`${field}: ${adapter} keeps no state on the server in this way; use a session.`);
  }
}

/** True for a tool that this side runs, false for a hosted one. */
export function isFunctionTool(spec: ToolSpec): spec is FunctionToolSpec {
  return spec.type === 'function';
}

/** What is said of a hosted tool that a model lacks; `known`: those that it has, where that is known. */
export function noSuchTool(
  type: string,
  { provider, model }: { readonly provider: string; readonly model: string },
  known: readonly string[] | undefined,
): UserError {
  const others = known ? `, only ${known.join(', ') || 'functions'}` : '';
  return new UserError(
    `tools: ${provider}/${model} has no hosted tool '${type}'${others}. ` +
      'Leave it out, or name it in the option capabilities.hostedTools to send it as it is.',
  );
}

/** Refuses tools for a model that has none. */
export function refuseTools({ tools }: ModelRequest, has: boolean | undefined, model: string): void {
  const [first] = tools;
  if (!first || has !== false) return;
  const name = 'name' in first && typeof first.name === 'string' ? first.name : first.type;
  throw new UserError(`tools: ${model} has none; leave out '${name}' or change the model.`);
}

/** What every wire without these settings does anyway, so that nobody need be told. */
const usual: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['truncation', 'disabled'],
  ['store', false],
  ['cache', 'auto'],
]);

/** The settings that a model has, those that are null left out; what it lacks is reported, but for the names in `silent`. */
export function knownSettings(
  settings: ModelSettings,
  allowed: readonly string[] | undefined,
  { report, silent = [] }: { report: Report; silent?: readonly string[] },
): ModelSettings {
  const entries = Object.entries(settings).filter(([name, value]) => {
    if (value === undefined || value === null) return false;
    const has = allowed?.includes(name) !== false;
    if (!has && value !== usual.get(name) && !silent.includes(name))
      report('unsupported_setting', name, 'there is no such setting here');
    return has;
  });
  return Object.fromEntries(entries);
}
