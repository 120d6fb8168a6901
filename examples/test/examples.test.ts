import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LLMock } from '@copilotkit/aimock';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startMock } from './mock.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let mock: LLMock;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'polyrun-examples-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  mock = await startMock();
});
afterEach(() => mock.stop());

/** Runs an example as a user does, with nothing in its environment but where the model is. */
function example(name: string, args: readonly string[] = [], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const system = process.env['SystemRoot'];
    const child = spawn(process.execPath, [path.join(root, 'src', `${name}.ts`), ...args], {
      cwd: root,
      env: {
        ...(system && { SystemRoot: system }),
        OPENAI_BASE_URL: `${mock.url}/v1`,
        OPENAI_API_KEY: 'none',
        STATE_FILE: path.join(folder, 'refund.json'),
      },
    });
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 && errors === '' ? resolve(output) : reject(new Error(output + errors))));
    child.stdin.end(input);
  });
}

describe('the examples', { timeout: 30_000 }, () => {
  test('customer service: triage, a tool that knows the customer, guardrails on both sides', async () => {
    expect(await example('customer-service')).toBe('Deliveries: Your order: on its way, due tomorrow.\n');
    expect(await example('customer-service', ["Where is another customer's order 1002?"])).toBe(
      'Deliveries: Your order: No such order.\n',
    );
    expect(await example('customer-service', ['Write a poem.'])).toBe('Sorry, I can only help with our shop.\n');
    expect(await example('customer-service', ['How do I return a lamp?'])).toBe('A colleague will write to you.\n');
  });

  test('research: three researchers at once, one report', async () => {
    const lines = (await example('research')).split('\n');
    expect(lines.slice(0, 3)).toEqual(['costs', 'centre', 'buses'].map((aspect) => `asked: {"aspect":"${aspect}"}`));
    expect(lines[3]).toMatch(/^Report: found .*20 to 40 million.* \| found .*more shops.* \| found .*two years/);
    expect(lines[4]).toMatch(/^8 requests, \d+ tokens$/);
  });

  test('refund: it waits in a file, and is paid by another process', async () => {
    const waiting = 'waiting for approval: refund {"order":"1001","amount":59}\n';
    expect(await example('refund-approval', ['ask'])).toBe(waiting);
    const asked = mock.getRequests().length;
    expect(await example('refund-approval', ['approve'])).toMatch(
      /^paid 59 for order 1001, as \S+\nThe tool said: paid\n$/,
    );
    expect(mock.getRequests()).toHaveLength(asked + 1);
    await expect(readFile(path.join(folder, 'refund.json'))).rejects.toThrow('ENOENT');
    expect(await example('refund-approval', ['ask'])).toBe(waiting);
    expect(await example('refund-approval', ['reject', 'Too old.'])).toBe(
      'The tool said: The refund was refused: Too old.\n',
    );
  });

  test('extraction: a PDF or an image becomes typed data; a sum that is wrong is read again', async () => {
    const invoice = {
      number: '2026-017',
      seller: 'Bright Lamps Ltd',
      date: '2026-11-02',
      currency: 'EUR',
      lines: [
        { description: 'Desk lamp', amount: 40 },
        { description: 'Bulbs', amount: 9.5 },
      ],
    };
    let total = 495;
    mock.on({ systemMessage: 'Read the invoice' }, () => {
      const content = JSON.stringify({ ...invoice, total });
      total = 49.5;
      return { content };
    });
    const printed =
      'Desk lamp                40.00\nBulbs                    9.50\nBright Lamps Ltd, 2026-11-02 49.50 EUR\n';
    expect(await example('extract-invoice')).toBe(printed);
    const [first] = mock.getRequests().map(({ body }) => JSON.stringify(body));
    expect(mock.getRequests()).toHaveLength(2);
    expect(first).toContain(
      `data:application/pdf;base64,${await readFile(path.join(root, 'documents/invoice.pdf'), 'base64')}`,
    );
    const photo = path.join(folder, 'invoice.jpg');
    await writeFile(photo, 'a photo');
    expect(await example('extract-invoice', [photo])).toBe(printed);
    expect(JSON.stringify(mock.getLastRequest()?.body)).toContain('data:image/jpeg;base64,');
  });

  test('long conversation: all is kept, the newest is shown', async () => {
    const output = await example('long-conversation', [], ['one', 'two', 'three', 'four', 'five', 'six'].join('\n'));
    expect(output.split('\n')).toEqual([
      'I see 1 messages, the last is "one".',
      'I see 3 messages, the last is "two".',
      'I see 5 messages, the last is "three".',
      'I see 7 messages, the last is "four".',
      'I see 7 messages, the last is "five".',
      'I see 7 messages, the last is "six".',
      '12 messages are kept.',
      '',
    ]);
  });

  test('file agent: reads freely, asks before it writes', async () => {
    await writeFile(path.join(folder, 'todo.txt'), 'water the plants');
    const refused = await example('file-agent', [folder, 'Summarise todo.txt.'], 'n\n');
    expect(refused).toMatch(/write_file \{.*\}\nAllow\? \(y\/n\) Done: Tool execution was not approved\./);
    await expect(readFile(path.join(folder, 'summary.txt'))).rejects.toThrow('ENOENT');
    const allowed = await example('file-agent', [folder, 'Summarise todo.txt.'], 'y\n');
    expect(allowed).toMatch(/Allow\? \(y\/n\) Done: Successfully wrote/);
    expect(await readFile(path.join(folder, 'summary.txt'), 'utf8')).toBe('water the plants');
  });
});
