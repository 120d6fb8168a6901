import { GuardrailExecutionError, InputGuardrailTripwireTriggered } from '../../errors.ts';
import type { Settled } from '../../loop/outcome.ts';
import { inputOf } from '../../loop/log.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';
import { inputGuardrails } from './start.ts';

/** Asks one input guardrail for its verdict. */
export function* checkInput({ effect, scope, run, control }: Work<'check_input'>): Steps<Settled> {
  const agent = scope.agent(effect.agent);
  const guardrail = inputGuardrails(scope, agent)[effect.index];
  if (guardrail === undefined)
    throw new GuardrailExecutionError(`Agent '${agent.name}' has no input guardrail ${effect.index}.`);
  const runContext = scope.contextOf(agent);
  const { log, saves } = effect.state;
  // The input of the run alone, not the session before it.
  const input = inputOf(log).slice(saves?.done ?? 0);
  const span = run.spans?.part(control, 'guardrail', guardrail.name);
  try {
    const output = yield* wait(guardrail.execute({ runContext, agent, input }));
    span?.end({ data: { triggered: output.tripwireTriggered } });
    const result = { guardrail: guardrail.name, agent: agent.name, output };
    const tripped = output.tripwireTriggered
      ? run.failure(
          effect,
          new InputGuardrailTripwireTriggered(`The input guardrail '${guardrail.name}' tripped.`, { result }),
        )
      : null;
    return { type: 'checked', verdict: { index: effect.index, result }, tripped };
  } catch (cause) {
    span?.end({ error: cause });
    throw brokenGuardrail(`input guardrail '${guardrail.name}'`, cause);
  } finally {
    // Also when it is no longer waited for.
    span?.end();
  }
}

/** What a guardrail that throws makes of a run. */
export function brokenGuardrail(which: string, cause: unknown): GuardrailExecutionError {
  return new GuardrailExecutionError(`The ${which} threw instead of giving a verdict.`, { cause });
}
