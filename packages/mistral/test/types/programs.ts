// Programs as users write them, with the packages as users install them. All of this must compile, and each @ts-expect-error must be an error: so
// each stays on the line above its error.
import { mistral } from '@polyrun/mistral';
import { Agent, Runner, tool, handoff, RunState, type Tool, type RunConfig, type Handoff, type Hooks, type InputGuardrail, type Item, type WireEvent, type ModelEvent, type Schema, type RunContext } from '@polyrun/core';
import { z } from 'zod';

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <T extends true>() => {};

// 1. README
const agent = new Agent({ name: 'Assistant', instructions: 'Reply very concisely.', model: 'mistral-small-latest' });
is<Eq<typeof agent, Agent<unknown, string>>>();
const result = await Runner.run(agent, 'x', { runConfig: { modelProvider: mistral({ apiKey: 'k' }) } });
is<Eq<typeof result.finalOutput, string | undefined>>();
const stream = Runner.runStreamed(agent, 'Tell me five jokes.', {});
for await (const event of stream.streamEvents()) {
  if (event.type === 'raw_response_event' && event.data.type === 'response.output_text.delta') {
    const d: string = event.data.delta;
    d;
  }
}
await stream.completed;

// 2. tool inference with zod
const weather = tool({ name: 'w', description: 'd', parameters: z.object({ city: z.string(), days: z.number().default(1) }), execute: (args, ctx) => { is<Eq<typeof args, { city: string; days: number }>>(); return args.city; } });
const t2 = tool({ name: 'w2', description: 'd', parameters: z.object({ n: z.number() }), execute: async ({ n }) => n + 1 });
const t3 = tool({ name: 'w3', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, execute: (args) => { is<Eq<typeof args, unknown>>(); return 1; } });
const t4 = tool({ name: 'w4', description: 'd', parameters: { type: 'object', properties: {} }, execute: (args: any) => args });

// 3. context
type Ctx = { userId: string };
const withCtx = tool({ name: 'c', description: 'd', parameters: z.object({ q: z.string() }), execute: (args, context: { context: Ctx }) => context.context.userId + args.q });
const withCtx2 = tool<Ctx, { q: string }>({ name: 'c', description: 'd', parameters: z.object({ q: z.string() }), execute: (args, c) => c.context.userId });
const a1 = new Agent<Ctx>({ name: 'a', tools: [weather, t2, t3, withCtx, { type: 'web_search' }] });
const a2 = new Agent({ name: 'a2', tools: [weather, t2, t3, withCtx2] });

// 4. outputType
const City = z.object({ city: z.string() });
const a3 = new Agent({ name: 'a3', outputType: City });
const r3 = await Runner.run(a3, 'x');
const c: string | undefined = r3.finalOutput?.city;
is<Eq<typeof r3.finalOutput, { city: string } | undefined>>();

// 5. handoffs of different O
const triage = new Agent({ name: 'triage', handoffs: [agent, a3, handoff(a3), handoff(agent, { inputSchema: z.object({ reason: z.string() }), onHandoff: ({ input }) => { is<Eq<typeof input, { reason: string }>>(); } })] });
const triageCtx = new Agent<Ctx>({ name: 'triage', handoffs: [a1, agent, a3] });
const circ: Agent<Ctx> = new Agent<Ctx>({ name: 'x', handoffs: () => [circ, a1] });

// 6. asTool
const at = a3.asTool({ toolName: 't' });
const a4 = new Agent({ name: 'a4', tools: [at] });

// 7. context required? 
// @ts-expect-error no context
await Runner.run(a1, 'x');
await Runner.run(a1, 'x', { context: { userId: '1' } });
// @ts-expect-error wrong ctx
await Runner.run(a1, 'x', { context: { wrong: 1 } });
const cfg: RunConfig = { modelProvider: mistral() };
await Runner.run(a1, 'x', { context: { userId: '1' }, runConfig: cfg });
const runner = new Runner({ modelProvider: mistral() });
await runner.run(a1, 'x', { context: { userId: '1' } });
await runner.run(agent, 'x');

