import { fileURLToPath } from 'node:url';

/** What a program imports, by name of the package: `agent` for a model of its own, `chat` for any chat completions endpoint. */
export const imports: {
  readonly [name: string]: { readonly agent: readonly string[]; readonly chat: readonly string[] };
} = {
  '@polyrun/core': { agent: ['@polyrun/core'], chat: ['@polyrun/core', '@polyrun/chat-completions'] },
  '@openai/agents-core': {
    agent: ['@openai/agents-core'],
    chat: ['@openai/agents-core', '@openai/agents-openai', 'openai'],
  },
  ai: { agent: ['ai'], chat: ['ai', '@ai-sdk/openai-compatible'] },
  '@mariozechner/pi-agent-core': {
    agent: ['@mariozechner/pi-agent-core'],
    chat: ['@mariozechner/pi-agent-core', '@mariozechner/pi-ai/openai-completions'],
  },
  '@mastra/core': {
    agent: ['@mastra/core/agent', '@mastra/core/tools'],
    chat: ['@mastra/core/agent', '@mastra/core/tools'],
  },
};

/** The source of the minimal program of that kind: one agent with one tool. */
export function programOf(name: string, kind: 'agent' | 'chat'): string {
  const file = name.replace('@', '').replaceAll('/', '-');
  return fileURLToPath(new URL(`../programs/${kind}/${file}.ts`, import.meta.url));
}
