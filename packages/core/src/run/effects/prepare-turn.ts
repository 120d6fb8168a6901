import type { AnyAgent } from '../../agent/agent.ts';
import { misfit } from '../../errors.ts';
import { seen } from '../../loop/log.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { LoopState, TurnPlan } from '../../loop/state.ts';
import { newToModel } from '../../loop/turn.ts';
import { given, mergeSettings } from '../../model/settings.ts';
import type { Item } from '../../protocol/items.ts';
import { isFields } from '../../protocol/json.ts';
import type { ModelRequest, ModelSettings } from '../../protocol/request.ts';
import { inputToItems } from '../input.ts';
import type { ModelData } from '../config.ts';
import type { Scope } from '../scope.ts';
import { wait, type Steps } from '../steps.ts';
import type { Toolbox } from '../toolbox.ts';
import type { Work } from '../work.ts';

/** Makes the plan of a turn, or takes the one that is made already where every turn of the agent is prepared alike. */
export function prepareTurn(work: Work<'prepare_turn'>): Settled | Steps<Settled> {
  const { state, agent } = work.effect;
  const known = state.entering ? undefined : work.scope.known(agent).plan;
  return known?.used === choiceUsed(state) ? { type: 'prepared', plan: known.plan } : prepared(work);
}

/** The plan: instructions, enabled tools and handoffs, settings, and what the input filter makes of the input. */
function* prepared(work: Work<'prepare_turn'>): Steps<Settled> {
  const { effect, scope } = work;
  const agent = scope.agent(effect.agent);
  const runContext = scope.contextOf(agent);
  if (effect.state.entering) {
    yield* wait(
      scope.fire(agent, (hooks) =>
        hooks.onAgentStart?.({ runContext, agent, turnInput: seenByModel(effect.state).slice() }),
      ),
    );
  }
  const used = choiceUsed(effect.state);
  const known = scope.known(agent.name);
  if (known.plan?.used === used) return { type: 'prepared', plan: known.plan.plan };
  const instructions =
    typeof agent.instructions === 'function'
      ? yield* wait(agent.instructions({ runContext, agent }))
      : agent.instructions;
  const toolbox = yield* scope.toolbox(agent, work);
  const plan = yield* filtered(work, planOf(work, { agent, instructions, toolbox }));
  if (isFixed(scope, agent, toolbox) && effect.state.server === null) known.plan = { used, plan };
  return { type: 'prepared', plan };
}

/** Whether the agent has run a tool, so that a forced tool choice of its is lifted. */
function choiceUsed({ toolUsers, agent }: LoopState): boolean {
  return toolUsers.includes(agent);
}

function seenByModel({ view, log }: LoopState): readonly Item[] {
  return seen((view ?? log).items);
}

/** True when every turn of the agent is prepared alike. */
function isFixed({ config }: Scope, agent: AnyAgent, toolbox: Toolbox): boolean {
  const dynamic =
    typeof agent.instructions === 'function' || config.callModelInputFilter || config.reasoningItemIdPolicy === 'omit';
  return toolbox.fixed && !dynamic;
}

function planOf(
  { effect, scope }: Work<'prepare_turn'>,
  { agent, instructions, toolbox }: { agent: AnyAgent; instructions: string | undefined; toolbox: Toolbox },
): TurnPlan {
  const { routes, clients } = toolbox;
  const { conversationId, previousResponseId } = effect.state.server ?? {};
  return {
    request: {
      ...standingRequest(scope, agent, { toolbox, state: effect.state }),
      ...given({ instructions: instructions || null, conversationId, previousResponseId }),
    },
    routes,
    clients,
    input: null,
    mayStopAfterTools: agent.toolUseBehavior !== 'run_llm_again',
  };
}

/** What every request of an agent asks, whatever the conversation. */
export function standingRequest(
  scope: Scope,
  agent: AnyAgent,
  { toolbox, state }: { toolbox: Toolbox; state: LoopState },
): Omit<ModelRequest, 'input'> {
  const { capabilityMode } = scope.config;
  const compiled = scope.outputOf(agent);
  const output = compiled && { name: 'final_output', schema: compiled.json, strict: true };
  return { tools: toolbox.specs, settings: settingsOf(scope, agent, state), ...given({ output, capabilityMode }) };
}

function settingsOf(scope: Scope, agent: AnyAgent, state: LoopState): ModelSettings {
  const chosen = mergeSettings(agent.modelSettings, scope.config.modelSettings);
  // A provider can only go on from what it has kept.
  const settings = state.server === null ? chosen : { store: true, ...chosen };
  const { toolChoice, ...rest } = settings;
  const forced = toolChoice === 'required' || typeof toolChoice === 'object';
  return forced && choiceUsed(state) && agent.resetToolChoice ? rest : settings;
}

/** What this turn sends, edited by the user's filter; what is stored stays as it is. */
function* filtered({ effect, scope }: Work<'prepare_turn'>, plan: TurnPlan): Steps<TurnPlan> {
  const { callModelInputFilter, reasoningItemIdPolicy } = scope.config;
  if (!callModelInputFilter && reasoningItemIdPolicy !== 'omit') return plan;
  const items = newToModel(effect.state);
  const told = reasoningItemIdPolicy === 'omit' ? items.map(withoutReasoningId) : items;
  if (!callModelInputFilter) return { ...plan, input: told };
  // A filter may change items in place: the log keeps its own.
  const input = structuredClone(told);
  const agent = scope.agent(effect.agent);
  const { instructions, ...request } = plan.request;
  const modelData: ModelData = instructions === undefined ? { input } : { input, instructions };
  const runContext = scope.contextOf(agent);
  const edited = checkedData(yield* wait<unknown>(callModelInputFilter({ modelData, agent, runContext })));
  return { ...plan, input: edited.input, request: { ...request, ...given({ instructions: edited.instructions }) } };
}

function withoutReasoningId(item: Item): Item {
  if (item.type !== 'reasoning' || item.id === undefined) return item;
  const { id: _, ...rest } = item;
  return rest;
}

function checkedData(data: unknown): { input: readonly Item[]; instructions: string | undefined } {
  const field = 'runConfig.callModelInputFilter';
  if (!isFields(data)) throw misfit(field, '{ input, instructions }', data);
  const { input, instructions } = data;
  if (instructions !== undefined && typeof instructions !== 'string')
    throw misfit(`${field} instructions`, 'a string', instructions);
  return { input: inputToItems(input, `${field} input`), instructions };
}