// 8. hooks and guardrails
const hooks: Hooks<unknown> = { onAgentStart: ({ agent }) => { agent.name; } };
const hooksCtx: Hooks<Ctx> = { onToolStart: ({ context, tool, agent }) => { context.context.userId; } };
await Runner.run(a1, 'x', { context: { userId: '' }, hooks });
await Runner.run(a1, 'x', { context: { userId: '' }, hooks: hooksCtx });
const g: InputGuardrail<unknown> = { name: 'g', execute: () => ({ tripwireTriggered: false }) };
new Agent<Ctx>({ name: 'x', inputGuardrails: [g] });
// 9. wrong tool context must not compile
const nums = tool<number, { q: string }>({ name: 'c', description: 'd', parameters: z.object({ q: z.string() }), execute: (args, c) => c.context.toFixed() });
// @ts-expect-error a tool that wants a number
new Agent<Ctx>({ name: 'x', tools: [nums] });
// 10. wrong args
// @ts-expect-error args
tool({ name: 'c', description: 'd', parameters: z.object({ q: z.string() }), execute: (args: { n: number }) => args.n });
// 11. state
const st = RunState.fromString(a1, 'x');
await Runner.run(a1, st, { context: { userId: '' } });
await Runner.run(a3, RunState.fromString(a3, 'x'));
// 12. Items
const items: import('@polyrun/core').InputItem[] = [{ role: 'user', content: 'hi' }, { type: 'message', role: 'user', content: 'x' }];
function f(i: Item) {
  if (i.type === 'function_call') { const s: string = i.call_id; }
  switch (i.type) { case 'message': { const r = i.role; return r; } case 'reasoning': return i.summary.length; }
}
// 13. finalOutputAs with handoff union
const rt = await Runner.run(triage, 'x');
const asCity = rt.finalOutputAs(City);
is<Eq<typeof asCity, { city: string }>>();
// 14. clone changes O
const cl = agent.clone({ outputType: City });
// 15. toInputList + next
await Runner.run(agent, [...result.toInputList(), { role: 'user', content: 'What state is it in?' }]);
const withList = tool({ name: 'l', description: 'd', parameters: z.object({ q: z.string() }), needsApproval: ({ arguments: a }) => a.q === 'x', isEnabled: ({ runContext }) => true, execute: ({ q }) => q });
// 16 gather default model events narrowing
function ev(e: ModelEvent) { if (e.type === 'polyrun:response_done') { const x = e.response.usage.inputTokens; } if (e.type === 'polyrun:attempt_discarded') e.error.kind; if (e.type === 'response.completed') e.sequence_number; }

// 17 raw JSON schema with claimed args
const raw = tool({ name: 'r', description: 'd', parameters: { type: 'object', properties: { a: { type: 'string' } } }, execute: (args: { a: string }) => args.a });
new Agent({ name: 'x', tools: [raw] });
// 18 ToolContext annotation infers C
import type { ToolContext } from '@polyrun/core';
const tc = tool({ name: 'r', description: 'd', parameters: z.object({ q: z.string() }), execute: ({ q }, { context }: ToolContext<Ctx>) => q + context.userId });
const agentTc = new Agent({ name: 'x', tools: [tc, weather] });
await Runner.run(agentTc, 'x', { context: { userId: '1' } });
// @ts-expect-error missing ctx
await Runner.run(agentTc, 'x');
// 19 raw schema output through jsonSchema
import { jsonSchema } from '@polyrun/core';
const ja = new Agent({ name: 'j', outputType: jsonSchema<{ k: number }>({ type: 'object' }) });
const jr = await Runner.run(ja, 'x'); const k: number | undefined = jr.finalOutput?.k;
// 20 MCP etc: heterogeneous registry
const registry: Tool<never>[] = [weather, tc, nums];
const agents: import('@polyrun/core').AnyAgent[] = [agent, a1, a3, triage, agentTc];
// 21 instructions with ctx
const dyn = new Agent({ name: 'd', instructions: ({ runContext }: { runContext: RunContext<Ctx> }) => runContext.context.userId, tools: [weather] });
await Runner.run(dyn, 'x', { context: { userId: '1' } });
const dyn2 = new Agent({ name: 'd', instructions: ({ runContext }: { runContext: RunContext<Ctx> }) => runContext.context.userId, outputType: City });
const rd = await Runner.run(dyn2, 'x', { context: { userId: '' } });

is<Eq<typeof rd.finalOutput, { city: string } | undefined>>();
const cfgRunner = new Runner<Ctx>({ modelProvider: mistral(), hooks: hooksCtx });
await cfgRunner.run(a1, 'x', { context: { userId: '1' } });
// @ts-expect-error hooks want Ctx, agent's context is a number
await cfgRunner.run(new Agent({ name: 'n', tools: [nums] }), 'x', { context: 1 });
function sw(i: Item) { switch (i.type) { case 'message': return i.role; case 'function_call': return i.arguments; case 'function_call_output': return i.output; case 'reasoning': return i.summary.length; default: return i['anything']; } }

const st2 = Runner.runStreamed(agent, 'x');
for await (const event of st2) {
  if (event.type === 'run_item_stream_event') {
    if (event.item.type === 'tool_call_output_item') { const o: unknown = event.item.output; const e: boolean = event.item.isError; }
    if (event.item.type === 'message_output_item') { const t: string = event.item.text; }
    if (event.item.type === 'handoff_output_item') { const n: string = event.item.to.name; }
  } else if (event.type === 'agent_updated_stream_event') event.newAgent.name;
}
for (const i of result.interruptions) result.state.approve(i);
