import type { AnyAgent } from '../agent/agent.ts';
import { agentsFrom } from '../agent/graph.ts';
import { isTool } from '../agent/tool.ts';
import { misfit, UserError } from '../errors.ts';
import { newState } from '../loop/state.ts';
import { changesRequest } from '../model/capabilities.ts';
import type { Model } from '../model/model.ts';
import { given } from '../model/settings.ts';
import type { Item } from '../protocol/items.ts';
import type { ModelRequest, ToolSpec } from '../protocol/request.ts';
import type { Adaptation } from '../protocol/response.ts';
import { noUsage } from '../protocol/usage.ts';
import { overlaid, type RunConfig } from './config.ts';
import { standingRequest } from './effects/prepare-turn.ts';
import { serverState } from './effects/start.ts';
import { Scope } from './scope.ts';
import { settle } from './steps.ts';
import { openToolbox } from './toolbox.ts';

/**
 * What becomes of one thing that an agent asks of its model: `native`, as asked; `adapted`, done in another way; `weakened`, less than was
 * asked; `impossible`, an error before the request.
 */
export type Finding = {
  readonly feature: string;
  readonly verdict: 'native' | 'adapted' | 'weakened' | 'impossible';
  readonly detail: string;
};
/** The findings for one agent on one model. An agent with a `fallback` has such a plan for each model of it. */
export type AgentPlan = { readonly agent: string; readonly model: string; readonly findings: readonly Finding[] };

/**
 * Tells what each agent of the graph would meet on its model, without sending anything: tools, output type, settings, a conversation that the
 * provider keeps. Requests are encoded as on the first turn of a run, so what is found here is what responses report as adapted.
 * Functions like `isEnabled` and sources of tools are asked as in a run with this context (default: none).
 */
export async function plan(
  agent: AnyAgent,
  runConfig: RunConfig<never> = {},
  options: { context?: unknown } = {},
): Promise<readonly AgentPlan[]> {
  // As in a run: agents are of any context, each is given the one that its own type asks for.
  const { context }: { context: never } = Object(options);
  const plans: AgentPlan[] = [];
  // A program without types may give anything. Two agents of one name are refused as in a run.
  if (!Array.isArray(agent?.tools)) throw misfit('agent', 'an Agent, made by new Agent({ name })', agent);
  agentsFrom(agent);
  const seen = new Set<AnyAgent>();
  const visit = async (at: AnyAgent, config: RunConfig<never>): Promise<void> => {
    if (seen.has(at)) return;
    seen.add(at);
    plans.push(...(await plansOf(new Scope(at, { config, context, usage: noUsage }), at)));
    for (const entry of at.handoffs) await visit('type' in entry ? entry.agent : entry, config);
    for (const entry of at.tools)
      if (isTool(entry) && entry.nested) await visit(entry.nested.agent, innerConfig(config, entry.nested.runConfig));
  };
  await visit(agent, runConfig);
  return plans;
}

/** The config of an agent as a tool, as a run has it: what its provider keeps is the outer conversation alone. */
function innerConfig(config: RunConfig<never>, own: RunConfig<never> | undefined): RunConfig<never> {
  return { ...overlaid(config, own), conversationId: undefined, previousResponseId: undefined };
}

async function plansOf(scope: Scope, agent: AnyAgent): Promise<readonly AgentPlan[]> {
  const model = scope.modelOf(agent);
  const request = await firstRequest(scope, agent);
  return (model.candidates ?? [{ model }]).map((candidate) => ({
    agent: agent.name,
    model: candidate.model.name,
    findings: [...keptFindings(model, request), ...findingsOf(candidate.model, request)],
  }));
}

/** A conversation as short as can be. */
const input: readonly Item[] = [{ type: 'message', role: 'user', content: 'Hello.' }];

async function firstRequest(scope: Scope, agent: AnyAgent): Promise<ModelRequest> {
  const toolbox = await settle(
    openToolbox({
      agent,
      runContext: scope.contextOf(agent),
      signal: () => new AbortController().signal,
      listing: () => undefined,
    }),
  );
  const server = serverState({}, scope.config);
  const state = { ...newState(agent.name, input, scope.loopOptions(null, null)), server };
  return {
    ...standingRequest(scope, agent, { toolbox, state }),
    ...(typeof agent.instructions === 'string' && { instructions: agent.instructions }),
    ...given({
      conversationId: server?.conversationId ?? undefined,
      previousResponseId: server?.previousResponseId ?? undefined,
    }),
    input,
  };
}

