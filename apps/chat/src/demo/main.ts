import { resolve } from 'node:path';
import { AgentsError, ModelError, type ModelErrorKind, type RunConfig } from '@polyrun/core';
import { Command } from 'commander';
import dotenv from 'dotenv';
import { complain, heading, intro, summary } from './print.ts';
import { Runs } from './runs.ts';
import { scenes } from './scenes.ts';
import { startMockServer } from './server.ts';
import { chosenTarget, mockTarget, namedTarget, type TargetOptions } from './target.ts';
import { fourWires } from './wires.ts';

type Options = TargetOptions & { swapTo?: string; mock?: boolean };

/** What to look at when a provider fails in this way. */
const advice: { readonly [K in ModelErrorKind]?: string } = {
  auth: 'Check the key.',
  network: 'Is the server running, and is the address right?',
  not_found: 'Check --model and --base-url.',
  protocol: 'Check --base-url.',
};

const program = new Command('demo')
  .description('Runs the first examples of the Agents SDK, on a local mock server or on any chat-completions endpoint.')
  .option('-p, --provider <name>', 'openai, mistral, groq, ollama, lmstudio, litellm_proxy, …')
  .option('-m, --model <name>', 'what the provider calls it, or provider/model')
  .option('-u, --base-url <url>', 'an endpoint of your own, such as http://localhost:4000/v1')
  .option('--swap-to <provider/model>', 'what scene 7 swaps to (default: the mock server)')
  .option('--mock', 'use the mock server, whatever keys are set')
  .configureOutput({ outputError: (text) => complain(text.replace('error: ', '')) })
  .action(demo);

try {
  // Package managers start a script in its package; the .env file lies where the user is.
  dotenv.config({ path: resolve(process.env['INIT_CWD'] ?? '', '.env'), quiet: true });
  // Some shells' habit: `pnpm demo -- --provider ollama`.
  await program.parseAsync(process.argv.filter((argument, index) => index !== 2 || argument !== '--'));
} catch (error) {
  if (!(error instanceof AgentsError)) throw error;
  complain(`${error.message.trim().replace(/\.?$/, '.')} ${adviceOn(error)}`);
  process.exitCode = 1;
}

async function demo(options: Options): Promise<void> {
  const chosen = options.mock ? undefined : chosenTarget(options, process.env);
  const swap = options.swapTo === undefined ? undefined : namedTarget(options.swapTo);
  const server = await startMockServer();
  try {
    const first = chosen ?? mockTarget(server.url, { name: 'openai', model: 'gpt-4.1-mini' });
    const second = swap ?? mockTarget(server.url, { name: 'mistral', model: 'mistral-small-latest' });
    const wires = fourWires(server.url);
    const runs = new Runs();
    const runConfig: RunConfig = { modelProvider: first.modelProvider, hooks: runs.hooks };
    intro(first);
    for (const [index, scene] of scenes.entries()) {
      heading(index + 1, scene.title);
      runs.title = `${index + 1} ${scene.title}`;
      await scene.play({ runConfig, targets: [first, second], wires });
    }
    summary(runs);
  } finally {
    await server.stop();
  }
}

function adviceOn(error: AgentsError): string {
  return (error instanceof ModelError && advice[error.kind]) || '';
}
