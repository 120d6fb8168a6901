import { parseArgs } from 'node:util';
import { MemorySession } from '@polyrun/core';
import { agentWorkflow, runAgent } from '@polyrun/restate';
import { serve, service, type Context } from '@restatedev/restate-sdk';
import { witnessed } from '@polyrun/wires/witness';
import { assistant } from '@polyrun/wires/assistant';

/** A worker process: serves agents to Restate until it is killed. */
const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    witness: { type: 'string' },
    extra: { type: 'string', multiple: true },
    shifted: { type: 'boolean' },
  },
});
const { port = '0', witness = '', extra = [], shifted = false } = values;
const agent = assistant(witness, extra);
const tell = (name: string, key: string) => witnessed(witness, { key, name }, () => undefined);

type HandlerRequest = { input: string; deadlineMs?: number; answerWithinMs?: number; remembers?: boolean };

/** A plain handler that asks people through awakeables alone, and tells what happens as it happens. */
const handlers = service({
  name: 'handlers',
  handlers: {
    run: async (ctx: Context, { input, deadlineMs, answerWithinMs, remembers }: HandlerRequest) => {
      // Another program: it does something before.
      if (shifted) await ctx.run('something else', () => 1);
      const { finalOutput } = await runAgent(ctx, agent, {
        input,
        deadlineMs,
        answerWithinMs,
        ...(remembers && { session: new MemorySession() }),
        onQuestion: ({ id, problem = '' }) => tell(`question ${problem}`.trim(), id),
      });
      return finalOutput;
    },
    streamed: async (ctx: Context, { input }: { input: string }) => {
      const { finalOutput } = await runAgent(ctx, agent, {
        input,
        onEvent: (event) =>
          event.type === 'raw_response_event' && event.data.type === 'response.output_text.delta'
            ? tell('delta', event.data.delta)
            : undefined,
      });
      return finalOutput;
    },
    failing: async (ctx: Context, { input }: { input: string }) => {
      await runAgent(ctx, agent, { input, maxTurns: 1 });
    },
  },
});
const workflow = agentWorkflow({
  name: 'assistant',
  agent,
  options: { inactivityTimeout: { seconds: 1 }, abortTimeout: { minutes: 10 } },
});
/** The same with little patience: Restate gives up an attempt that says nothing for so long. */
const impatient = agentWorkflow({
  name: 'impatient',
  agent,
  options: { inactivityTimeout: { milliseconds: 300 }, abortTimeout: { milliseconds: 300 } },
});
const bound = await serve({ services: [workflow, impatient, handlers], port: Number(port) });
process.stdout.write(`listening on ${bound}\n`);
