import { blocksOf } from '../../docs/check/blocks.ts';

/** What the model of the local server says. */
export const answer = 'San Francisco.';

/**
 * A module around the first program of the README, as it stands there: its `main` gives what the program prints. What the program would ask
 * a provider for, it asks a server for. `apiKey` goes into it where the host has no environment.
 */
export function firstAgent(server: string, apiKey?: string): string {
  const [block] = blocksOf('README.md');
  if (!block?.code.includes('Runner.run(')) throw new Error('README.md does not begin with an agent any more.');
  const lines = block.code.split('\n').filter((line) => !line.startsWith('export '));
  const [imports, rest] = [true, false].map((is) =>
    lines.filter((line) => line.startsWith('import ') === is).join('\n'),
  );
  const body =
    apiKey === undefined ? rest : rest?.replace('chatCompletions()', `chatCompletions({ apiKey: '${apiKey}' })`);
  return `${imports}
const { fetch: ask } = globalThis;
globalThis.fetch = (input, init) => ask('${server}' + new URL(input.url ?? input).pathname, init);
export async function main() {
  const printed = [];
  const console = { log: (text) => void printed.push(text) };
  ${body}
  return printed.join('\\n');
}
`;
}
