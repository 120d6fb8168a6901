import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Agent, handoff, Runner, tool, UserError, type AnyAgent, type Tool } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection, toolNames } from './scripts.ts';

function named(name: string): Agent {
  return new Agent({ name, model: new ScriptedModel([`this is ${name}`]) });
}

/** The tool names that a model is offered for handoffs to agents of these names. */
async function offered(names: readonly string[], tools: readonly Tool[] = []): Promise<string[]> {
  const model = new ScriptedModel(['ok']);
  await Runner.run(new Agent({ name: 'Starting agent', model, handoffs: names.map(named), tools }), 'go');
  return toolNames(model.requests[0]);
}

describe('the names of handoffs', () => {
  test.for([
    ['Billing', 'transfer_to_billing'],
    ['Billing Agent', 'transfer_to_billing_agent'],
    ['v2.0-beta', 'transfer_to_v2_0_beta'],
    ['snake_case', 'transfer_to_snake_case'],
    ['Café 9', 'transfer_to_caf__9'],
  ] as const)(verifies('L7', '%s is offered as %s'), async ([name, toolName]) => {
    expect(await offered([name])).toEqual([toolName]);
  });

  test.for(['经理', 'Менеджер', '🤖', '---'])(
    verifies('L7', '%s, of which nothing remains, gets a hash of its name'),
    async (name) => {
      const [toolName] = await offered([name]);
      expect(toolName).toMatch(/^transfer_to__+[0-9a-z]{8}$/);
      expect(await offered([name])).toEqual([toolName]);
    },
  );

  test(verifies('L7', 'names that become the same are told apart by a hash'), async () => {
    const [first, second, third] = await offered(['Sales DE', 'Sales-DE', 'sales de']);
    expect(first).toBe('transfer_to_sales_de');
    expect(second).toMatch(/^transfer_to_sales_de_[0-9a-z]{8}$/);
    expect(third).toMatch(/^transfer_to_sales_de_[0-9a-z]{8}$/);
    expect(third).not.toBe(second);
  });

  test(verifies('L7', 'a name longer than 64 characters is cut and gets a hash'), async () => {
    const long = 'a'.repeat(70);
    const names = await offered([`${long}1`, `${long}2`]);
    expect(names.map((name) => name.length)).toEqual([64, 64]);
    expect(new Set(names).size).toBe(2);
    expect(await offered(['a'.repeat(52)])).toEqual([`transfer_to_${'a'.repeat(52)}`]);
    expect((await offered(['a'.repeat(53)]))[0]).toMatch(/^transfer_to_a+_[0-9a-z]{8}$/);
  });

  test(verifies('L7', 'any two agents are offered under two legal names'), async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(
          fc.string({ unit: fc.constantFrom('a', 'B', '_', '-', ' ', 'é', '经'), minLength: 1, maxLength: 70 }),
          {
            minLength: 1,
            maxLength: 6,
          },
        ),
        async (names) => {
          const given = names.filter((name) => name.trim() !== '');
          const toolsOf = await offered(given);
          expect(new Set(toolsOf).size).toBe(given.length);
          for (const toolName of toolsOf) expect(toolName).toMatch(/^[a-z0-9_]{1,64}$/);
        },
      ),
      { numRuns: 60 },
    );
  });

  test(verifies('L7', 'each name leads to its agent, also where names collide'), async () => {
    const agents = ['Sales DE', 'Sales-DE', '经理', '董事'].map(named);
    for (const [index, agent] of agents.entries()) {
      const model = new ScriptedModel([
        ({ tools }) => [call(toolNames({ tools, input: [], settings: {} })[index] ?? '')],
      ]);
      const result = await Runner.run(new Agent({ name: 'Start', model, handoffs: agents }), 'go');
      expect(result.finalOutput).toBe(`this is ${agent.name}`);
      expect(result.lastAgent).toBe(agent);
    }
  });

  test('a handoff is described to the model, with a schema that takes nothing', async () => {
    const model = new ScriptedModel(['ok']);
    const billing = new Agent({ name: 'Billing', handoffDescription: 'Knows invoices.', model });
    await Runner.run(new Agent({ name: 'Start', model, handoffs: [billing] }), 'go');
    expect(model.requests[0]?.tools).toMatchObject([
      {
        type: 'function',
        name: 'transfer_to_billing',
        description: expect.stringContaining('Knows invoices.'),
        parameters: { type: 'object', properties: {}, additionalProperties: false },
      },
    ]);
  });

  test('toolName and toolDescription are the user’s', async () => {
    const model = new ScriptedModel([[call('escalate')]]);
    const boss = named('Boss');
    const handoffs = [handoff(boss, { toolName: 'escalate', toolDescription: 'Asks the boss.' })];
    const result = await Runner.run(new Agent({ name: 'Start', model, handoffs }), 'go');
    expect(model.requests[0]?.tools).toMatchObject([{ name: 'escalate', description: 'Asks the boss.' }]);
    expect(result.lastAgent).toBe(boss);
  });
});

