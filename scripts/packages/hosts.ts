import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from 'esbuild';
import { firstAgent } from './first-agent.ts';
import { run } from './shell.ts';

const chromiums = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where a browser is; `undefined` on a machine without. */
export function chromium(): string | undefined {
  return [process.env['CHROMIUM'] ?? '', ...chromiums].find((file) => file !== '' && existsSync(file));
}

/** Runs the README's first agent in workerd, from the packages in a folder. */
export async function inWorkerd(folder: string, server: string, tools: string): Promise<string> {
  const handler = 'export default { fetch: async () => new Response(await main()) };\n';
  const script = await bundled(folder, 'worker', `${firstAgent(server, 'test-key')}${handler}`);
  const { Miniflare }: { Miniflare: new (options: object) => Worker } = createRequire(`${tools}/`)('miniflare');
  const worker = new Miniflare({ modules: true, script, compatibilityDate: '2026-07-01' });
  try {
    return await (await worker.dispatchFetch('http://worker/')).text();
  } finally {
    await worker.dispose();
  }
}

type Worker = { dispatchFetch(url: string): Promise<Response>; dispose(): Promise<void> };

/** Runs it in Chromium, from a page of its own origin, which passes on what the page asks of the model. */
export async function inChromium(folder: string, server: string, browser: string): Promise<string> {
  const show = 'main().then((text) => (document.title = text), (error) => (document.title = String(error)));\n';
  const script = await bundled(folder, 'browser', `${firstAgent('', 'test-key')}${show}`);
  const page = `<!doctype html><title>nothing yet</title><script type="module">${script.replaceAll('</', '<\\/')}</script>`;
  const site = createServer((request, response) => {
    if (request.method === 'GET') return void response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
    return void passedOn(request, server).then(
      (text) => response.setHeader('content-type', 'application/json').end(text),
      () => response.destroy(),
    );
  });
  await new Promise<void>((listening) => site.listen(0, '127.0.0.1', listening));
  const address = site.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=10000', '--dump-dom'];
  try {
    const dom = await run(browser, [...flags, `http://127.0.0.1:${port}/`], { cwd: folder });
    return /<title>([\s\S]*?)<\/title>/.exec(dom)?.[1] ?? dom;
  } finally {
    site.close();
  }
}

async function passedOn(request: IncomingMessage, server: string): Promise<string> {
  let body = '';
  for await (const piece of request.setEncoding('utf8')) body += String(piece);
  const headers = { 'content-type': 'application/json', authorization: 'Bearer test-key' };
  const response = await fetch(server + (request.url ?? ''), { method: 'POST', headers, body });
  return response.text();
}

/** One module of a program and all that it imports, with nothing of Node. */
async function bundled(folder: string, name: string, program: string): Promise<string> {
  const entry = path.join(folder, `${name}.js`);
  writeFileSync(entry, program);
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    logLevel: 'error',
  });
  return outputFiles[0]?.text ?? '';
}
