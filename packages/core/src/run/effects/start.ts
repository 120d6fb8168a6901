import type { AnyAgent } from '../../agent/agent.ts';
import type { InputGuardrail } from '../../agent/guardrails.ts';
import { UserError } from '../../errors.ts';
import { newLog, seen, type Log } from '../../loop/log.ts';
import type { Settled } from '../../loop/outcome.ts';
import type { Check, ServerState } from '../../loop/state.ts';
import type { Item } from '../../protocol/items.ts';
import type { RunConfig, RunOptions } from '../config.ts';
import { inputToItems } from '../input.ts';
import type { Scope } from '../scope.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';

/** Begins a run: what its session holds, the run start hook, the guardrails of its input. Wrong configuration ends here. */
export function* start({ effect, scope, run }: Work<'start'>): Steps<Settled> {
  const agent = scope.agent(effect.agent);
  const model = scope.modelOf(agent);
  checkModels(scope, agent, new Set());
  const server = serverState(run.options, scope.config);
  if (server !== null && model.capabilities.serverState?.length === 0) {
    throw new UserError(
      `conversationId, previousResponseId: the model '${model.name}' of ${model.provider} keeps no conversations; use a session.`,
    );
  }
  const input = seen(effect.state.log.items);
  const history = yield* run.readSession();
  const log = history.length === 0 ? effect.state.log : newLog([...history, ...input]);
  const view = run.options.session ? yield* combined({ history, input: input.slice(), scope }) : null;
  if (scope.hooks?.onRunStart) {
    yield* wait(scope.hooks.onRunStart({ runContext: scope.contextOf(agent), agent, input: input.slice() }));
  }
  return {
    type: 'started',
    log,
    view,
    checks: checksOf(scope, agent),
    saved: run.options.session ? history.length : null,
    server,
  };
}

/** An agent without a model is found here, not when the run gets to it. */
function checkModels(scope: Scope, agent: AnyAgent, checked: Set<AnyAgent>): void {
  if (checked.has(agent)) return;
  checked.add(agent);
  scope.modelOf(agent);
  for (const entry of agent.handoffs) checkModels(scope, 'type' in entry ? entry.agent : entry, checked);
}

/** The input guardrails of a run: its starting agent's and its config's. */
export function inputGuardrails(scope: Scope, agent: AnyAgent): readonly InputGuardrail<never>[] {
  const { inputGuardrails = [] } = scope.config;
  return inputGuardrails.length === 0 ? agent.inputGuardrails : [...agent.inputGuardrails, ...inputGuardrails];
}

export function checksOf(scope: Scope, agent: AnyAgent): readonly Check[] {
  return inputGuardrails(scope, agent).map(({ gate = 'release' }, index) => ({ index, gate }));
}

/** What the model sees where a callback combines history and input in a way of its own. */
function* combined({
  history,
  input,
  scope,
}: {
  history: readonly Item[];
  input: readonly Item[];
  scope: Scope;
}): Steps<Log | null> {
  const { sessionInputCallback } = scope.config;
  if (sessionInputCallback === undefined) return null;
  // The callback may change items in place: the log keeps its own.
  const items: unknown = yield* wait(sessionInputCallback(structuredClone({ history, newItems: input })));
  return newLog(inputToItems(items, 'runConfig.sessionInputCallback'));
}

/** A conversation is kept in one place: by the provider, or in a session. */
export function serverState(options: RunOptions<never>, config: RunConfig<never>): ServerState | null {
  const { session } = options;
  const conversationId = options.conversationId ?? config.conversationId ?? null;
  const previousResponseId = options.previousResponseId ?? config.previousResponseId ?? null;
  const given = Object.entries({ session, conversationId, previousResponseId }).filter(([, value]) => value ?? false);
  if (given.length > 1) {
    const names = given.map(([name]) => name).join(', ');
    throw new UserError(`${names}: give one of them.`);
  }
  const chain = conversationId === null;
  const none = chain && previousResponseId === null && options.autoPreviousResponseId !== true;
  return none ? null : { conversationId, previousResponseId, chain, sent: 0 };
}
