import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { lastRequest, startWireServer } from './wire-server.ts';
import { configText, endOf, World, type Ended } from './world.ts';

let wires: LLMock;
let world: World;
beforeAll(async () => {
  wires = await startWireServer();
});
afterAll(() => wires.stop());
beforeEach(async () => {
  wires.clearRequests();
  world = await World.create(configText({ url: wires.url }));
});
afterEach(() => world.remove());

const say = (lines: readonly string[], args: readonly string[] = []): Promise<Ended> =>
  world.run({ args, input: lines.map((line) => `${line}\n`).join('') });

describe('a chat through a pipe', { timeout: 60_000 }, () => {
  test('answers line by line, in plain text, and ends well', async () => {
    const ended = await say(['I am Ada', '', 'Who am I?']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^Hello, Ada!\n\[.*\]\nAda, says mistral-small-latest\.\n\[.*\]\n$/);
  });

  test('a provider swapped in the middle goes on with the conversation, over another wire', async () => {
    const swaps = ['/provider openai', 'Who am I?', '/provider anthropic', 'Who am I?', '/model cheap', 'Who am I?'];
    const ended = await say(['I am Ada', ...swaps]);
    const answers = [...ended.stdout.matchAll(/Ada, says (\S+)\./g)].map(([, model]) => model);
    expect(answers).toEqual(['gpt-4.1-mini', 'claude-sonnet-4-5', 'mistral-small-latest']);
    const paths = wires.getRequests().map(({ path }) => path);
    expect(paths).toEqual(['/v1/chat/completions', '/v1/responses', '/v1/messages', '/v1/chat/completions']);
  });

  test('a swap tells once what the new model cannot do as asked', async () => {
    const { stdout } = await say(['I am Ada', '/provider anthropic', 'Who am I?', 'Who am I?']);
    const told = [...stdout.matchAll(/≈ .*/g)].map(([line]) => line);
    expect(told).toEqual([expect.stringMatching(/Assistant: setting seed is adapted/)]);
    expect(stdout.indexOf('≈')).toBeLessThan(stdout.indexOf('Now on anthropic/claude-sonnet-4-5'));
  });

  test('/provider and /model list what there is, and keep the model where a name is wrong', async () => {
    const ended = await say([
      '/provider',
      '/provider nope',
      '/model',
      '/model openai/gpt-x',
      '/model default',
      '/model',
    ]);
    expect(ended.stdout).toContain('* mistral\n  openai\n  anthropic\nnow mistral/mistral-small-latest\n');
    expect(ended.stderr).toContain("There is no provider 'nope'; known are mistral, openai, anthropic.");
    expect(ended.stdout).toMatch(/Now on openai\/gpt-x; .*\n.*Now on mistral\/mistral-small-latest;/s);
  });

  test("a model without its provider is the current one's", async () => {
    const { stdout } = await say(['/provider openai', '/model gpt-y', 'Who am I?']);
    expect(stdout).toContain('Nobody knows, says gpt-y.');
    expect(lastRequest(wires)).toMatchObject({ path: '/v1/responses' });
  });

  test('handoffs are shown, and the new agent keeps the conversation until /agent says otherwise', async () => {
    const { stdout } = await say(['Who was Harald?', '/agent', '/agent Assistant', '/agent']);
    expect(stdout).toContain('⇢ Assistant hands off to Historian]\nA king, long ago.\n');
    expect(stdout).toMatch(/ {2}Assistant\n\* Historian\n.*\* Assistant\n {2}Historian\n/s);
  });

  test('a \\ at the end of a line goes on in the next, // is a message that begins with /', async () => {
    const { stdout } = await say(['First,\\', 'Say it back', '//help Say it back']);
    expect(stdout).toMatch(/^First,\nSay it back\n\[.*\]\n\/help Say it back\n/);
  });

  test('/undo takes the last question and its answer back', async () => {
    const { stdout } = await say(['I am Ada', 'Count my questions', '/undo', '/undo', 'Who am I?', '/undo', '/undo']);
    expect(stdout).toContain('2 questions.\n');
    expect(stdout).toContain('Taken back: Count my questions\nTaken back: I am Ada\n');
    expect(stdout).toMatch(/Nobody knows, .*Taken back: Who am I\?\nThere is nothing to take back\.\n$/s);
  });

  test('/save writes Markdown to read, and JSON to go on with', async () => {
    await say(['I am Ada', '/save talk.md', '/save talk.json']);
    expect(await readFile(join(world.folder, 'talk.md'), 'utf8')).toBe(
      '## You\n\nI am Ada\n\n## mistral-small-latest\n\nHello, Ada!\n',
    );
    const items = JSON.parse(await readFile(join(world.folder, 'talk.json'), 'utf8'));
    expect(items).toMatchObject([{ role: 'user', content: 'I am Ada' }, { role: 'assistant' }]);
    const { stderr } = await say(['/save', '/save no/such/folder.md']);
    expect(stderr).toMatch(/^error \/save: where to\?.*\nerror \/save no\/such\/folder\.md: ENOENT.*\n$/);
  });

  test('tokens and, where there are prices, money are told and summed', async () => {
    wires.prependFixture({
      match: { userMessage: 'What does it cost?' },
      response: {
        content: 'Little.',
        usage: { prompt_tokens: 500_000, completion_tokens: 100_000, total_tokens: 600_000 },
      },
    });
    const question = 'What does it cost?';
    const { stdout } = await say(['/provider openai', question, question, '/provider anthropic', 'I am Ada', '/usage']);
    expect(stdout).toMatch(/\[500,000 in · 100,000 out · €1\.40 · \d+\.\d s · gpt-4\.1-mini\]/);
    expect(stdout).toContain('/gpt-4.1-mini · 2 requests · 1,000,000 in · 200,000 out · €2.80\n');
    // No price for this one: none is made up, also not for the sum.
    expect(stdout).toMatch(/anthropic\/claude-sonnet-4-5 · 1 request · \S+ in · \S+ out\ntotal · 3 requests · [^€]*$/);
  });

  test('an unknown command is one line, and ends nothing', async () => {
    const ended = await say(['/nope', 'I am Ada']);
    expect(ended.stderr).toBe('error There is no command /nope; /help lists them.\n');
    expect(ended.stdout).toContain('Hello, Ada!');
  });

  test('/help lists every command, /exit ends before what follows', async () => {
    const { stdout } = await say(['/help', '/exit', 'I am Ada']);
    for (const name of ['provider', 'model', 'agent', 'session', 'usage', 'undo', 'save', 'clear', 'exit'])
      expect(stdout).toContain(`\n/${name}`);
    expect(stdout).not.toContain('Hello, Ada!');
  });

  test('Ctrl-C cancels the answer, not the program', async () => {
    const child = world.start();
    const ended = endOf(child);
    child.stdin.write('Be slow\n');
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGINT');
    child.stdin.end('I am Ada\n');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^(slow )+s?l?o?w?\n\[cancelled\]\n\[.*\]\nHello, Ada!\n/);
  });

  test('colours in a pipe only for who forces them, and never with NO_COLOR', async () => {
    const escape = '\u001b[';
    const wanted = await world.run({ args: ['-p', 'nope'], variables: { FORCE_COLOR: '1' } });
    const unwanted = await world.run({ args: ['-p', 'nope'], variables: { FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(wanted.stderr).toContain(`${escape}31merror`);
    expect(unwanted.stderr).toContain('error --provider nope');
    expect(unwanted.stderr).not.toContain(escape);
  });
});

describe('a tool that needs approval', { timeout: 60_000 }, () => {
  const asked = 'Assistant wants to run remove_file {"path":"old.txt"}';

  test('is run, refused, run with other arguments, or asked about once more, as the person says', async () => {
    const answers = [
      ['y', '→ remove_file: old.txt is gone'],
      ['n it is mine', '✗ remove_file: it is mine'],
      ['e {"path":"new.txt"}', '→ remove_file: new.txt is gone'],
      ['perhaps\ne\n{"path":\n{"path":"c.txt"}', '→ remove_file: c.txt is gone'],
      ['always\nRemove it unasked', '→ remove_file: old.txt is gone'],
    ] as const;
    const { code, stdout } = await say(answers.flatMap(([answer]) => ['Remove it', answer]));
    expect(code).toBe(0);
    const [, ...told] = stdout.split(asked);
    expect(told).toHaveLength(answers.length);
    for (const [index, [, becomes]] of answers.entries()) {
      expect(told[index]).toContain(`[${becomes}]\n`);
      expect(told[index]).toMatch(/\nSo: .*\n/);
    }
    expect(told.at(-1)?.split('→ remove_file: old.txt is gone')).toHaveLength(3);
  });

  test('is refused where nobody is left to ask', async () => {
    const { code, stdout } = await say(['Remove it']);
    expect(code).toBe(0);
    expect(stdout).toContain('✗ remove_file: Nobody is here to approve this call.]\nSo: ');
  });

  test('--yes lets it run unasked', async () => {
    const { stdout } = await say(['Remove it'], ['--yes']);
    expect(stdout).not.toContain(asked);
    expect(stdout).toContain('So: old.txt is gone');
  });
});

describe('what an agent may have', { timeout: 60_000 }, () => {
  test('tools of an MCP server, which ends with the program', async () => {
    const server = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));
    const transport = `{ type: 'stdio', command: process.execPath, args: ['${server}'] }`;
    const more = `mcpServers: { everything: { transport: ${transport}, needsApproval: ['echo'] } },`;
    await world.write('polyrun.config.ts', configText({ url: wires.url, more }));
    const { code, stdout } = await say(['Echo it', 'y']);
    expect(stdout).toContain('Assistant wants to run echo {"message":"hi"}\n[→ echo: Echo: hi]\nHeard: Echo: hi\n');
    expect(code).toBe(0);
  });

  test('an agent as a tool, whose own tools are asked about and shown', async () => {
    const more = `agents: {
      Assistant: { tools: [new Agent({ name: 'Helper', tools: [removeFile] }).asTool({ toolName: 'helper' })] },
    }, tools: [],`;
    const text = configText({ url: wires.url, more }).replace('import { tool }', 'import { Agent, tool }');
    await world.write('polyrun.config.ts', text);
    const { stdout } = await say(['Ask the helper', 'y']);
    expect(stdout).toContain(
      'Helper wants to run remove_file {"path":"old.txt"}\n[  → remove_file: old.txt is gone]\n',
    );
    expect(stdout).toContain('\nIt says: So: old.txt is gone\n');
  });
});

