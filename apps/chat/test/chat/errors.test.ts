import { createServer, type Server } from 'node:http';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startWireServer } from './wire-server.ts';
import { configText, World, type Ended } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await World.create();
});
afterEach(() => world.remove());

function expectOneLine({ code, stderr }: Ended, line: RegExp): void {
  expect(stderr).toMatch(/^error .*\n$/);
  expect(stderr.trimEnd()).toMatch(line);
  expect(code).toBe(1);
}

describe('what is wrong with the config ends in one line:', { timeout: 60_000 }, () => {
  test.each<[string, string, RegExp]>([
    ['a syntax error', 'export default {', /polyrun\.config\.ts: SyntaxError: /],
    ['what Node does not strip', 'enum A { b }\nexport default A;', /enum is not supported.*Node only strips types/],
    ['a package that is not there', "import 'no-such-package';", /Cannot find package 'no-such-package'.*install it/],
    [
      'a wrong name in an import',
      "import { mistrall } from '@polyrun/mistral';",
      /does not provide an export named 'mistrall'/,
    ],
    ['what it throws', "throw new Error('no luck');", /polyrun\.config\.ts: Error: no luck\./],
    ['a wrong field', 'export default { providers: 1 };', /polyrun\.config\.ts: providers: expected/],
  ])('%s', async (_, text, line) => {
    await world.write('polyrun.config.ts', text);
    expectOneLine(await world.run(), line);
  });

  test('a session file that is none, or cannot be made', async () => {
    await world.write('notes.txt', 'no database');
    for (const file of ['notes.txt', 'notes.txt/chat.db', '.']) {
      await world.write('polyrun.config.ts', configText({ url: 'http://127.0.0.1:9' }).replace('chat.db', file));
      expectOneLine(await world.run(), /^error The conversations cannot be kept in .* \(sessionFile\): .+[.?]$/);
    }
  });

  test('a file that is not there, an unknown option', async () => {
    expectOneLine(
      await world.run({ args: ['-c', 'no.config.ts'] }),
      /no\.config\.ts: there is no such file; `chat --init`/,
    );
    expectOneLine(await world.run({ args: ['--modle', 'x'] }), /unknown option '--modle' \(Did you mean --model\?\)/);
  });
});

test('a config is a module in any folder, also in one of another kind', { timeout: 60_000 }, async () => {
  const text = "import { chatCompletions } from '@polyrun/chat-completions';\nconst x: number = 1;\n";
  await world.write(
    'polyrun.config.ts',
    `${text}export default { providers: { ollama: chatCompletions() }, model: 'ollama/x' };`,
  );
  for (const about of [{}, { type: 'commonjs' }]) {
    await world.write('package.json', JSON.stringify(about));
    expect(await world.run({ input: '/provider\n' })).toEqual({
      code: 0,
      stdout: '* ollama\nnow ollama/x\n',
      stderr: '',
    });
  }
});

describe('a provider that cannot be reached', { timeout: 60_000 }, () => {
  /** A port that nobody listens on. */
  async function closedPort(): Promise<number> {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  test('is one line in the conversation, which goes on', async () => {
    const port = await closedPort();
    await world.write('polyrun.config.ts', configText({ url: `http://127.0.0.1:${port}` }));
    const { code, stdout, stderr } = await world.run({ input: 'I am Ada\n/provider anthropic\nI am Ada\n/session\n' });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toMatch(/^error .*127\.0\.0\.1.* Is the server running, and is the address right\?$/);
    expect(code).toBe(0);
    expect(stdout).toContain('* 1 ');
  });

  test('is exit code 1 with --print', async () => {
    await world.write('polyrun.config.ts', configText({ url: `http://127.0.0.1:${await closedPort()}` }));
    expectOneLine(await world.run({ args: ['--print', 'Hello'] }), /Is the server running/);
  });
});

test('a wrong key is one line, without the key', { timeout: 60_000 }, async () => {
  const server = await startWireServer();
  try {
    await world.write('polyrun.config.ts', configText({ url: server.url, apiKey: 'wrong-key' }));
    const { code, stderr } = await world.run({ input: 'Hello\n/provider openai\nHello\n/provider anthropic\nHello\n' });
    expect(stderr.trimEnd().split('\n')).toEqual(
      Array(3).fill(expect.stringMatching(/^error .* 401 .*Check the key\.$/)),
    );
    expect(stderr).not.toContain('wrong-key');
    expect(code).toBe(0);
  } finally {
    await server.stop();
  }
});

describe('who has no config', { timeout: 60_000 }, () => {
  test('is told what to do', async () => {
    const { code, stderr } = await world.run();
    expect(code).toBe(1);
    for (const way of ['MISTRAL_API_KEY', 'chat --provider ollama', 'chat --init']) expect(stderr).toContain(way);
  });

  test('gets the providers whose keys are in the environment or in .env, and the one that is asked for', async () => {
    await world.write('.env', 'GROQ_API_KEY=secret\n');
    const variables = { DEEPSEEK_API_KEY: 'secret' };
    const { stdout } = await world.run({ variables, input: '/provider\n' });
    expect(stdout).toBe('* groq\n  deepseek\nnow groq/llama-3.3-70b-versatile\n');
    const args = ['--provider', 'ollama', '--model', 'llama3.2'];
    expect((await world.run({ args, input: '/provider\n' })).stdout).toContain(
      '* ollama\n  groq\nnow ollama/llama3.2\n',
    );
  });

  test('is told of a provider that nobody knows, and of a model that is missing', async () => {
    expectOneLine(await world.run({ args: ['-p', 'nope'] }), /--provider nope: .*known are anthropic, openai, mistral/);
    expectOneLine(await world.run({ args: ['-p', 'ollama'] }), /model: none was named.*--model/);
  });

  test('has one after --init, which works as it stands; it is not overwritten', async () => {
    expect((await world.run({ args: ['--init'] })).code).toBe(0);
    const { stdout } = await world.run({ input: '/agent\n/model\n' });
    expect(stdout).toContain('* Assistant\n  Historian\n');
    expect(stdout).toContain('now mistral/mistral-small-latest\n');
    expect(await readFile(join(world.folder, 'polyrun.config.ts'), 'utf8')).toContain('defineConfig({');
    expectOneLine(await world.run({ args: ['--init'] }), /is there already/);
  });
});
