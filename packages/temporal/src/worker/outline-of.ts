import { createHash } from 'node:crypto';
import type { AnyAgent } from '@polyrun/core';
import type { Outline, OutlinedAgent, OutlinedTool } from '../outline.ts';
import type { WorkerRunOptions } from './agent-activities.ts';

/** Outlines an agent and all that it leads to. */
export function outlineOf<C>(agent: AnyAgent, options: WorkerRunOptions<C>): Outline {
  const agents = [...reached(agent)].map(outlined);
  const { runConfig, hooks = runConfig?.hooks, maxTurns = runConfig?.maxTurns, session } = options;
  return {
    version: createHash('sha256').update(JSON.stringify(agents)).digest('hex').slice(0, 16),
    agents,
    session: session !== undefined,
    endHook: hooks?.onRunEnd !== undefined,
    maxTurns,
    maxConcurrency: runConfig?.toolExecution?.maxConcurrency,
    limits: runConfig?.limits,
  };
}

/** The agents that a run may come to. Sets go on with what is added to them. */
function reached(start: AnyAgent): ReadonlySet<AnyAgent> {
  const found = new Set([start]);
  for (const { handoffs, tools } of found) {
    for (const entry of handoffs) found.add('type' in entry ? entry.agent : entry);
    for (const entry of tools) if (isFunction(entry) && entry.nested) found.add(entry.nested.agent);
  }
  return found;
}

function outlined({ name, tools, handoffs }: AnyAgent): OutlinedAgent {
  return {
    name,
    tools: tools.map(outlinedTool),
    handoffs: handoffs.map((entry) => ('type' in entry ? entry.agent : entry).name),
  };
}

type Entry = AnyAgent['tools'][number];

function outlinedTool(entry: Entry): OutlinedTool {
  if (isFunction(entry)) return { type: 'function', name: entry.name, agent: entry.nested?.agent.name ?? null };
  if (isSource(entry)) return { type: 'tool_source', name: entry.name };
  return { type: 'hosted', spec: entry };
}

function isFunction(entry: Entry): entry is Extract<Entry, { bind: unknown }> {
  return 'bind' in entry && typeof entry.bind === 'function';
}

function isSource(entry: Entry): entry is Extract<Entry, { listTools: unknown }> {
  return 'listTools' in entry && typeof entry.listTools === 'function';
}
