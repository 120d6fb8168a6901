import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startMockServer } from '../src/demo/server.ts';

type Variables = { [name: string]: string };
type Ended = { code: number | null; chunks: string[]; stdout: string; stderr: string };

const main = fileURLToPath(new URL('../src/demo/main.ts', import.meta.url));
const escape = '\u001b[';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'polyrun-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs the demo in a folder without a `.env` of the machine's, with these variables only. */
function demo(args: readonly string[] = [], variables: Variables = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const system = process.env['SystemRoot'];
    const child = spawn(process.execPath, [main, ...args], {
      cwd: folder,
      env: { ...(system && { SystemRoot: system }), ...variables },
    });
    const chunks: string[] = [];
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, chunks, stdout: chunks.join(''), stderr }));
  });
}

/** What a scene has printed: its lines without those of the others. */
function scene({ stdout }: Ended, number: number): string {
  return new RegExp(`^${number} .*\\n((?: .*\\n)*)`, 'm').exec(stdout)?.[1] ?? '';
}

describe('the demo on its mock server', { timeout: 30_000 }, () => {
  let printed: Ended;
  beforeAll(async () => {
    printed = await demo();
  });

  test('ends well, with nothing to complain about and no colours in a pipe', () => {
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(printed.stdout).not.toContain(escape);
  });

  test('1: prints the final output of a plain run', () => {
    expect(scene(printed, 1)).toMatch(/user +Write a haiku.*\n +answer +Function calls itself,\n.*\n +base case ends/);
  });

  test('2: prints text while it is written', () => {
    expect(scene(printed, 2)).toMatch(/answer +1\. (.*\n +\d\. ){4}.*Dec 25\.\n/);
    const [begun, ended] = ['2 Text', '3 Items'].map((heading) =>
      printed.chunks.findIndex((chunk) => chunk.includes(heading)),
    );
    expect(Number(ended) - Number(begun)).toBeGreaterThan(10);
  });

  test('3: prints agent, call, output and message, in this order; the jokes are as many as the tool said', () => {
    const pattern =
      /^ +user +Hello\n +agent +Joker\n +tool call +how_many_jokes \{\}\n +tool output +(\d+)\n +message +/;
    const count = Number(pattern.exec(scene(printed, 3))?.[1]);
    expect(count).toBeGreaterThan(0);
    expect(scene(printed, 3).match(/ \d+\. /g)).toHaveLength(count);
  });

  test('4: answers from a list of messages', () => {
    expect(scene(printed, 4)).toMatch(/answer +You live in Zurich\./);
  });

  test('5: answers the second turn from the first', () => {
    expect(scene(printed, 5)).toMatch(/city +San Francisco\.\n +user .*\n +state +California\./);
  });

  test('6: hands off, and the specialist answers', () => {
    expect(scene(printed, 6)).toMatch(/handoff +Triage → History Tutor\n +History Tutor +George Washington/);
  });

  test('7: two providers share one conversation', () => {
    expect(scene(printed, 7)).toMatch(
      /openai \(mock\) +Mercury\.\n +user +Name another one.*\n +mistral \(mock\) +Venus\./,
    );
  });

  test('8: shows one agent on all four wires side by side, and what each had to adapt', () => {
    const rows = [
      ...scene(printed, 8).matchAll(/^ {2}(\S.*?) {2,}(Oslo: an umbrella) +weather +(\d+) \+ (\d+) +\d+ ms +(.+)$/gm),
    ];
    expect(rows.map(([, wire]) => wire)).toEqual(['Responses', 'Messages', 'Mistral', 'Chat Completions']);
    for (const [, , , input, output] of rows) expect(Math.min(Number(input), Number(output))).toBeGreaterThan(0);
    const adaptations = rows.map((row) => row[5] ?? '');
    expect(adaptations.map((told) => told.includes('unsupported_setting seed'))).toEqual([true, true, false, true]);
    expect(adaptations[2]).toContain('output_strategy');
  });

  test('9: one conversation visits all four and comes home, each step saying what it adapted', () => {
    const steps = scene(printed, 9)
      .split(/^ +user +Measure a planet\.\n/m)
      .slice(1);
    const planets = ['openai', 'anthropic', 'mistral', 'deepseek', 'openai'].map((name, index) => [
      name,
      ['Mercury', 'Venus', 'Earth', 'Mars', 'Jupiter'][index],
    ]);
    expect(steps.map((step) => /^ +(\S+) +(\w+): \d+ million/.exec(step)?.slice(1))).toEqual(planets);
    const leftOut = steps.map((step) =>
      [...step.matchAll(/adapted +dropped_item reasoning: reasoning of (\w+)/g)].map(([, whose]) => whose),
    );
    // At home its own reasoning is not among what is left out.
    expect(leftOut).toEqual([
      [],
      ['openai'],
      ['openai', 'anthropic'],
      ['openai', 'anthropic', 'mistral'],
      ['anthropic', 'mistral', 'deepseek'],
    ]);
    expect(steps[0]).toMatch(/adapted +nothing/);
  });

  test('sums up turns, tokens and time of each run', () => {
    const rows = [...printed.stdout.matchAll(/^ {2}(\d .+?|Total) {2,}(\d+) +(\d+) +(\d+) +\d+ ms$/gm)];
    expect(rows.map(([, title = '']) => title.slice(0, 1)).join('')).toBe('12345567799999T');
    const [turns, input, output] = [2, 3, 4].map((column) => rows.map((row) => Number(row[column])));
    expect(turns).toEqual([1, 1, 2, 1, 1, 1, 2, 1, 1, 2, 2, 2, 2, 2, 21]);
    for (const cells of [input, output]) {
      expect(Math.min(...(cells ?? []))).toBeGreaterThan(0);
      expect(cells?.at(-1)).toBe(cells?.slice(0, -1).reduce((sum, cell) => sum + cell));
    }
  });
});

