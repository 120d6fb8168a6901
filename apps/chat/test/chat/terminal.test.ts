import type { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasTmux, Terminal } from './terminal.ts';
import { startWireServer } from './wire-server.ts';
import { configText, World, type Variables } from './world.ts';

const what = hasTmux ? 'a chat in a terminal' : 'a chat in a terminal (skipped: there is no tmux on this machine)';

describe.skipIf(!hasTmux)(what, { timeout: 60_000 }, () => {
  let server: LLMock;
  let world: World;
  let terminal: Terminal;
  beforeAll(async () => {
    server = await startWireServer();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    world = await World.create(configText({ url: server.url }));
  });
  afterEach(async () => {
    terminal.end();
    await world.remove();
  });

  async function open(args: readonly string[] = [], variables: Variables = {}): Promise<void> {
    terminal = new Terminal(world, { args, variables });
    await terminal.prompts();
  }

  test('greets, answers in Markdown that is rendered, and ends with Ctrl-D', async () => {
    await open();
    terminal.type('Show me Markdown', 'Enter');
    const screen = await terminal.shows('const x = 1;');
    expect(screen).toMatch(/^Assistant on mistral\/mistral-small-latest · \d{4}-/);
    expect(screen).toMatch(/\n> Show me Markdown\nTitle\n\nSome bold and code\.\n\n• one\n• two\n\n│ const x = 1;/);
    await terminal.prompts();
    terminal.type('', 'C-d');
    await terminal.shows('ended with 0');
  });

  test('Ctrl-C cancels an answer, then gives up a line, and ends nothing', async () => {
    await open();
    terminal.type('Be slow', 'Enter');
    await terminal.shows('slow slow');
    terminal.type('', 'C-c');
    await terminal.shows('\ncancelled\n');
    await terminal.prompts();
    terminal.type('half a line', 'C-c');
    await terminal.shows('Ctrl-D or /exit ends the chat');
    await terminal.prompts();
    terminal.type('Who am I?', 'Enter');
    await terminal.shows('Nobody knows, says mistral-small-latest.');
  });

  test('a provider is swapped with the tab key, and the history goes with it', async () => {
    await open();
    terminal.type('I am Ada', 'Enter');
    await terminal.shows('Hello, Ada!');
    await terminal.prompts();
    terminal.type('/pr', 'Tab');
    await terminal.shows(/> \/provider$/);
    terminal.type('an', 'Tab', 'Enter');
    await terminal.shows('Now on anthropic/claude-sonnet-4-5');
    await terminal.prompts();
    terminal.type('Who am I?', 'Enter');
    await terminal.shows('Ada, says claude-sonnet-4-5.');
  });

  test('messages have many lines, typed or pasted; the arrows fetch them back, also in a new process', async () => {
    await open(['--session', 'mine']);
    terminal.type('Say it back:', 'M-Enter');
    terminal.type('two', 'C-j');
    terminal.paste('pasted\n\tlines\n');
    terminal.type('.', 'Enter');
    await terminal.shows('\nSay it back:\ntwo\npasted\nlines\n.\n');
    await terminal.prompts();
    terminal.type('', 'C-d');
    await terminal.shows('ended with 0');
    terminal.end();
    await open(['--resume']);
    expect(terminal.screen()).toContain('· mine, 2 items');
    terminal.type('', 'Up');
    await terminal.shows('> Say it back:␤two␤pasted␤␉lines␤.');
    terminal.type('', 'BSpace', 'Enter');
    await terminal.shows('\npasted\nlines\n~');
  });

  test('a tool is asked about, and its arguments are edited in the line', async () => {
    await open();
    terminal.type('Remove it', 'Enter');
    await terminal.shows('Assistant wants to run remove_file {"path":"old.txt"}\n[y]es, [n]o, [e]dit, [a]lways?');
    terminal.type('e', 'Enter');
    await terminal.shows('arguments: {"path":"old.txt"}');
    terminal.type('', ...Array<string>(9).fill('BSpace'));
    terminal.type('new.txt"}', 'Enter');
    await terminal.shows('So: new.txt is gone');
    await terminal.prompts();
    terminal.type('Remove it', 'Enter');
    await terminal.shows(/lways\?$/);
    terminal.type('', 'C-c');
    await terminal.shows('\ncancelled\n');
  });

  test('/undo puts the question back into the line', async () => {
    await open();
    terminal.type('I am Bob', 'Enter');
    await terminal.prompts();
    terminal.type('/undo', 'Enter');
    await terminal.shows(/Taken back: I am Bob\n\n> I am Bob$/);
    terminal.type('', 'BSpace', 'BSpace', 'BSpace');
    terminal.type('Ada', 'Enter');
    await terminal.prompts();
    terminal.type('Who am I?', 'Enter');
    await terminal.shows('Ada, says');
  });

  test('what is typed while an answer is written waits for the next prompt', async () => {
    await open();
    terminal.type('Be slow', 'Enter');
    await terminal.shows('slow slow');
    terminal.type('Who am I?', 'Enter');
    terminal.type('', 'C-c');
    await terminal.shows('\ncancelled\n');
    await terminal.prompts();
    expect(terminal.screen()).not.toContain('Who am I?');
    terminal.type('I am Ada', 'Enter');
    terminal.type('Who am I?', 'Enter');
    await terminal.shows('Ada, says');
  });

  test('a spinner turns until there is something to see; Ctrl-C ends that, too', async () => {
    await open();
    terminal.type('Think long', 'Enter');
    await terminal.shows('⠋ waiting');
    await terminal.shows('⠹ waiting');
    terminal.type('', 'C-c');
    const screen = await terminal.shows('\ncancelled\n');
    expect(screen).not.toContain('waiting');
  });

  test('structured answers are shown as they are', async () => {
    const outputType = "jsonSchema({ type: 'object', properties: { city: { type: 'string' } } })";
    const text = configText({
      url: server.url,
      more: `agents: { Assistant: { outputType: ${outputType} } }, tools: [],`,
    });
    await world.write('polyrun.config.ts', text.replace('import { tool }', 'import { jsonSchema, tool }'));
    await open();
    terminal.type('As data', 'Enter');
    await terminal.shows('\n│ {"city":"*Oslo*"}\n');
  });

  test('shows colours, unless NO_COLOR is set', async () => {
    const colour = '\u001b[36m';
    await open();
    expect(terminal.screen('-e')).toContain(colour);
    terminal.end();
    await open([], { NO_COLOR: '1' });
    terminal.type('Show me Markdown', 'Enter');
    await terminal.shows('const x = 1;');
    expect(terminal.screen('-e')).not.toContain('\u001b[');
  });

  test('what models write cannot steer the terminal', async () => {
    server.prependFixture({
      match: { userMessage: 'Attack' },
      response: { content: 'A\u001b[2J\u001b]0;title\u0007B' },
    });
    await open();
    terminal.type('Attack', 'Enter');
    const screen = await terminal.shows('A[2J]0;titleB');
    expect(screen).toContain('Assistant on mistral');
  });
});
