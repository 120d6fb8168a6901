import type { AnyAgent } from '../agent/agent.ts';
import { UserError } from '../errors.ts';
import type { LoopState } from '../loop/state.ts';
import { approvalItem, type ToolApprovalItem } from './run-items.ts';

/** The calls that wait for a person, in call order, those of inner runs among them. */
export function interruptionsOf(
  state: LoopState,
  agents: ReadonlyMap<string, AnyAgent>,
  path: readonly string[] = [],
): ToolApprovalItem[] {
  if (state.step.type !== 'tools') return [];
  return state.step.slots.flatMap((slot) => {
    if (slot.type === 'nested') return interruptionsOf(slot.state, agents, [...path, slot.call.callId]);
    if (slot.type !== 'waiting') return [];
    const agent = agents.get(state.agent);
    if (agent === undefined)
      throw new UserError(`There is no agent '${state.agent}' in this run, though a call of it waits for approval.`);
    return [approvalItem({ call: slot.call, agent, path })];
  });
}
