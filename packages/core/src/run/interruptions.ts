import type { AnyAgent } from '../agent/agent.ts';
import { agentNamed } from '../agent/graph.ts';
import type { LocalCall, LoopState } from '../loop/state.ts';
import { sealOf } from '../loop/tools.ts';
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
    return [approvalItem({ call: slot.call, agent: agentNamed(state.agent, agents), path })];
  });
}

/** The first call that is not the one which a person was asked about, or whose answer is not what the person said. */
export function changedCall({ step }: LoopState): LocalCall | undefined {
  for (const slot of step.type === 'tools' ? step.slots : []) {
    if (slot.type === 'nested') {
      const changed = changedCall(slot.state);
      if (changed) return changed;
    }
    if (slot.type !== 'waiting' && slot.type !== 'decided') continue;
    if (slot.seal !== sealOf(slot.call, slot.type === 'decided' ? slot.decision : null)) return slot.call;
  }
  return undefined;
}
