#!/usr/bin/env node
import { Command } from 'commander';
import { serveTraces } from './server.ts';

const program = new Command('polyrun').description('Tools for people who write agents with Polyrun.');

program
  .command('trace')
  .description('show the traces of a file, as FileTraceProcessor writes it, in the browser')
  .argument('<file>', 'the file')
  .option('-p, --port <number>', 'the port to serve on; default: any free one', portOf)
  .action(async (file: string, { port }: { port?: number }) => {
    try {
      const { url } = await serveTraces(file, port === undefined ? {} : { port });
      process.stdout.write(`${file} is shown at ${url}; Ctrl-C ends it.\n`);
    } catch (error) {
      program.error(`polyrun trace: ${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  });

await program.parseAsync();

function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    program.error(`--port: expected a number up to 65535, got '${text}'.`);
  return port;
}
