import { Agent, RunState, tool, type AgentOptions, type Item, type RunResult } from '../../src/index.ts';
import { ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';

export type Result = RunResult<unknown, unknown>;
export const parameters = { type: 'object' };

/** Tools that note what they ran with. */
export function workshop() {
  const ran: { name: string; args: unknown; callId: string; key: string }[] = [];
  const make = (name: string, needsApproval: boolean) =>
    tool({
      name,
      description: `Does ${name}.`,
      parameters,
      needsApproval,
      execute: (args, { callId, idempotencyKey: key }) => {
        ran.push({ name, args, callId, key });
        return `${name} done`;
      },
    });
  return { ran, free: make('free', false), pay: make('pay', true), mail: make('mail', true) };
}

export function agentOf(turns: readonly ScriptedTurn[], more: Partial<AgentOptions<unknown, string>> = {}) {
  const shop = workshop();
  const model = new ScriptedModel(turns);
  const agent = new Agent({ name: 'A', model, tools: [shop.free, shop.pay, shop.mail], ...more });
  return { ...shop, model, agent };
}

/** A state as another process has it. */
export const reloaded = (agent: Agent, { state }: Result) => RunState.fromString(agent, state.toString());
export const waiting = (result: Pick<Result, 'interruptions'>) => result.interruptions.map(({ callId }) => callId);
export const itemOf = (state: RunState, callId: string) => {
  const item = state.interruptions.find((each) => each.callId === callId);
  if (!item) throw new Error(`Nothing waits as ${callId}.`);
  return item;
};
export const argumentsIn = (items: readonly Item[] | undefined) =>
  Object.fromEntries(
    (items ?? []).flatMap((item) => (item.type === 'function_call' ? [[item.call_id, item.arguments]] : [])),
  );
