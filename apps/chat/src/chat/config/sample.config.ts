import { tool } from '@polyrun/core';
import { anthropic } from '@polyrun/anthropic';
import { chatCompletions } from '@polyrun/chat-completions';
import { defineConfig } from '@polyrun/chat';
import { mistral } from '@polyrun/mistral';
import { openaiResponses } from '@polyrun/openai-responses';
import { z } from 'zod';

const currentTime = tool({
  name: 'current_time',
  description: 'The time now, in a time zone such as Europe/Oslo.',
  parameters: z.object({ timeZone: z.string() }),
  execute: ({ timeZone }) => new Date().toLocaleString('en', { timeZone, dateStyle: 'full', timeStyle: 'long' }),
});

export default defineConfig({
  // Keys come from MISTRAL_API_KEY and so on, in the environment or in a file .env beside this one.
  providers: {
    mistral: mistral({ defaultModel: 'mistral-small-latest' }),
    openai: openaiResponses({ defaultModel: 'gpt-4.1-mini' }),
    anthropic: anthropic({ defaultModel: 'claude-sonnet-4-5' }),
    ollama: chatCompletions({ name: 'ollama', defaultModel: 'llama3.2' }),
  },
  models: { cheap: 'mistral/mistral-small-latest', safe: { fallback: ['cheap', 'openai/gpt-4.1-mini'] } },
  model: 'cheap',
  agents: {
    Assistant: { instructions: 'Be helpful and brief. Answer in Markdown.', handoffs: ['Historian'] },
    Historian: { instructions: 'You tell of history, with dates.', handoffDescription: 'Knows history.' },
  },
  tools: [currentTime],
  // mcpServers: {
  //   files: {
  //     transport: { type: 'stdio', command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '.'] },
  //     needsApproval: ['write_file', 'edit_file', 'move_file'],
  //   },
  // },
  // What you pay for a million tokens, from your provider's price list:
  // prices: { 'mistral/mistral-small-latest': { input: 0, output: 0 } },
});
