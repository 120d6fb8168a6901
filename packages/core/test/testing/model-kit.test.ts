import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { describeModel, modelChecks, type ModelKitOptions, type TestFramework } from '../../src/testing/index.ts';
import { UserError, type Capabilities } from '../../src/index.ts';
import { acme, type Address } from './acme.ts';
import { flaws } from './flaws.ts';

const fixturesAt = (folder: string) => fileURLToPath(new URL(folder, import.meta.url));
const fixtures = fixturesAt('fixtures');

/** What the wire of acme forbids. */
function grammar(body: unknown): string[] {
  const { turns } = body as { turns: { parts?: { text?: string }[] }[] };
  return turns.flatMap(({ parts = [] }, index) =>
    parts.some(({ text }) => text === '') ? [`turn ${index} has an empty part`] : [],
  );
}

describeModel({ name: 'acme', createModel: acme, fixtures, grammar, framework: { describe, test } });

type Outcome = { titles: string[]; failed: string[]; messages: string[] };

/** Runs the kit for an adapter. Checks that make hundreds of calls run only when they are named. */
type Options = { [option in keyof ModelKitOptions]?: ModelKitOptions[option] | undefined };
async function kit(options: Options, slow: readonly string[] = []): Promise<Outcome> {
  const tests: { title: string; body: () => Promise<void> }[] = [];
  const framework: TestFramework = {
    describe: (_name, body) => body(),
    test: (title, body) => {
      const id = idOf(title);
      if (!['pieces', 'cut', 'reset', 'generated'].includes(id) || slow.includes(id)) tests.push({ title, body });
    },
  };
  const { createModel = acme, exclude = [] } = options;
  const folder = 'fixtures' in options ? options.fixtures : fixtures;
  describeModel({
    name: 'acme',
    createModel,
    grammar,
    exclude,
    framework,
    ...(folder !== undefined && { fixtures: folder }),
  });
  const results = await Promise.allSettled(tests.map(({ body }) => body()));
  const failed = tests.filter((_, index) => results[index]?.status === 'rejected').map(({ title }) => idOf(title));
  const messages = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  return { titles: tests.map(({ title }) => title), failed, messages };
}

function idOf(title: string): string {
  return title.slice(0, title.indexOf(':'));
}

describe.concurrent('an adapter with one mistake fails the check that is meant for it', () => {
  test.for(flaws)('one that %s', { timeout: 60_000 }, async ([, fails, createModel], { expect }) => {
    const { failed, messages } = await kit({ createModel }, fails);
    expect(failed, messages.join('\n')).toEqual(fails);
  });
});

