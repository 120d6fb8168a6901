import { UserError } from '../errors.ts';
import type { AnyAgent } from './agent.ts';
import { isTool } from './tool.ts';

/**
 * All agents that a run may come to, by name: the starting agent, those it may hand off to, those it uses as tools, and so on.
 * Throws `UserError` when two of them bear one name.
 */
export function agentsFrom(start: AnyAgent): ReadonlyMap<string, AnyAgent> {
  const found = new Map<string, AnyAgent>();
  const waiting: AnyAgent[] = [start];
  for (let agent = waiting.pop(); agent !== undefined; agent = waiting.pop()) {
    const known = found.get(agent.name);
    if (known === agent) continue;
    if (known) {
      throw new UserError(`Agents of one run: two of them have the name '${agent.name}'; rename one.`);
    }
    found.set(agent.name, agent);
    for (const entry of agent.handoffs) waiting.push('type' in entry ? entry.agent : entry);
    for (const entry of agent.tools) if (isTool(entry) && entry.nested) waiting.push(entry.nested.agent);
  }
  return found;
}

/** The agent of this name; `UserError` when the run does not come to one. */
export function agentNamed(name: string, agents: ReadonlyMap<string, AnyAgent>): AnyAgent {
  const agent = agents.get(name);
  if (agent) return agent;
  const known = [...agents.keys()].map((each) => `'${each}'`).join(', ');
  throw new UserError(`There is no agent '${name}' here, only ${known}; pass the agent that the run began with.`);
}