describe('the demo on an endpoint', { timeout: 30_000 }, () => {
  let endpoint: Awaited<ReturnType<typeof startMockServer>>;
  beforeEach(async () => {
    endpoint = await startMockServer({ apiKeys: ['right-key'] });
  });
  afterEach(() => endpoint.stop());
  const modelsAsked = () => endpoint.getRequests().map(({ body }) => body && 'model' in body && body.model);

  test('runs the same with --provider, --model, --base-url and a key in the environment', async () => {
    const args = ['--provider', 'openai', '--model', 'gpt-x', '--base-url', `${endpoint.url}/v1`];
    const ended = await demo(args, { OPENAI_API_KEY: 'right-key' });
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(scene(ended, 5)).toContain('California.');
    // All runs but the last, which has swapped to the mock server.
    expect(modelsAsked()).toEqual(Array(10).fill('gpt-x'));
    expect(scene(ended, 7)).toMatch(/openai +Mercury\.\n.*\n +mistral \(mock\) +Venus\./);
  });

  test('takes provider and model from a key in .env, and swaps where it is told to', async () => {
    const file = join(folder, '.env');
    await writeFile(file, `MISTRAL_API_KEY=right-key\nMISTRAL_BASE_URL=${endpoint.url}/v1\n`);
    try {
      const ended = await demo(['--swap-to', 'groq/llama-x'], {
        GROQ_BASE_URL: `${endpoint.url}/v1`,
        GROQ_API_KEY: 'right-key',
      });
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      expect(modelsAsked()).toEqual([...Array(10).fill('mistral-small-latest'), 'llama-x']);
    } finally {
      await rm(file);
    }
  });

  test('a wrong key ends in one line', async () => {
    const ended = await demo(['--base-url', `${endpoint.url}/v1`], { OPENAI_API_KEY: 'wrong-key' });
    expectOneLine(ended, /^error openai answered 401 .*Check the key\.$/);
    expect(ended.stderr).not.toContain('wrong-key');
  });

  test('a model that the endpoint does not have ends in one line', async () => {
    const server = createServer((_, response) => {
      const error = { message: 'The model `gpt-nope` does not exist', code: 'model_not_found' };
      response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    try {
      const ended = await demo(['--base-url', `http://127.0.0.1:${port}/v1`, '--model', 'gpt-nope']);
      expectOneLine(ended, /^error .*gpt-nope.*does not exist.*Check --model and --base-url\.$/);
    } finally {
      server.close();
    }
  });
});

describe('what is asked wrongly ends in one line:', { timeout: 30_000 }, () => {
  test.each<{ what: string; args: string[]; line: RegExp }>([
    { what: 'an unknown provider', args: ['--provider', 'nope'], line: /'nope\/…' names no known provider.*mistral/ },
    { what: 'no key', args: ['--provider', 'mistral'], line: /set MISTRAL_API_KEY/ },
    { what: 'no model', args: ['--provider', 'ollama'], line: /--model: none was named for ollama/ },
    {
      what: 'no model for an endpoint',
      args: ['--base-url', 'http://localhost:1/v1'],
      line: /--model: none was named/,
    },
    { what: 'a model of nobody', args: ['--model', 'llama3.2'], line: /Add its provider/ },
    {
      what: 'an unreachable host',
      args: ['--base-url', 'http://127.0.0.1:1/v1', '--model', 'any'],
      line: /127\.0\.0\.1:1.*\. Is the server running/,
    },
    { what: 'an unknown option', args: ['--modle', 'x'], line: /unknown option '--modle'/ },
    { what: 'arguments behind --', args: ['--', '--provider', 'nope'], line: /'nope\/…' names no known provider/ },
  ])('$what', async ({ args, line }) => {
    expectOneLine(await demo(args), line);
  });

  test('in red for those who want colours, and for nobody else', async () => {
    const wanted = await demo(['--provider', 'nope'], { FORCE_COLOR: '1' });
    const unwanted = await demo(['--provider', 'nope'], { FORCE_COLOR: '1', NO_COLOR: '1' });
    expect(wanted.stderr).toContain(`${escape}31m`);
    expect(unwanted.stderr).not.toContain(escape);
  });
});

function expectOneLine({ code, stderr }: Ended, line: RegExp): void {
  expect(code).toBe(1);
  expect(stderr.trimEnd()).toMatch(line);
  expect(stderr.trimEnd()).not.toContain('\n');
}
