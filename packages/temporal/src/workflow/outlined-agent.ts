import { Agent, tool, UserError, type Session, type Tool } from '@polyrun/core';
import type { Outline, OutlinedAgent, OutlinedTool } from '../outline.ts';

/** The agents of an outline: enough for the loop to go by. `tools` are those that run inside the workflow. `O` is what the agent has for output. */
export function outlinedAgent<O>({ agents }: Outline, tools: readonly Tool[]): Agent<unknown, O> {
  const outlines = new Map(agents.map((each) => [each.name, each]));
  const inside = new Map(tools.map((each) => [each.name, each]));
  const made = new Map<string, Agent<unknown, O>>();
  const agentOf = (name: string): Agent<unknown, O> => {
    const agent = made.get(name) ?? make(outlines.get(name) ?? { name, tools: [], handoffs: [] });
    made.set(name, agent);
    return agent;
  };
  const make = ({ name, tools: entries, handoffs }: OutlinedAgent): Agent<unknown, O> =>
    new Agent<unknown, O>({
      name,
      tools: entries.map((entry) => toolOf(entry, { inside, agentOf })),
      handoffs: () => handoffs.map(agentOf),
    });
  return agentOf(agents[0]?.name ?? '');
}

type Around = { inside: ReadonlyMap<string, Tool>; agentOf: (name: string) => Agent<unknown, unknown> };

function toolOf(entry: OutlinedTool, { inside, agentOf }: Around): Agent['tools'][number] {
  if (entry.type === 'hosted') return entry.spec;
  const { name } = entry;
  if (entry.type === 'tool_source') return { type: 'tool_source', name, listTools: () => [] };
  if (entry.agent !== null) return agentOf(entry.agent).asTool({ toolName: name, toolDescription: '' });
  return inside.get(name) ?? tool({ name, description: '', parameters: { type: 'object' }, execute: elsewhere });
}

/** Stands for the session that the workers have. */
export const workersSession: Session = {
  sessionId: 'workers',
  read: elsewhere,
  addItems: elsewhere,
  getItems: elsewhere,
  popItem: elsewhere,
  clear: elsewhere,
};

async function elsewhere(): Promise<never> {
  throw new UserError('This is done by an activity, not in the workflow.');
}