describe('conversations', { timeout: 60_000 }, () => {
  test('go on in another process, by --resume or by name, on any provider', async () => {
    await say(['I am Ada'], ['--session', 'mine']);
    expect((await say(['Who am I?'], ['--resume'])).stdout).toContain('Ada, says mistral-small-latest.');
    const other = await say(['Who am I?'], ['--session', 'mine', '--provider', 'openai']);
    expect(other.stdout).toContain('Ada, says gpt-4.1-mini.');
    expect((await say(['Who am I?'])).stdout).toContain('Nobody knows');
  });

  test('go on with the agent and the model with which they were left', async () => {
    await say(['/provider openai', 'Who was Harald?'], ['--session', 'past']);
    expect(await say(['I am Ada'], ['--session', 'mine'])).toMatchObject({ code: 0, stderr: '' });
    const { stdout } = await say(
      ['/agent', '/session switch past', '/agent', '/provider', '/session fork'],
      ['--resume'],
    );
    expect(stdout).toMatch(/^\* Assistant\n {2}Historian\nNow in past, with Historian on openai\/gpt-4\.1-mini\n/);
    expect(stdout).toMatch(/A copy, and now in it: .*, with Historian on openai\/gpt-4\.1-mini\n$/);
    const chosen = await say(['/agent', '/provider'], ['-s', 'past', '-a', 'Assistant', '-m', 'cheap']);
    expect(chosen.stdout).toMatch(/^\* Assistant.*now mistral\/mistral-small-latest\n$/s);
  });

  test('are listed, begun, forked, switched and deleted', async () => {
    const lines = `/session · /session fork · I am Ada · /session fork copy · /session new other · Count my questions ·
      /session switch copy · Who am I? · /session list · /session delete other · /session new copy ·
      /session switch other · /session`;
    const { stdout, stderr } = await say(lines.split('·').map((line) => line.trim()));
    expect(stdout).toMatch(/^None yet: .*\nHello, Ada!/);
    expect(stdout).toContain('\n1 questions.\n');
    expect(stdout).toContain('\nAda, says mistral');
    expect(stdout).toMatch(
      /\n\* 1 {2}copy {2}4 items, this minute {2}I am Ada\n {2}2 {2}other {2}2 items.*\n {2}3 .*\n/,
    );
    expect(stdout.split('Deleted other')[1]).not.toMatch(/\d {2}other/);
    expect(stderr.split('\n')).toEqual([
      'error Nothing has been said yet: there is nothing to fork.',
      "error There is a conversation 'copy' already: /session switch copy.",
      "error There is no conversation 'other': /session list shows those that there are.",
      '',
    ]);
  });

  test('that is deleted while it goes on makes place for a new one; /clear begins one, too', async () => {
    const { stdout } = await say(['I am Ada', '/session delete 1', 'Who am I?', '/clear', 'Count my questions']);
    expect(stdout).toMatch(/Deleted .*\nNew .*\nNobody knows.*\nNew .*\n1 questions\./s);
  });

  test('keep what had finished when an answer is cancelled', async () => {
    const child = world.start(['--session', 'cut']);
    const ended = endOf(child);
    child.stdin.write('Be slow\n');
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
    child.kill('SIGINT');
    child.stdin.end();
    await ended;
    expect((await say(['Count my questions'], ['--session', 'cut'])).stdout).toContain('2 questions.');
  });
});

