import { describe, expect, test } from 'vitest';
import { Agent, UserError } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { defineConfig } from '../../src/chat/index.ts';
import { checkConfig } from '../../src/chat/config/check-config.ts';
import { setUp } from '../../src/chat/setup.ts';

const model = new ScriptedModel(['Yes.']);
const p = { name: 'p', getModel: () => model };
const providers = { p };

function problemOf(config: unknown): string {
  try {
    checkConfig(config, 'polyrun.config.ts');
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return '';
}

describe('a wrong config is told with file, field and fix:', () => {
  test.each<[string, unknown, RegExp]>([
    ['nothing exported', undefined, /no default export; write `export default defineConfig/],
    ['no object', 'mistral', /: expected an object: `export default defineConfig/],
    ['no providers', {}, /: providers: expected an object, such as `\{ mistral: mistral\(\) \}`\.$/],
    ['empty providers', { providers: {} }, /: providers: expected at least one provider/],
    ['no provider', { providers: { a: 'mistral' } }, /: providers\.a: expected a provider, such as `mistral\(\)`/],
    [
      'an unknown field',
      { providers, modle: 'x' },
      /: modle: there is no such field; known are providers, models, model,/,
    ],
    [
      'a model of nobody',
      { providers, model: 'q/x' },
      /: model: 'q\/x' names no provider; write 'provider\/model'.* of p\.$/,
    ],
    ['no name for a model', { providers, model: 7 }, /: model: expected a model's name/],
    ["a name of nobody's model", { providers, models: { a: 'q/x' } }, /: models\.a: 'q\/x' names no provider/],
    [
      'in a fallback',
      { providers, models: { a: { fallback: ['p/x', { model: 'q/y', on: [] }] } } },
      /: models\.a: 'q\/y'/,
    ],
    ['no agents', { providers, agents: {} }, /: agents: expected at least one agent/],
    ['no agent', { providers, agents: { A: 'Be brief.' } }, /: agents\.A: expected an agent: `\{ instructions: … \}`/],
    ['an unknown agent', { providers, agents: { A: {} }, agent: 'B' }, /: agent: there is no 'B'; known are A\.$/],
    ['an unknown agent without any', { providers, agent: 'B' }, /: agent: there is no 'B'; known are Assistant\.$/],
    [
      'a handoff to nobody',
      { providers, agents: { A: { handoffs: ['B'] } } },
      /: agents\.A\.handoffs\[0\]: there is no 'B'/,
    ],
    ['no list of handoffs', { providers, agents: { A: { handoffs: 'B' } } }, /: agents\.A\.handoffs: expected a list/],
    [
      "an agent's model",
      { providers, agents: { A: { model: 'q/x' } } },
      /: agents\.A\.model: 'q\/x' names no provider/,
    ],
    ['two names', { providers, agents: { A: new Agent({ name: 'B' }) } }, /: agents\.A: this agent is called 'B'/],
    ['no tool', { providers, tools: ['clock'] }, /: tools\[0\]: expected a tool, made with `tool\(/],
    ['no transport', { providers, mcpServers: { s: {} } }, /: mcpServers\.s\.transport: expected a transport/],
    [
      'a price in words',
      { providers, prices: { a: { input: 'low', output: 1 } } },
      /: prices\.a\.input: expected a price/,
    ],
    [
      'an unknown price',
      { providers, prices: { a: { input: 1, output: 1, cache: 1 } } },
      /: prices\.a\.cache: .* known are input, output,/,
    ],
    ['no currency', { providers, currency: 'euro' }, /: currency: expected a currency's code/],
    [
      'a provider in runConfig',
      { providers, runConfig: { modelProvider: p } },
      /: runConfig\.modelProvider: .* field providers/,
    ],
  ])('%s', (_, config, problem) => {
    expect(problemOf(config)).toMatch(/^polyrun\.config\.ts: /);
    expect(problemOf(config)).toMatch(problem);
  });

  test('a right one is not', () => {
    expect(problemOf({ providers, models: { a: 'p/x', b: { fallback: ['a', 'p'] } }, model: 'b' })).toBe('');
  });
});

describe('a config becomes', () => {
  test('agents that hand off to each other, with the tools of all; an Agent keeps what it has', async () => {
    const outsider = new Agent({ name: 'Outsider' });
    const own = new Agent<unknown, unknown>({ name: 'C', handoffs: [outsider] });
    const tool = { type: 'web_search' };
    const config = defineConfig({
      providers,
      agents: { A: { handoffs: ['B'], tools: [{ type: 'own' }] }, B: { handoffs: ['A', 'C'] }, C: own },
      agent: 'B',
      tools: [tool],
    });
    const { agents, firstAgent } = await setUp(config, '/');
    expect([...agents.keys()]).toEqual(['A', 'B', 'C', 'Outsider']);
    expect(firstAgent).toBe(agents.get('B'));
    expect(agents.get('A')?.handoffs).toEqual([agents.get('B')]);
    expect(agents.get('A')?.tools).toEqual([{ type: 'own' }, tool]);
    expect(agents.get('C')).toBe(own);
  });

  test("one assistant where no agents are named, and the first provider's default model", async () => {
    const { agents, modelProvider } = await setUp(defineConfig({ providers }), '/');
    expect([...agents.keys()]).toEqual(['Assistant']);
    expect(modelProvider.getModel()).toBe(model);
  });
});