describe('the names of agents as tools', () => {
  async function toolsOffered(tools: readonly Tool[]): Promise<string[]> {
    const model = new ScriptedModel(['ok']);
    await Runner.run(new Agent({ name: 'Start', model, tools }), 'go');
    return toolNames(model.requests[0]);
  }

  test(verifies('L7', 'follow the same rule, without the prefix'), async () => {
    expect(await toolsOffered([named('Data Analyst').asTool()])).toEqual(['data_analyst']);
    expect((await toolsOffered([named('经理').asTool()]))[0]).toMatch(/^_+[0-9a-z]{8}$/);
    expect((await toolsOffered([named('a'.repeat(65)).asTool()]))[0]).toMatch(/^a{55}_[0-9a-z]{8}$/);
    const colliding = await toolsOffered([named('A B').asTool(), named('A-B').asTool()]);
    expect(colliding).toEqual(['a_b', expect.stringMatching(/^a_b_[0-9a-z]{8}$/)]);
  });

  test(verifies('L7', 'give way to a name that the user chose, wherever it stands'), async () => {
    const search = tool({ name: 'search', description: 'S.', parameters: { type: 'object' }, execute: () => 'found' });
    const hashed = expect.stringMatching(/^search_[0-9a-z]{8}$/) as string;
    expect(await toolsOffered([search, named('Search').asTool()])).toEqual(['search', hashed]);
    expect(await toolsOffered([named('Search').asTool(), search])).toEqual([hashed, 'search']);
    expect(await toolsOffered([named('Search').asTool(), named('Other').asTool({ toolName: 'search' })])).toEqual([
      hashed,
      'search',
    ]);
  });

  test(verifies('L7', 'a handoff gives way, too'), async () => {
    const clash = tool({
      name: 'transfer_to_sales',
      description: 'T.',
      parameters: { type: 'object' },
      execute: () => 'moved',
    });
    expect(await offered(['Sales'], [clash])).toEqual([
      'transfer_to_sales',
      expect.stringMatching(/^transfer_to_sales_[0-9a-z]{8}$/),
    ]);
  });

  test('two names that the user chose must differ', async () => {
    const model = new ScriptedModel(['ok']);
    const twice = [1, 2].map(() =>
      tool({ name: 'search', description: 'S.', parameters: { type: 'object' }, execute: () => 'found' }),
    );
    const error = await rejection(Runner.run(new Agent({ name: 'A', model, tools: twice }), 'go'));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain("Agent 'A' tools: two tools or handoffs are called 'search'");
    expect(model.requests).toHaveLength(0);
  });
});

describe('the graph of agents', () => {
  const clash = /two of them have the name 'Twin'/;

  async function refused(agent: AnyAgent, model: ScriptedModel): Promise<void> {
    const error = await rejection(Runner.run(agent as Agent, 'go'));
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(clash);
    await expect(Runner.runStreamed(agent as Agent, 'go').completed).rejects.toThrow(clash);
    expect(model.requests).toHaveLength(0);
  }

  test(verifies('L13', 'two agents of one name are refused before any model call, wherever they stand'), async () => {
    const model = new ScriptedModel(['ok']);
    const [one, two] = [1, 2].map((n) => new Agent({ name: 'Twin', instructions: `${n}`, model })) as [Agent, Agent];
    await refused(new Agent({ name: 'A', model, handoffs: [one, two] }), model);
    await refused(new Agent({ name: 'A', model, tools: [one.asTool(), two.asTool({ toolName: 'other' })] }), model);
    await refused(new Agent({ name: 'A', model, handoffs: [one], tools: [two.asTool()] }), model);
    await refused(new Agent({ name: 'Twin', model, handoffs: [one] }), model);
    const middle = new Agent({
      name: 'Middle',
      model,
      tools: [new Agent({ name: 'Deep', model, handoffs: [two] }).asTool()],
    });
    await refused(new Agent({ name: 'A', model, handoffs: [one, middle] }), model);
  });

  test(verifies('L13', 'one agent may be reached in many ways, also in a circle'), async () => {
    const model = new ScriptedModel([[call('transfer_to_b', {}, '1')], [call('transfer_to_a', {}, '2')], 'done']);
    const shared = named('Shared');
    const a: Agent = new Agent({ name: 'A', model, handoffs: () => [b, shared], tools: [shared.asTool()] });
    const b: Agent = new Agent({ name: 'B', model, handoffs: () => [a, shared] });
    const result = await Runner.run(a, 'go');
    expect(result.lastAgent).toBe(a);
    expect(result.finalOutput).toBe('done');
  });
});
