import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  Agent,
  fallback,
  handoff,
  plan,
  Runner,
  tool,
  UserError,
  type Adaptation,
  type Capabilities,
  type Finding,
  type Model,
  type RunConfig,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { calling, spoken, toyModel } from '../run/toy-model.ts';

const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });
const toy = (capabilities: Capabilities = {}, name = 'toy-1') => {
  let opened = 0;
  const model = toyModel({
    name,
    capabilities,
    async *open() {
      opened += 1;
      yield* spoken('hi');
    },
  });
  return { model, opened: () => opened };
};
const lines = (findings: readonly Finding[] = []) => findings.map(({ feature, verdict }) => `${feature}: ${verdict}`);

describe('a plan', () => {
  test('tells what is native, without a request', async () => {
    const { model, opened } = toy();
    const agent = new Agent({
      name: 'A',
      model,
      tools: [ping],
      outputType: z.object({ a: z.string() }),
      modelSettings: { seed: 1 },
    });
    expect(await plan(agent, {})).toEqual([
      {
        agent: 'A',
        model: 'toy-1',
        findings: ['tool ping', 'output type', 'setting seed'].map((feature) => ({
          feature,
          verdict: 'native',
          detail: 'as asked',
        })),
      },
    ]);
    expect(opened()).toBe(0);
  });

  test('is made for each agent of the graph with the model that a run would give it', async () => {
    const b = new Agent({ name: 'B', model: 'two' });
    const inner = new Agent({ name: 'Inner', model: 'three' });
    const settings = { modelSettings: { topK: 3 } };
    const agent = new Agent({
      name: 'A',
      model: 'one',
      handoffs: [handoff(b)],
      tools: [inner.asTool({ runConfig: settings })],
    });
    const modelProvider = { name: 'p', getModel: (name = 'default') => toy({ settings: ['seed'] }, name).model };
    const plans = await plan(agent, { modelProvider, modelSettings: { seed: 2 } });
    expect(plans.map(({ agent: name, model, findings }) => [name, model, lines(findings)])).toEqual([
      ['A', 'one', ['tool inner: native', 'tool transfer_to_b: native', 'setting seed: native']],
      ['B', 'two', ['setting seed: native']],
      ['Inner', 'three', ['setting seed: native', 'setting topK: adapted']],
    ]);
    const forced = await plan(agent, { model: toy({}, 'four').model });
    expect(forced.map(({ model }) => model)).toEqual(['four', 'four', 'four']);
  });

  test('gives an agent as a tool the config that a run gives it', async () => {
    const innerModel = new ScriptedModel(['in']);
    const inner = new Agent({ name: 'Inner', model: innerModel });
    const model = new ScriptedModel([[call('inner', { input: 'go' })], 'out']);
    const agent = new Agent({
      name: 'A',
      model,
      tools: [inner.asTool({ runConfig: { modelSettings: { topK: 3 } } })],
    });
    const config: RunConfig = { modelSettings: { seed: 2 }, conversationId: 'conv_1' };
    const { findings } = (await plan(agent, config)).find(({ agent: name }) => name === 'Inner') ?? {};
    await Runner.run(agent, 'go', { runConfig: config });
    const [request] = innerModel.requests;
    expect(request?.conversationId).toBeUndefined();
    expect(lines(findings)).toEqual(Object.keys(request?.settings ?? {}).map((name) => `setting ${name}: native`));
  });

  test(verifies('E2', 'refuses what a run refuses: two agents of one name, what is no agent'), async () => {
    const { model } = toy();
    const twice = new Agent({ name: 'A', model, handoffs: [new Agent({ name: 'A', model })] });
    await expect(plan(twice, {})).rejects.toThrow("two of them have the name 'A'");
    await expect(plan(undefined as never, {})).rejects.toThrow('agent: expected an Agent');
  });

  test('has one part for each model of a fallback', async () => {
    const model = fallback(toy({ settings: [] }, 'a').model, toy({}, 'b').model);
    const plans = await plan(new Agent({ name: 'A', model, modelSettings: { seed: 1 } }), {});
    expect(plans.map(({ model: name, findings }) => [name, lines(findings)])).toEqual([
      ['a', ['setting seed: adapted']],
      ['b', ['setting seed: native']],
    ]);
  });

  test('tells what is impossible, thing by thing, and the rest all the same', async () => {
    const refusing: Model = {
      ...toy().model,
      preview: ({ tools, conversationId }) => {
        if (conversationId !== undefined) throw new UserError('conversationId: not here.');
        if (tools.some(({ type }) => type === 'web_search')) throw new UserError("tools: no hosted tool 'web_search'.");
        return [{ type: 'changed_schema', name: 'ping', detail: 'without minLength' }];
      },
    };
    const agent = new Agent({ name: 'A', model: refusing, tools: [ping, { type: 'web_search' }] });
    const [made] = await plan(agent, { conversationId: 'conv_1' });
    expect(made?.findings).toEqual([
      { feature: 'hosted tool web_search', verdict: 'impossible', detail: "tools: no hosted tool 'web_search'." },
      { feature: 'server state', verdict: 'impossible', detail: 'conversationId: not here.' },
      { feature: 'tool ping', verdict: 'weakened', detail: 'ping: without minLength' },
      expect.objectContaining({ feature: 'setting store' }),
    ]);
  });

  test('knows nothing of a model that cannot preview, and says so', async () => {
    const [made] = await plan(new Agent({ name: 'A', model: new ScriptedModel([]), tools: [ping] }), {});
    expect(made?.findings).toEqual([
      { feature: 'tool ping', verdict: 'native', detail: 'not known: scripted-model has no preview' },
    ]);
  });

  test('asks what depends on the context as a run would', async () => {
    const picky = tool({
      name: 'picky',
      description: '',
      parameters: { type: 'object' },
      execute: () => 1,
      isEnabled: ({ runContext }) => (runContext.context as { on?: boolean } | undefined)?.on === true,
    });
    const agent = new Agent({ name: 'A', model: toy().model, tools: [picky] });
    expect(lines((await plan(agent, {}))[0]?.findings)).toEqual([]);
    expect(lines((await plan(agent, {}, { context: { on: true } }))[0]?.findings)).toEqual(['tool picky: native']);
  });

  test('an agent without a model is an error, as in a run', async () => {
    await expect(plan(new Agent({ name: 'A' }), {})).rejects.toThrow(UserError);
  });
});

