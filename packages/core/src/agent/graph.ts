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
      throw new UserError(
        `Agents of one run: two of them have the name '${agent.name}'; names tell agents apart, so rename one of them.`,
      );
    }
    found.set(agent.name, agent);
    for (const entry of agent.handoffs) waiting.push('type' in entry ? entry.agent : entry);
    for (const entry of agent.tools) if (isTool(entry) && entry.nested) waiting.push(entry.nested.agent);
  }
  return found;
}
