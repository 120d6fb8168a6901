#!/usr/bin/env node
import { AgentsError } from '@polyrun/core';
import { Command } from 'commander';
import { start, type Options } from './start.ts';
import { styleFor } from './screen/style.ts';
import { messageOf } from './words.ts';

const program = new Command('chat')
  .description('A chat with your agents in the terminal, on any provider.')
  .option('-c, --config <file>', 'default: polyrun.config.ts here or in the nearest folder above')
  .option('-p, --provider <name>', 'begin with this provider')
  .option('-m, --model <name>', "begin with this model: `provider/model`, or a name of the config's")
  .option('-a, --agent <name>', 'begin with this agent')
  .option('-r, --resume', 'go on with the latest conversation')
  .option('-s, --session <name>', 'go on with this conversation, or begin one of this name')
  .option('--print [question]', 'print one answer and end; what is piped in goes behind the question')
  .option('-y, --yes', 'let tools run without asking')
  .option('--init', 'write a polyrun.config.ts to begin with')
  .configureOutput({
    outputError: (text) => complain(text.replace('error: ', '')),
  })
  .action(async (options: Options) => {
    process.exitCode = await start(options);
  });

// Package managers start a script in its package; the user is elsewhere.
if (process.env['npm_lifecycle_event'] === 'chat' && process.env['INIT_CWD']) process.chdir(process.env['INIT_CWD']);
try {
  // Some shells' habit: `pnpm chat -- --resume`.
  await program.parseAsync(process.argv.filter((argument, index) => index !== 2 || argument !== '--'));
} catch (error) {
  if (!(error instanceof AgentsError)) throw error;
  // Only the welcome of who has no config has several lines.
  complain(error.message.includes('\n') ? error.message : messageOf(error));
  process.exitCode = 1;
}

function complain(text: string): void {
  console.error(`${styleFor(process.stderr).red('error')} ${text.trim().replace(/\n\(/, ' (')}`);
}
