import { describe, expect, test } from 'vitest';
import { Agent, handoff, Runner, tool, type Model, type ModelProvider, type ModelSettings } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';

/** A provider that makes models which answer with their own name. */
function naming(): ModelProvider & { asked: (string | undefined)[] } {
  const asked: (string | undefined)[] = [];
  return {
    name: 'naming',
    asked,
    getModel(name): Model {
      asked.push(name);
      return new ScriptedModel([name ?? 'the default']);
    },
  };
}

describe('the model', () => {
  test(verifies('L2', "the run config's beats the agent's"), async () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['of the agent']) });
    const model = new ScriptedModel(['of the run']);
    expect((await Runner.run(agent, 'go', { runConfig: { model } })).finalOutput).toBe('of the run');
  });

  test(verifies('L2', 'names are looked up in the provider, the run config first'), async () => {
    const modelProvider = naming();
    const agent = new Agent({ name: 'A', model: 'large' });
    expect((await Runner.run(agent, 'go', { runConfig: { modelProvider } })).finalOutput).toBe('large');
    expect((await Runner.run(agent, 'go', { runConfig: { modelProvider, model: 'small' } })).finalOutput).toBe('small');
  });

  test(verifies('L2', "without any name it is the provider's default"), async () => {
    const modelProvider = naming();
    const result = await Runner.run(new Agent({ name: 'A' }), 'go', { runConfig: { modelProvider } });
    expect(result.finalOutput).toBe('the default');
    expect(modelProvider.asked).toEqual([undefined]);
  });

  test(verifies('L2', 'each agent of a run has its own'), async () => {
    const second = new Agent({ name: 'Second', model: 'large' });
    const first = new Agent({
      name: 'First',
      model: new ScriptedModel([[call('transfer_to_second')]]),
      handoffs: [second],
    });
    const runConfig = { modelProvider: naming() };
    expect((await Runner.run(first, 'go', { runConfig })).finalOutput).toBe('large');
  });

  test('one config serves many runs of a runner; the options of a run overlay it', async () => {
    const runner = new Runner({ modelProvider: naming(), model: 'bound' });
    const agent = new Agent({ name: 'A' });
    expect((await runner.run(agent, 'go')).finalOutput).toBe('bound');
    expect((await runner.run(agent, 'go', { runConfig: { model: 'given' } })).finalOutput).toBe('given');
    expect((await runner.run(agent, 'go')).finalOutput).toBe('bound');
  });
});

describe('the settings', () => {
  async function settingsSent(of: { agent?: ModelSettings; run?: ModelSettings }): Promise<ModelSettings | undefined> {
    const model = new ScriptedModel(['ok']);
    await Runner.run(new Agent({ name: 'A', model, modelSettings: of.agent }), 'go', {
      runConfig: { modelSettings: of.run },
    });
    return model.requests[0]?.settings;
  }

  test(verifies('L2', "the run config's fields overlay the agent's, one by one"), async () => {
    const sent = await settingsSent({
      agent: { temperature: 0.1, maxTokens: 100, reasoning: { effort: 'low' } },
      run: { temperature: 0, topP: 0.5, stop: [] },
    });
    expect(sent).toEqual({ temperature: 0, maxTokens: 100, reasoning: { effort: 'low' }, topP: 0.5, stop: [] });
  });

  test(verifies('L2', 'null and undefined in the run config leave what the agent says'), async () => {
    const run = { temperature: null, topP: undefined } as unknown as ModelSettings;
    expect(await settingsSent({ agent: { temperature: 0.1, topP: 0.2 }, run })).toEqual({
      temperature: 0.1,
      topP: 0.2,
    });
  });

  test(verifies('L2', 'either may be missing'), async () => {
    expect(await settingsSent({})).toEqual({});
    expect(await settingsSent({ agent: { seed: 1 } })).toEqual({ seed: 1 });
    expect(await settingsSent({ run: { seed: 2 } })).toEqual({ seed: 2 });
  });

  test('options for providers are merged by provider', async () => {
    const sent = await settingsSent({
      agent: { providerOptions: { mistral: { safe_prompt: true, a: 1 }, openai: { user: 'u' } } },
      run: { providerOptions: { mistral: { a: 2 } } },
    });
    expect(sent?.providerOptions).toEqual({ mistral: { safe_prompt: true, a: 2 }, openai: { user: 'u' } });
  });
});