describe('--print', { timeout: 60_000 }, () => {
  test('prints the answer and nothing else', async () => {
    const ended = await world.run({ args: ['--print', 'I am Ada'] });
    expect(ended).toEqual({ code: 0, stdout: 'Hello, Ada!\n', stderr: '' });
  });

  test('puts what is piped in behind the question, or takes it for the question', async () => {
    const both = await world.run({ args: ['--print', 'Say it back:'], input: 'a text\n' });
    expect(both.stdout).toBe('Say it back:\n\na text\n');
    expect((await world.run({ args: ['--print'], input: 'Say it back\n' })).stdout).toBe('Say it back\n');
    expect((await world.run({ args: ['--print'] })).stderr).toMatch(/^error --print: what to ask\?.*\n$/);
  });

  test('keeps a conversation only where one is named', async () => {
    await world.run({ args: ['--print', 'I am Bob'] });
    await world.run({ args: ['--print', 'I am Ada', '--session', 'mine'] });
    const ended = await world.run({ args: ['--print', 'Who am I?', '--resume'] });
    expect(ended.stdout).toBe('Ada, says mistral-small-latest.\n');
  });

  test('lets no tool run that needs approval, unless --yes does', async () => {
    const args = ['--print', 'Remove it'];
    expect((await world.run({ args })).stdout).toBe('So: Nobody is here to approve this call.\n');
    expect((await world.run({ args: [...args, '--yes'] })).stdout).toBe('So: old.txt is gone\n');
  });

  test('fails with exit code 1 and one line', async () => {
    await world.write('polyrun.config.ts', configText({ url: wires.url, apiKey: 'wrong-key' }));
    const ended = await world.run({ args: ['--print', 'I am Ada'] });
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toMatch(/^error mistral answered 401 .*Check the key\.\n$/);
  });
});
