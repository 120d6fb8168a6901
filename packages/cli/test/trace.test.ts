import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent, handoff, Runner, tool } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { FileTraceProcessor } from '@polyrun/node';
import { launch, type Browser } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readTraces, serveTraces, type TraceServer } from '@polyrun/cli';

const main = path.resolve(import.meta.dirname, '../dist/main.js');
const chromium = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'polyrun-trace-'));
  file = path.join(folder, 'traces.jsonl');
  await recordRuns(file);
});

afterAll(() => rm(folder, { recursive: true }));

/** Two runs: one with a tool, a handoff and a sharp-edged question, one that fails. */
async function recordRuns(to: string): Promise<void> {
  const runner = new Runner({
    traceProcessors: [new FileTraceProcessor(to)],
    traceIncludeSensitiveData: true,
    workflowName: 'Support',
  });
  const parameters = { type: 'object', properties: { city: { type: 'string' } } } as const;
  const weather = tool({ name: 'weather', description: 'd', parameters, execute: () => 'Sunny.' });
  const billing = new Agent({ name: 'Billing', model: new ScriptedModel(['Paid.']) });
  const triage = new Agent({
    name: 'Triage',
    model: new ScriptedModel([[call('weather', { city: 'Oslo' })], [call('transfer_to_billing', {})]]),
    tools: [weather],
    handoffs: [handoff(billing)],
  });
  await runner.run(triage, '<img src=x onerror="document.title=`broken`">');
  const failing = new Agent({ name: 'Failing', model: new ScriptedModel([new TypeError('no')]) });
  await runner.run(failing, 'Hello').catch(() => undefined);
}

describe('a file of traces', () => {
  test('is read trace by trace, spans in the order in which they began', async () => {
    const traces = readTraces(await readFile(file, 'utf8'));
    expect(traces.map(({ trace }) => trace?.workflowName)).toEqual(['Support', 'Support']);
    expect(traces[0]?.spans.map(({ type, name }) => `${type} ${name}`)).toEqual([
      'agent Triage',
      'turn turn 1',
      'model scripted-model',
      'tool weather',
      'turn turn 2',
      'model scripted-model',
      'handoff Billing',
      'agent Billing',
      'turn turn 3',
      'model scripted-model',
    ]);
  });

  test('may be cut off at its end, and broken nowhere else', () => {
    const line = JSON.stringify({ span: { traceId: 't', spanId: 's', startMs: 1 } });
    expect(readTraces(`${line}\n${line.slice(0, 20)}`)).toMatchObject([{ traceId: 't', spans: [{ spanId: 's' }] }]);
    expect(() => readTraces(`${line}\nnonsense\n${line}\n`)).toThrow('line 2 holds neither a span nor a trace.');
    expect(readTraces('')).toEqual([]);
  });
});

describe('the command', () => {
  test('serves the page, and ends when it is told to', async () => {
    const child = spawn(process.execPath, [main, 'trace', file]);
    const told = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data: Buffer) => resolve(String(data))),
    );
    const url = /http:\/\/\S+(?=;)/.exec(told)?.[0] ?? '';
    expect(await (await fetch(url)).text()).toContain('<title>Polyrun traces</title>');
    expect((await fetch(`${url}/../etc/passwd`)).status).toBe(404);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGINT');
    await ended;
  });

  test('names the file and what is wrong with it', async () => {
    const run = (...args: string[]) => promisify(execFile)(process.execPath, [main, ...args]);
    await expect(run('trace', path.join(folder, 'missing.jsonl'))).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/polyrun trace: .*missing\.jsonl: ENOENT/),
    });
    const broken = path.join(folder, 'broken.jsonl');
    await writeFile(broken, 'nonsense\n\n');
    await expect(run('trace', broken)).rejects.toMatchObject({
      stderr: expect.stringContaining('line 1 holds neither'),
    });
    await expect(run('trace', file, '--port', 'x')).rejects.toMatchObject({
      stderr: expect.stringContaining("got 'x'"),
    });
  });
});

describe.skipIf(chromium === undefined)('the page, in Chromium (skipped where there is none)', () => {
  let browser: Browser;
  let server: TraceServer;

  beforeAll(async () => {
    server = await serveTraces(path.join(folder, 'traces.jsonl'));
    browser = await launch({ executablePath: chromium ?? '', args: ['--no-sandbox'] });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test('shows the timeline of a trace, and what a span holds once it is chosen', { timeout: 30_000 }, async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => void (message.type() === 'error' && problems.push(message.text())));
    await page.setViewport({ width: 1280, height: 640 });
    await page.goto(server.url);
    await page.waitForSelector('nav button');
    expect(await page.$$eval('nav button', (buttons) => buttons.length)).toBe(2);
    await page.click('nav button:first-child');
    const names = await page.$$eval('.row .name', (rows) => rows.map((row) => row.textContent));
    expect(names).toContain('tool weather');
    expect(names).toContain('agent Billing');
    await page.evaluate(() => {
      const rows = [...document.querySelectorAll<HTMLElement>('.row')];
      rows.find((row) => row.textContent?.includes('scripted-model'))?.click();
    });
    const details = await page.$eval('aside', (aside) => aside.textContent);
    expect(details).toContain('inputTokens');
    // What a user wrote is shown, and is not markup.
    expect(details).toContain('<img src=x');
    expect(await page.title()).toBe('Polyrun traces');
    const screenshot = process.env['POLYRUN_SCREENSHOT'];
    if (screenshot !== undefined) await page.screenshot({ path: screenshot });
    expect(problems).toEqual([]);
    await page.close();
  });
});
