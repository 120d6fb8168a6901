import { types } from 'node:util';
import { UserError, type Agent, type AnyAgent, type RunConfig, type RunOptions } from '@polyrun/core';

/** A part of a program by what it is called, in any depth. */
type Named = readonly [name: string, part: unknown];

/** Finds what is declared asynchronous before anything begins. What only turns out to give a promise is found when it does. */
export function checkSynchronous<C>(agent: Agent<C, unknown>, options: RunOptions<C>): void {
  const { runConfig = {}, hooks, errorHandlers } = options;
  checkAll([...members('hooks', hooks), ...members('errorHandlers', errorHandlers), ...configParts(runConfig)]);
  checkAgents(agent, new Set());
}

function checkAgents(agent: AnyAgent, seen: Set<AnyAgent>): void {
  // What is no agent at all is told so by the run itself.
  if (seen.has(agent) || !Array.isArray(agent?.tools)) return;
  seen.add(agent);
  checkAll(agentParts(agent));
  for (const entry of agent.handoffs) checkAgents('type' in entry ? entry.agent : entry, seen);
  for (const entry of agent.tools) {
    if (!('nested' in entry) || typeof entry.nested !== 'object') continue;
    const { agent: inner, runConfig = {}, ...rest } = entry.nested;
    checkAll([...configParts(runConfig), [`tool '${entry.name}' outputExtractor`, rest.outputExtractor]]);
    if (rest.onStream) throw new UserError(`tool '${entry.name}' onStream: runSync does not stream; leave it out.`);
    checkAgents(inner, seen);
  }
}

function agentParts(agent: AnyAgent): Named[] {
  const of = `agent '${agent.name}'`;
  const { instructions, toolUseBehavior, inputGuardrails, outputGuardrails } = agent;
  return [
    [`${of} instructions`, instructions],
    [`${of} toolUseBehavior`, toolUseBehavior],
    ...members(`${of} hooks`, agent.hooks),
    ...guardrails(`${of} input guardrail`, inputGuardrails),
    ...guardrails(`${of} output guardrail`, outputGuardrails),
    ...agent.tools.flatMap((entry) => ('name' in entry ? toolParts(entry) : [])),
    ...agent.handoffs.flatMap((entry) => ('type' in entry ? members(`handoff '${entry.toolName}'`, entry) : [])),
  ];
}

function toolParts(tool: AnyAgent['tools'][number] & { readonly name?: unknown }): Named[] {
  const of = `tool '${String(tool.name)}'`;
  const { inputGuardrails, outputGuardrails } = Object.assign({ inputGuardrails: [], outputGuardrails: [] }, tool);
  return [
    ...members(of, tool),
    ...guardrails(`${of} input guardrail`, inputGuardrails),
    ...guardrails(`${of} output guardrail`, outputGuardrails),
  ];
}

function configParts({ hooks, inputGuardrails, outputGuardrails, retry, ...rest }: RunConfig<never>): Named[] {
  return [
    ...members('runConfig', rest),
    ...members('runConfig.hooks', hooks),
    ...members('runConfig.retry', retry),
    ...guardrails('runConfig input guardrail', inputGuardrails),
    ...guardrails('runConfig output guardrail', outputGuardrails),
  ];
}

function members(of: string, whole: object | undefined): Named[] {
  return Object.entries(whole ?? {}).map(([name, part]) => [`${of} ${name}`, part]);
}

function guardrails(of: string, list: unknown): Named[] {
  if (!Array.isArray(list)) return [];
  return list.map((each): Named => [`${of} '${Object(each).name}'`, Object(each).execute]);
}

function checkAll(parts: readonly Named[]): void {
  const found = parts.find(([, part]) => types.isAsyncFunction(part));
  if (found === undefined) return;
  throw new UserError(
    `${found[0]}: it is asynchronous, and runSync cannot wait. Make it synchronous, or use Runner.run.`,
  );
}
