import { GuardrailExecutionError, InputGuardrailTripwireTriggered, misfit } from '../../errors.ts';
import type { MaybePromise } from '../../agent/maybe-promise.ts';
import { inputOf } from '../../loop/log.ts';
import type { Settled } from '../../loop/outcome.ts';
import { isFields } from '../../protocol/json.ts';
import type { GuardrailOutput, ToolGuardrailOutput } from '../../protocol/verdicts.ts';
import { wait, type Steps } from '../steps.ts';
import type { Work } from '../work.ts';
import { inputGuardrails } from './start.ts';

/** Asks one input guardrail for its verdict. */
export function* checkInput(work: Work<'check_input'>): Steps<Settled> {
  const { effect, scope, run } = work;
  const { index, state } = effect;
  const agent = scope.agent(effect.agent);
  const guardrail = inputGuardrails(scope, agent)[index];
  if (guardrail === undefined) throw misfit('inputGuardrails', 'those that the run began with', guardrail);
  // The input of the run alone, not the session before it.
  const input = inputOf(state.log).slice(state.saves?.done ?? 0);
  const at = { runContext: scope.contextOf(agent), agent, input };
  const output = yield* verdictOf(work, guardrail, { at, of: 'the input' });
  const result = { guardrail: guardrail.name, agent: agent.name, output };
  const tripped = output.tripwireTriggered
    ? run.failure(
        effect,
        new InputGuardrailTripwireTriggered(`Input guardrail '${guardrail.name}' tripped.`, { result }),
      )
    : null;
  return { type: 'checked', verdict: { index, result }, tripped };
}

type Guardrail<At, Output> = { readonly name: string; readonly execute: (at: At) => MaybePromise<Output> };

/** Asks a guardrail, under a span of its own. `of` names what it guards. */
export function* verdictOf<At extends object, Output extends GuardrailOutput | ToolGuardrailOutput>(
  { run, control }: Pick<Work<'finish'>, 'run' | 'control'>,
  { name, execute }: Guardrail<At, Output>,
  { at, of }: { at: At; of: string },
): Steps<Output> {
  const span = run.spans?.part(control, 'guardrail', name);
  try {
    const output = yield* wait(execute(at));
    const triggered = isAgainst(output, 'toolCall' in at);
    span?.end({ data: { triggered } });
    return output;
  } catch (cause) {
    span?.end({ error: cause });
    throw new GuardrailExecutionError(`Guardrail '${name}' of ${of} gave no verdict; see the cause.`, { cause });
  } finally {
    // Also when it is no longer waited for.
    span?.end();
  }
}

/** Whether a verdict is against what it is about. What is none of its kind lets nothing through. */
function isAgainst(verdict: unknown, ofTool: boolean): boolean {
  const { tripwireTriggered, type, message } = isFields(verdict) ? verdict : {};
  if (!ofTool && typeof tripwireTriggered === 'boolean') return tripwireTriggered;
  const known =
    type === 'reject_content' ? typeof message === 'string' : type === 'allow' || type === 'raise_exception';
  if (ofTool && known) return type !== 'allow';
  throw misfit('verdict', ofTool ? '{ type, message }' : '{ tripwireTriggered: boolean }', verdict);
}
