import type { AnyAgent } from '../agent/agent.ts';
import { agentNamed } from '../agent/graph.ts';
import { slotsIn, type LocalCall, type LoopState } from '../loop/state.ts';
import { sealOf } from '../loop/tools.ts';
import { approvalItem, type ToolApprovalItem } from './run-items.ts';

/** The calls that wait for a person, in call order, those of inner runs among them. */
export function interruptionsOf(state: LoopState, agents: ReadonlyMap<string, AnyAgent>): ToolApprovalItem[] {
  const waiting = [...slotsIn(state)].filter(({ slot }) => slot.type === 'waiting');
  return waiting.map(({ slot, state: { agent }, path }) => approvalItem(slot.call, agentNamed(agent, agents), path));
}

/** The first call that is not the one which a person was asked about, or whose answer is not what the person said. */
export function changedCall(state: LoopState): LocalCall | undefined {
  const changed = [...slotsIn(state)].find(({ slot }) => {
    const decision = slot.type === 'decided' ? slot.decision : null;
    return 'seal' in slot && slot.seal !== sealOf(slot.call, decision);
  });
  return changed?.slot.call;
}