describe('the model conformance kit', () => {
  test('every check is failed by an adapter that has just the mistake it looks for', () => {
    const others = ['fixtures', 'no-tools'];
    const proved = new Set([...flaws.flatMap(([, fails]) => fails), ...others]);
    expect(modelChecks.map(({ id }) => id).filter((id) => !proved.has(id))).toEqual([]);
    expect(new Set(modelChecks.map(({ id }) => id)).size).toBe(modelChecks.length);
  });

  test('a failure says what was expected, what came, and what to do', async () => {
    const [, fails, createModel] = flaws.find(([what]) => what === 'drops the temperature') ?? flaws[0]!;
    const { messages } = await kit({ createModel }, fails);
    expect(messages).toHaveLength(1);
    expect(messages[0]).toMatch(/^Error: \[settings\] each setting changes what is sent/);
    expect(messages[0]).toContain('  - expected settings.temperature: 0.31 in the body or an adaptation');
    expect(messages[0]).toMatch(/, got neither\nWhat to do: Map the setting to the wire's field/);
  });

  test('fixtures that lack what other checks need are named, one by one', async () => {
    const { failed, messages } = await kit({ fixtures: fixturesAt('few') });
    expect(failed).toEqual(['fixtures']);
    expect(messages[0]).toContain('expected a streamed plain text, got none');
    expect(messages[0]).toContain('expected two function calls in one stream, got none');
    expect(messages[0]).toContain("expected an error of the provider ('expected.error'), got none");
  });

  test('a model without tools has to say so', async () => {
    const capabilities: Capabilities = { tools: false, hostedTools: [], serverState: ['previous_response'] };
    const silent = (at: Address) => acme(at, () => ({ capabilities }));
    const refusing = (at: Address) =>
      acme(at, ({ encode }) => ({
        capabilities,
        encode: (request) => {
          if (request.tools.length > 0) throw new UserError('tools: acme-1 has none.');
          return encode(request);
        },
      }));
    expect((await kit({ createModel: silent })).failed).toContain('no-tools');
    const { failed, titles } = await kit({ createModel: refusing });
    expect(failed).not.toContain('no-tools');
    expect(titles.map(idOf)).not.toContain('tools');
  });

  test('what the capabilities rule out is not asked for', async () => {
    const { titles } = await kit({ createModel: (at) => acme(at, () => ({ capabilities: { streaming: false } })) });
    const ids = titles.map(idOf);
    expect(ids).toEqual(expect.arrayContaining(['instructions', 'prefix']));
    for (const id of ['framing', 'events', 'leaving', 'hosted-tools']) expect(ids).not.toContain(id);
  });

  test('a capability that is denied must be reported where the wire has the setting', async () => {
    const capabilities: Capabilities = { forcedToolChoice: false, input: [], hostedTools: [] };
    const { failed, messages } = await kit({ createModel: (at) => acme(at, () => ({ capabilities })) });
    expect(failed).toEqual(expect.arrayContaining(['settings', 'media']));
    expect(messages.join('\n')).toContain('because capabilities.forcedToolChoice is false, got none');
    expect(messages.join('\n')).toContain('the input_image of a user message has no place');
  });

  test('without fixtures it checks what needs no answer of the provider', async () => {
    const { titles, failed } = await kit({ fixtures: undefined }, ['reset']);
    expect(failed).toEqual([]);
    expect(titles.map(idOf)).toEqual([
      'hosted-tools',
      'server-state',
      'error-kinds',
      'error-facts',
      'secrets',
      'one-request',
      'no-answer',
      'refused',
      'abort-before',
      'abort-waiting',
    ]);
  });

  test('an exclusion needs a check that applies, a reason, and the check to fail', async () => {
    const excluded = (id: string, reason: string) => kit({ exclude: [{ id, reason }] });
    await expect(excluded('nothing', 'x')).rejects.toThrow("'nothing' is no check");
    await expect(excluded('no-tools', 'x')).rejects.toThrow("'no-tools' does not apply anyway: the model has tools");
    await expect(excluded('usage', '')).rejects.toThrow("'usage' lacks its reason");
    const expired = await excluded('usage', 'it is not told');
    expect(expired.failed).toEqual(['usage']);
    expect(expired.messages[0]).toContain('it passes: take it off the list');
    const [, , createModel] = flaws.find(([, fails]) => fails[0] === 'usage') ?? flaws[0]!;
    const { failed, titles } = await kit({ createModel, exclude: [{ id: 'usage', reason: 'it is not told' }] });
    expect(failed).toEqual([]);
    expect(titles.find((title) => idOf(title) === 'usage')).toMatch(/\(excluded: it is not told\)$/);
  });

  test('without a framework it says what to pass', () => {
    expect(() => describeModel({ name: 'x', createModel: acme })).toThrow('describeModel framework');
  });

  test('a folder that is not there is named', async () => {
    await expect(kit({ fixtures: '/nowhere' })).rejects.toThrow('describeModel fixtures: /nowhere is no folder');
  });

  test.for([
    ['[]', 'is no JSON object'],
    ['{"exchanges":{}}', "lacks 'exchanges'"],
    ['{"exchanges":[7]}', 'exchanges[0] must be an object'],
    ['{"exchanges":[{}]}', "exchanges[0] lacks 'response.status'"],
    ['{"exchanges":[{"response":{"status":200}}]}', "exchanges[0] lacks an answer: one of 'response.body'"],
    ['{"exchanges":[{"response":{"status":200,"text":""}}]}', "exchanges[0] lacks 'streaming'"],
    ['{"exchanges":[{"response":{"status":200,"text":""},"streaming":true}]}', "exchanges[0] lacks 'expected'"],
    [
      '{"exchanges":[{"response":{"status":200,"text":""},"streaming":true,"expected":{},"sameAs":4}]}',
      "exchanges[0] has a wrong 'sameAs'",
    ],
  ] as const)('a fixture that is %s is refused by name', async ([text, problem]) => {
    const folder = mkdtempSync(`${tmpdir()}/polyrun-fixtures-`);
    writeFileSync(`${folder}/broken.json`, text);
    writeFileSync(`${folder}/_left-alone.json`, '');
    await expect(kit({ fixtures: pathToFileURL(folder).href })).rejects.toThrow(
      `describeModel fixtures: broken.json: ${problem}`,
    );
    rmSync(folder, { recursive: true });
  });
});
