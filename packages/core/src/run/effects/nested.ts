import type { NestedRun } from '../../agent/agent-tool.ts';
import { nestedRun } from '../../loop/turn.ts';
import type { LoopState } from '../../loop/state.ts';
import { inputToItems } from '../input.ts';
import { Result } from '../result.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';
import { checksOf } from './start.ts';

/** The inner run of an agent used as a tool, before its first turn. `input` is what the tool's arguments were made into. */
export function nestedState(work: Work<'run_tool'>, { agent, maxTurns }: NestedRun<never>, input: unknown): LoopState {
  const { effect, run } = work;
  const scope = run.scopeAt([...effect.path, effect.call.callId]);
  const items = inputToItems(input, `the input of agent '${agent.name}' as a tool`);
  scope.modelOf(agent);
  return nestedRun(agent.name, items, { options: scope.loopOptions(maxTurns, null), checks: checksOf(scope, agent) });
}

/** What an inner run that has ended answers to the outer one. */
export function* endNested(
  { effect, run }: Work<'run_tool'>,
  { outputExtractor }: NestedRun<never>,
  state: LoopState,
): Steps<{ output?: unknown; error?: unknown }> {
  const { end } = state;
  if (end?.type === 'failed') return { error: run.errorOf(end.failure) };
  if (outputExtractor === undefined) return { output: end?.type === 'done' ? end.output : undefined };
  const scope = run.scopeAt([...effect.path, effect.call.callId]);
  try {
    return { output: yield* wait(outputExtractor({ result: new Result(run, scope, state) })) };
  } catch (error) {
    return { error };
  }
}
