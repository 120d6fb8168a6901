// An agent that works in one folder, with the tools of an MCP server. It reads as it likes; before it writes, it asks.
//
//   node src/file-agent.ts ./notes "What is in todo.txt? Write a summary to summary.txt."
import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { Agent, Runner } from '@polyrun/core';
import { isDestructive, mcpServer } from '@polyrun/mcp';
import { runConfig } from './model.ts';

const [folder = '.', task = 'What is in this folder?'] = process.argv.slice(2);
const program = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-filesystem/dist/index.js'));

await using files = mcpServer({
  name: 'files',
  transport: { type: 'stdio', command: process.execPath, args: [program, folder] },
  needsApproval: ({ tool }) => isDestructive(tool),
});
const clerk = new Agent({
  name: 'Clerk',
  instructions: `Work with the files in ${folder}. Use full paths.`,
  tools: [files],
});

const terminal = createInterface({ input: process.stdin, output: process.stdout });
const answers = terminal[Symbol.asyncIterator]();
let result = await Runner.run(clerk, task, { runConfig });
while (result.interruptions.length > 0) {
  for (const item of result.interruptions) {
    process.stdout.write(`${item.toolName} ${item.arguments}\nAllow? (y/n) `);
    const { value: answer } = await answers.next();
    if (answer === 'y') result.state.approve(item);
    else result.state.reject(item);
  }
  result = await Runner.run(clerk, result.state, { runConfig });
}
terminal.close();
console.log(result.finalOutput);
