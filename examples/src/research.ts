// An editor asks several researchers at once, each an agent of its own, and writes a report from what they found.
//
//   node src/research.ts "Should our town build a tram?"
import { Agent, Runner, tool } from '@polyrun/core';
import { z } from 'zod';
import { runConfig } from './model.ts';

const notes = [
  'A tram line costs 20 to 40 million per kilometre and lasts for decades.',
  'Towns with trams see more people in their centres, and more shops.',
  'A modern bus line is built in two years, a tram line in eight.',
];

// Your search engine goes here.
const search = tool({
  name: 'search',
  description: 'Searches the library.',
  parameters: z.object({ words: z.string().describe('One or two words.') }),
  execute: ({ words }) => notes.filter((note) => words.split(' ').some((word) => note.includes(word))),
});

const researcher = new Agent({
  name: 'Researcher',
  instructions: 'Search for facts on your topic, then sum them up in two sentences.',
  tools: [search],
});

const editor = new Agent({
  name: 'Editor',
  instructions: 'Ask for research on three aspects of the question at once, then answer it in one paragraph.',
  tools: [
    researcher.asTool({
      toolName: 'research',
      toolDescription: 'Has one aspect researched.',
      parameters: z.object({ aspect: z.string() }),
      maxTurns: 5,
    }),
  ],
});

const stream = Runner.runStreamed(editor, process.argv[2] ?? 'Should our town build a tram?', {
  runConfig: { ...runConfig, limits: { totalTokens: 100_000 } },
});
for await (const event of stream) {
  if (event.type !== 'run_item_stream_event') continue;
  if (event.name === 'tool_called' && event.item.type === 'tool_call_item')
    console.log(`asked: ${event.item.arguments}`);
}
console.log(stream.finalOutput);
console.log(`${stream.usage.requests} requests, ${stream.usage.totalTokens} tokens`);
