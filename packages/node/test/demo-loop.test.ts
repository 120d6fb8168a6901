import { once } from 'node:events';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { Agent, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runDemoLoop, SQLiteSession, type DemoLoopOptions } from '../src/index.ts';
import { startModelServer, type Asked, type Said } from './support/model-server.ts';
import { folder, output, start } from './support/processes.ts';
import { openTerminal, terminalMissing } from './support/terminal.ts';

/** A model that answers by what it was told last; `asked` holds the requests. */
async function model() {
  const asked: Asked[] = [];
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const server = await startModelServer(async (request, response): Promise<Said | undefined> => {
    asked.push(request);
    const last = request.messages.at(-1);
    if (last?.role === 'tool') return 'It is sunny.';
    switch (last?.content) {
      case 'weather':
        return [{ call: 'weather', args: { city: 'Oslo' } }];
      case 'refund':
        return [{ call: 'refund' }];
      case 'spanish':
        return [{ call: 'transfer_to_spanish' }];
      case 'slow':
        await released;
        return 'Here I am.';
      case 'fail':
        return void response.writeHead(400).end('{"error":{"message":"no such thing"}}');
      case 'hang':
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"Well, "},"finish_reason":null}]}\n\n',
        );
        return undefined;
      default:
        return `You said ${String(last?.content)}.`;
    }
  });
  onTestFinished(() => server.close());
  return { asked, baseURL: server.baseURL, release: () => release() };
}

async function piped(baseURL: string, mode: string, ...lines: string[]): Promise<string> {
  const program = start('chat.ts', baseURL, mode);
  program.child.stdin.end(lines.map((line) => `${line}\n`).join(''));
  return (await output(program)).join('\n');
}

describe('through a pipe', () => {
  test.for(['stream', 'whole'])(
    'answers each line, shows tools, keeps the history, and ends with the input (%s)',
    async (mode) => {
      const { asked, baseURL } = await model();
      expect(await piped(baseURL, mode, 'hello', '', 'weather')).toBe(
        [
          'You said hello.',
          '[weather {"city":"Oslo"}]',
          '[weather: Sunny.]',
          'It is sunny.',
          '[the program goes on]',
        ].join('\n'),
      );
      expect(asked.at(-1)?.messages.map(({ role }) => role)).toEqual([
        'user',
        'assistant',
        'user',
        'assistant',
        'tool',
      ]);
      expect(asked.every(({ stream = false }) => stream === (mode === 'stream'))).toBe(true);
    },
  );

  test.for(['exit', ' QUIT '])('%j ends it, whatever follows', async (word) => {
    const { asked, baseURL } = await model();
    expect(await piped(baseURL, 'stream', 'a', word, 'b')).toBe('You said a.\n[the program goes on]');
    expect(asked).toHaveLength(1);
  });

  test('a failed answer is told of and ends nothing', async () => {
    const { baseURL } = await model();
    const said = await piped(baseURL, 'stream', 'fail', 'hello');
    expect(said).toMatch(/^\[error\] .*no such thing.*\nYou said hello\.\n\[the program goes on\]$/s);
  });

  test('a handoff shows, and who took over keeps the conversation', async () => {
    const { asked, baseURL } = await model();
    const said = await piped(baseURL, 'stream', 'spanish', 'hello');
    expect(said).toContain('[handed off to Spanish]');
    expect(asked.at(-1)?.['tools'], 'the other agent has no tools').toBeUndefined();
  });

  test('approvals are asked for, and the next line answers', async () => {
    const { asked, baseURL } = await model();
    const said = await piped(baseURL, 'whole', 'refund', 'y', 'refund', 'n', 'refund');
    expect(said.match(/Run refund \{\}\?/g)).toHaveLength(3);
    const outputs = asked.map(({ messages }) => messages.findLast(({ role }) => role === 'tool')?.content);
    expect(outputs).toContain('paid back');
    expect(outputs, 'an input that ends is a refusal').toContain('Tool execution was not approved.');
    expect(said.match(/\[refund \{\}\]/g), 'what was shown before the question is not shown again').toHaveLength(3);
  });

  test('a signal to interrupt ends the answer, not the program', { timeout: 20_000 }, async () => {
    const { baseURL } = await model();
    const program = start('chat.ts', baseURL, 'stream');
    program.child.stdin.write('hang\nhello\n');
    let said = '';
    program.child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    await expect.poll(() => said, { timeout: 15_000 }).toContain('Well, ');
    program.child.kill('SIGINT');
    await expect.poll(() => said, { timeout: 15_000 }).toContain('[cancelled]\nYou said hello.');
    program.child.stdin.end();
    expect(await program.ended).toBe(0);
  });

  test('a session keeps the conversation for the next time', async () => {
    const { baseURL } = await model();
    const file = path.join(folder(), 'chat.db');
    for (const line of ['one', 'two']) {
      const program = start('chat.ts', baseURL, 'stream', file);
      program.child.stdin.end(`${line}\n`);
      await output(program);
    }
    expect(await new SQLiteSession('chat', file).getItems()).toHaveLength(4);
  });
});