describe('a forced tool choice', () => {
  const ping = tool({ name: 'ping', description: 'Pings.', parameters: { type: 'object' }, execute: () => 'pong' });

  function choices(model: ScriptedModel): unknown[] {
    return model.requests.map(({ settings }) => settings.toolChoice);
  }

  test.for(['required', { name: 'ping' }] as const)(
    verifies('L10', '%j applies until a tool has run, then is lifted'),
    async (toolChoice) => {
      const model = new ScriptedModel([[call('ping', {}, 'a')], [call('ping', {}, 'b')], 'done']);
      const agent = new Agent({ name: 'A', model, tools: [ping], modelSettings: { toolChoice, temperature: 0 } });
      await Runner.run(agent, 'go');
      expect(choices(model)).toEqual([toolChoice, undefined, undefined]);
      expect(model.requests.map(({ settings }) => settings.temperature)).toEqual([0, 0, 0]);
    },
  );

  test(verifies('L10', 'stays with resetToolChoice: false'), async () => {
    const model = new ScriptedModel([[call('ping')], 'done']);
    const modelSettings = { toolChoice: 'required' } as const;
    await Runner.run(new Agent({ name: 'A', model, tools: [ping], modelSettings, resetToolChoice: false }), 'go');
    expect(choices(model)).toEqual(['required', 'required']);
  });

  test.for(['auto', 'none'] as const)(verifies('L10', '%s forces nothing and is never lifted'), async (toolChoice) => {
    const model = new ScriptedModel([[call('ping')], 'done']);
    await Runner.run(new Agent({ name: 'A', model, tools: [ping], modelSettings: { toolChoice } }), 'go');
    expect(choices(model)).toEqual([toolChoice, toolChoice]);
  });

  test(verifies('L10', 'an unknown tool is none'), async () => {
    const model = new ScriptedModel([[call('pong')], [call('ping')], 'done']);
    const modelSettings = { toolChoice: 'required' } as const;
    await Runner.run(new Agent({ name: 'A', model, tools: [ping], modelSettings }), 'go');
    expect(choices(model)).toEqual(['required', 'required', undefined]);
  });

  test(verifies('L10', 'a handoff is none, and each agent has its own choice'), async () => {
    const modelSettings = { toolChoice: 'required' } as const;
    const model = new ScriptedModel([
      [call('transfer_to_b', {}, '1')],
      [call('ping', {}, '2')],
      [call('transfer_to_a', {}, '3')],
      [call('ping', {}, '4')],
      [call('transfer_to_b', {}, '5')],
      'done',
    ]);
    const a: Agent = new Agent({ name: 'a', model, tools: [ping], modelSettings, handoffs: () => [b] });
    const b: Agent = new Agent({ name: 'b', model, tools: [ping], modelSettings, handoffs: [handoff(a)] });
    await Runner.run(a, 'go');
    // a, b, b after its tool, a again without one, a after its tool, b which has run one before.
    expect(choices(model)).toEqual(['required', 'required', undefined, 'required', undefined, undefined]);
  });

  test('agents whose names look like another one after its tool keep their own plans', async () => {
    const model = new ScriptedModel([[call('ping', {}, '1')], [call('transfer_to_a_used', {}, '2')], 'done']);
    const other = new Agent({ name: 'a/used', instructions: 'Other.', model });
    const a = new Agent({ name: 'a', instructions: 'One.', model, tools: [ping], handoffs: [other] });
    await Runner.run(a, 'go');
    expect(model.requests.map(({ instructions }) => instructions)).toEqual(['One.', 'One.', 'Other.']);
  });
});
