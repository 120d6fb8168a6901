import { Agent, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { runAgent } from '@polyrun/restate';
import { serve, service, type Context } from '@restatedev/restate-sdk';

/** Nothing outside is waited for: what is measured is the engine, and what a run adds to it. */
const look = tool({
  name: 'look',
  description: 'Looks something up.',
  parameters: { type: 'object', properties: { word: { type: 'string' } } },
  execute: () => 'a short answer',
});

const measured = service({
  name: 'measured',
  handlers: {
    /** Ten steps: start, twice prepare, model and tool, prepare, model, finish. */
    agent: async (ctx: Context) => {
      const turns = [[call('look', { word: 'a' }, 'a')], [call('look', { word: 'b' }, 'b')], 'done'];
      const agent = new Agent({ name: 'A', model: new ScriptedModel(turns), tools: [look] });
      const { finalOutput } = await runAgent(ctx, agent, { input: 'go' });
      return finalOutput;
    },
    /** As many steps without an agent. */
    bare: async (ctx: Context) => {
      for (let step = 0; step < 10; step++) await ctx.run(`step ${step}`, () => ({ step, text: 'a short answer' }));
      return 'done';
    },
  },
});

process.stdout.write(`listening on ${await serve({ services: [measured], port: Number(process.argv.at(-1)) })}\n`);