describe('with streams of its own', () => {
  async function told<C>(agent: Agent<C, unknown>, lines: string, options: DemoLoopOptions<C> = {}): Promise<string> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    input.end(lines);
    await runDemoLoop(agent, { input, output, ...options });
    output.end();
    let text = '';
    for await (const chunk of output) text += String(chunk);
    return text;
  }

  test('the context reaches the tools; an output that no message holds shows', async () => {
    const model = new ScriptedModel([[call('who')]]);
    const who = tool({
      name: 'who',
      description: 'Tells who.',
      parameters: { type: 'object' },
      execute: (_, { context }: { context: { user: string } }) => ({ user: context.user }),
    });
    const agent = new Agent<{ user: string }>({
      name: 'A',
      model,
      tools: [who],
      toolUseBehavior: 'stop_on_first_tool',
    });
    const said = await told(agent, 'go\n', { context: { user: 'Ada' } });
    expect(said).toBe('[who {}]\n[who: {"user":"Ada"}]\n{"user":"Ada"}\n');
  });

  test('maxTurns holds for each answer', async () => {
    const model = new ScriptedModel(['a', 'b']);
    const said = await told(new Agent({ name: 'A', model }), 'one\ntwo', { maxTurns: 1 });
    expect(said).toBe('a\nb\n');
  });

  test('a conversation that the provider keeps is sent on alone', async () => {
    const model = new ScriptedModel(['a', 'b'], { capabilities: { serverState: ['conversation'] } });
    await told(new Agent({ name: 'A', model }), 'one\ntwo\n', { runConfig: { conversationId: 'c1' } });
    expect(model.requests.map(({ input, conversationId }) => [input.length, conversationId])).toEqual([
      [1, 'c1'],
      [1, 'c1'],
    ]);
  });

  test('a chain of responses goes on from the last one', async () => {
    const answer = (id: string) => ({
      id,
      model: 'm',
      output: [{ type: 'message' as const, role: 'assistant' as const, content: id }],
      usage: {
        requests: 1,
        inputTokens: 1,
        outputTokens: 1,
        totalTokens: 2,
        inputTokensDetails: { cachedTokens: 0, cacheWriteTokens: 0 },
        outputTokensDetails: { reasoningTokens: 0 },
        source: 'reported' as const,
      },
      stop: { type: 'end' as const, raw: null },
      adaptations: [],
    });
    const model = new ScriptedModel([answer('r1'), answer('r2')], {
      capabilities: { serverState: ['previous_response'] },
    });
    await told(new Agent({ name: 'A', model }), 'one\ntwo\n', { runConfig: { previousResponseId: 'r0' } });
    expect(model.requests.map(({ previousResponseId }) => previousResponseId)).toEqual(['r0', 'r1']);
  });

  test('leaves no listener for signals behind', async () => {
    const before = process.listenerCount('SIGINT');
    const input = new PassThrough();
    const output = new PassThrough();
    const loop = runDemoLoop(new Agent({ name: 'A', model: new ScriptedModel(['a']) }), { input, output });
    input.write('one\n');
    await once(output, 'data');
    input.end('exit\n');
    await loop;
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});

// Without tmux there is no terminal to be had.
describe.skipIf(terminalMissing)('in a terminal', { timeout: 40_000 }, () => {
  test('prompts, edits lines, recalls earlier ones, and ends with Ctrl-D', async () => {
    const { baseURL } = await model();
    const terminal = openTerminal('chat.ts', baseURL);
    await terminal.shows(/^> ?$/m);
    terminal.press('hallo', 'BSpace', 'BSpace', 'BSpace', 'BSpace', 'ello', 'Enter');
    await terminal.shows(/> hello\nYou said hello\.\n> ?$/);
    terminal.press('Up', '!', 'Enter');
    await terminal.shows(/> hello!\nYou said hello!\.\n> ?$/);
    terminal.press('C-d');
    await terminal.shows('[the program goes on]');
  });

  test('Ctrl-C ends the answer or gives up the line, never the program', async () => {
    const { baseURL } = await model();
    const terminal = openTerminal('chat.ts', baseURL);
    await terminal.shows(/^> ?$/m);
    terminal.press('hang', 'Enter');
    await terminal.shows('Well,');
    terminal.press('C-c');
    await terminal.shows(/\[cancelled\]\n> ?$/);
    terminal.press('never sent', 'C-c');
    await terminal.shows(/\[exit, quit or Ctrl-D ends the conversation\]\n> ?$/);
    terminal.press('hello', 'Enter');
    await terminal.shows(/You said hello\.\n> ?$/);
    terminal.press('exit', 'Enter');
    await terminal.shows('[the program goes on]');
  });

  test('asks for approval, and takes Ctrl-C for none', async () => {
    const { baseURL } = await model();
    const terminal = openTerminal('chat.ts', baseURL);
    await terminal.shows(/^> ?$/m);
    terminal.press('refund', 'Enter');
    await terminal.shows(/Run refund \{\}\? \[y\]es, \[n\]o, \[a\]lways: ?$/);
    terminal.press('y', 'Enter');
    await terminal.shows(/\[refund: paid back\]\nIt is sunny\.\n> ?$/);
    terminal.press('refund', 'Enter');
    await terminal.shows(/(Run refund[^]*){2}\[a\]lways: ?$/);
    terminal.press('C-c');
    await terminal.shows(/\[cancelled\]\n> ?$/);
    terminal.press('hello', 'Enter');
    await terminal.shows(/You said hello\.\n> ?$/);
  });

  test('what is typed while an answer comes is the next line', async () => {
    const { asked, baseURL, release } = await model();
    const terminal = openTerminal('chat.ts', baseURL);
    await terminal.shows(/^> ?$/m);
    terminal.press('slow', 'Enter');
    await expect.poll(() => asked.length, { timeout: 15_000 }).toBe(1);
    terminal.press('hello', 'Enter');
    await terminal.shows('hello');
    release();
    await terminal.shows(/Here I am\.[^]*You said hello\.\n> ?$/);
  });
});