describe('what is found is what a run reports', () => {
  const outputType = z.object({ city: z.string() });
  test.each<[string, Capabilities, RunConfig]>([
    ['an output tool', { structuredOutput: 'without_tools' }, {}],
    ['an output type in words', { structuredOutput: 'none', forcedToolChoice: false }, {}],
    ['settings', { settings: ['seed'] }, { modelSettings: { seed: 1, topK: 2, reasoning: { effort: 'low' } } }],
    ['all of it', { structuredOutput: 'none', settings: ['toolChoice'] }, { modelSettings: { temperature: 1 } }],
    ['a forced tool', { structuredOutput: 'none' }, { modelSettings: { toolChoice: 'required' } }],
  ])('%s', async (_, capabilities, runConfig) => {
    const model = toyModel({
      capabilities,
      async *open({ tools }) {
        const name = tools.some((spec) => spec.name === 'final_output') ? 'final_output' : undefined;
        yield* name ? calling({ name, args: { city: 'Rome' } }) : spoken('{"city":"Rome"}');
      },
    });
    const agent = new Agent({ name: 'A', model, tools: [ping], outputType });
    const [made] = await plan(agent, runConfig);
    const result = await Runner.run(agent, 'go', { runConfig });
    const detail = ({ name, detail: words }: Adaptation) => `${name}: ${words}`;
    const found = made?.findings.filter(({ verdict }) => verdict !== 'native').map((finding) => finding.detail);
    expect(found?.toSorted()).toEqual(result.adaptations.map(detail).toSorted());
    expect(result.adaptations.length).toBeGreaterThan(0);
  });
});
