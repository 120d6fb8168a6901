import { anthropic } from '@polyrun/anthropic';
import { chatCompletions } from '@polyrun/chat-completions';
import { Agent, MemorySession, Runner, tool, type Adaptation, type ModelSettings } from '@polyrun/core';
import { mistral } from '@polyrun/mistral';
import { openaiResponses } from '@polyrun/openai-responses';
import { z } from 'zod';
import { line, table } from './print.ts';
import type { Stage } from './scenes.ts';
import type { Target } from './target.ts';

/** Who answers over a wire. */
export type WireTarget = Target & { readonly wire: string };

/** A provider for each of the four wires, all played by the mock server. */
export function fourWires(url: string): WireTarget[] {
  const at = { apiKey: 'none', baseURL: `${url}/v1` };
  const [gpt, claude, small, deepseek] = ['gpt-5.6', 'claude-sonnet-4-5', 'mistral-small-latest', 'deepseek-reasoner'];
  const chat = { ...at, name: 'deepseek', defaultModel: deepseek };
  return [
    {
      name: 'openai',
      wire: 'Responses',
      model: gpt,
      modelProvider: openaiResponses({ ...at, name: 'openai', defaultModel: gpt }),
    },
    {
      name: 'anthropic',
      wire: 'Messages',
      model: claude,
      modelProvider: anthropic({ ...at, baseURL: url, defaultModel: claude }),
    },
    { name: 'mistral', wire: 'Mistral', model: small, modelProvider: mistral({ ...at, defaultModel: small }) },
    { name: 'deepseek', wire: 'Chat Completions', model: deepseek, modelProvider: chatCompletions(chat) },
  ];
}

/** What no wire has all of. */
const modelSettings: ModelSettings = { reasoning: { effort: 'high' }, seed: 7 };

/** The same agent on each wire, side by side. */
export async function oneAgent({ runConfig, wires }: Stage): Promise<void> {
  const weather = tool({
    name: 'weather',
    description: 'Tells the weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => ({ city, degrees: 4, sky: 'rain' }),
  });
  const agent = new Agent({
    name: 'Packer',
    instructions: 'Say what to pack for a trip.',
    tools: [weather],
    outputType: z.object({ city: z.string(), take: z.string() }),
  });
  const question = 'What shall I take to Oslo?';
  line('user', question);

  const rows = [];
  for (const { wire, modelProvider } of wires) {
    const startedAt = performance.now();
    const { hooks: _toldHere, ...quiet } = runConfig;
    const result = await Runner.run(agent, question, { runConfig: { ...quiet, modelProvider, modelSettings } });
    const ms = performance.now() - startedAt;
    const { inputTokens, outputTokens } = result.usage;
    const calls = result.newItems.flatMap((item) => (item.type === 'tool_call_item' ? [item.toolName] : []));
    const { city, take } = result.finalOutput ?? {};
    rows.push([
      wire,
      `${city}: ${take}`,
      calls.join(', '),
      `${inputTokens} + ${outputTokens}`,
      `${Math.round(ms)} ms`,
      kinds(result.adaptations),
    ]);
  }

  table(['wire', 'output', 'calls', 'tokens', 'time', 'adaptations'], rows);
}

/** One conversation that visits all four wires and comes home. */
export async function oneConversation({ runConfig, wires }: Stage): Promise<void> {
  const distance = tool({
    name: 'distance',
    description: 'Tells how far a planet is from the sun, in millions of kilometres.',
    parameters: z.object({ planet: z.string() }),
    execute: ({ planet }) => distances[planet] ?? 'unknown',
  });
  const agent = new Agent({ name: 'Stargazer', instructions: 'Measure planets, each only once.', tools: [distance] });
  const session = new MemorySession();

  for (const { name, modelProvider } of [...wires, ...wires.slice(0, 1)]) {
    const result = await Runner.run(agent, 'Measure a planet.', {
      session,
      runConfig: { ...runConfig, modelProvider, modelSettings: { reasoning: { effort: 'high' } } },
    });
    line(name, result.finalOutput);
    for (const words of told(result.adaptations)) line('adapted', words);
  }
}

const distances: { readonly [planet: string]: number } = {
  Mercury: 58,
  Venus: 108,
  Earth: 150,
  Mars: 228,
  Jupiter: 778,
};

/** Adaptations of a run, each kind once. */
function kinds(adaptations: readonly Adaptation[]): string {
  const names = adaptations.map(({ type, name }) => `${type} ${name}`);
  return [...new Set(names)].join(', ') || 'none';
}

/** What was adapted, each once with how often. */
function told(adaptations: readonly Adaptation[]): string[] {
  const counts = new Map<string, number>();
  for (const { type, name, detail } of adaptations) {
    const words = `${type} ${name}: ${detail}`;
    counts.set(words, (counts.get(words) ?? 0) + 1);
  }
  if (counts.size === 0) return ['nothing'];
  return [...counts].map(([words, count]) => (count === 1 ? words : `${words} (${count} times)`));
}