/** Whether the provider can keep the conversation: a run asks this of its model before anything else. */
function keptFindings(model: Model, { conversationId, previousResponseId }: ModelRequest): readonly Finding[] {
  if ((conversationId ?? previousResponseId) === undefined || model.capabilities.serverState?.length !== 0) return [];
  const detail = `${model.name} of ${model.provider} keeps no conversations; use a session instead`;
  return [{ feature: 'server state', verdict: 'impossible', detail }];
}

/** Something that is asked, and the request with nothing but that in it. */
type Feature = { readonly feature: string; readonly alone: ModelRequest; readonly spec?: ToolSpec };

function findingsOf(model: Model, request: ModelRequest): readonly Finding[] {
  const features = featuresOf(request);
  if (!model.preview) {
    const detail = `not known: ${model.name} has no preview`;
    return features.map(({ feature }) => ({ feature, verdict: 'native', detail }));
  }
  const refused = features.flatMap((asked) => {
    const detail = refusal(model, asked.alone);
    return detail === undefined ? [] : [{ ...asked, detail }];
  });
  const impossible = refused.map(({ feature, detail }): Finding => ({ feature, verdict: 'impossible', detail }));
  const possible = features.filter(({ alone }) => !refused.some((each) => each.alone === alone));
  const rest = without(request, refused);
  const together = refusal(model, rest);
  if (together !== undefined) return [...impossible, { feature: 'request', verdict: 'impossible', detail: together }];
  return [...impossible, ...told(model.preview(rest), possible)];
}

/** Why a request would not be sent; `undefined` when it would. */
function refusal(model: Model, request: ModelRequest): string | undefined {
  try {
    model.preview?.(request);
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function featuresOf({ tools, output, settings, conversationId, previousResponseId }: ModelRequest): Feature[] {
  const bare: ModelRequest = { input, tools: [], settings: {} };
  const features = tools.map((spec): Feature => {
    const { type, name } = spec;
    const feature = type === 'function' && typeof name === 'string' ? `tool ${name}` : `hosted tool ${type}`;
    return { feature, alone: { ...bare, tools: [spec] }, spec };
  });
  if (output) features.push({ feature: 'output type', alone: { ...bare, output } });
  for (const [name, value] of Object.entries(given(settings)))
    features.push({ feature: `setting ${name}`, alone: { ...bare, settings: { [name]: value } } });
  const server = given({ conversationId, previousResponseId });
  if (Object.keys(server).length > 0) features.push({ feature: 'server state', alone: { ...bare, ...server } });
  return features;
}

function without(request: ModelRequest, refused: readonly Feature[]): ModelRequest {
  const { conversationId: _id, previousResponseId: _previous, ...rest } = request;
  const specs = refused.map(({ spec }) => spec);
  const kept = refused.some(({ feature }) => feature === 'server state') ? rest : request;
  return { ...kept, tools: request.tools.filter((spec) => !specs.includes(spec)) };
}

/** A finding for each feature, and for each adaptation that is of none of them. */
function told(adaptations: readonly Adaptation[], features: readonly Feature[]): readonly Finding[] {
  const owned = adaptations.map((adaptation) => ({ adaptation, owner: ownerOf(adaptation, features) }));
  const asked = features.map(({ feature }): Finding => {
    const found = owned.filter(({ owner }) => owner === feature).map(({ adaptation }) => adaptation);
    if (found.length === 0) return { feature, verdict: 'native', detail: 'as asked' };
    const detail = found.map((each) => `${each.name}: ${each.detail}`).join('; ');
    return { feature, verdict: found.some(isWeaker) ? 'weakened' : 'adapted', detail };
  });
  const others = owned.filter(({ owner }) => owner === undefined).map(({ adaptation }) => adaptation);
  return [
    ...asked,
    ...others.map((each): Finding => {
      const verdict = isWeaker(each) ? 'weakened' : 'adapted';
      return { feature: each.type, verdict, detail: `${each.name}: ${each.detail}` };
    }),
  ];
}

/** A setting that the wire has not is simply not sent: that is told as adapted. */
function isWeaker(adaptation: Adaptation): boolean {
  return changesRequest(adaptation) && adaptation.type !== 'unsupported_setting';
}

function ownerOf({ type, name }: Adaptation, features: readonly Feature[]): string | undefined {
  const has = (feature: string) => features.find((each) => each.feature === feature)?.feature;
  switch (type) {
    case 'unsupported_setting':
      return has(`setting ${name.split('.')[0]}`);
    case 'changed_schema':
      return has(`tool ${name}`) ?? has('output type');
    case 'output_strategy':
      return has('output type');
    default:
      return undefined;
  }
}
