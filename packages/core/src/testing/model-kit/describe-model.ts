import { UserError } from '../../errors.ts';
import { globalFramework, mustFail, type Exclusion, type TestFramework } from '../framework.ts';
import { readCassettes } from './cassettes.ts';
import { modelChecks } from './checks.ts';
import { Endpoint } from './endpoint.ts';
import { Kit, plainest, type CreateModel, type ModelCheck, type ModelKitHooks, type Subject } from './kit.ts';
import { nameOf } from './play.ts';

export type ModelKitOptions = ModelKitHooks & {
  /** What the adapter is called in the titles of the tests. */
  name: string;
  /** Makes a model that calls the server at `baseURL`, with any key; `modelName` is that of the fixture. Called many times. */
  createModel: CreateModel;
  /** The folder of cassettes, as a path or a file URL. Without it only what needs no answer of the provider is checked. */
  fixtures?: string;
  /** Checks that the adapter cannot pass, each with its reason. One that passes after all fails the suite. */
  exclude?: readonly Exclusion[];
  /** Default: the global `describe` and `test`. */
  framework?: TestFramework;
};

/** What one check may take: it may make thousands of calls. */
const timeoutMs = 60_000;

/**
 * Registers what every adapter must do as tests of its own, one for each requirement: the adapter is called over HTTP, through
 * its own client, against a server that answers with the fixtures and what can be made of them. What a model does not have by
 * its `capabilities` is not asked of it.
 */
export function describeModel(options: ModelKitOptions): void {
  const { name, createModel, fixtures, exclude = [] } = options;
  const { describe, test } = options.framework ?? globalFramework('describeModel');
  const recorded = readCassettes(fixtures);
  const modelName = (plainest(recorded) ?? recorded[0])?.model;
  const { capabilities } = createModel({
    baseURL: 'http://127.0.0.1:9',
    ...(modelName !== undefined && { modelName }),
  });
  const subject: Subject = { capabilities, recorded, options };
  const checks = modelChecks.filter(({ idle }) => idle?.(subject) === undefined);
  for (const exclusion of exclude) checkExclusion(exclusion, subject);
  describe(`model: ${name}${fixtures === undefined ? ' (without fixtures)' : ''}`, () => {
    for (const check of checks) {
      const excluded = exclude.find(({ id }) => id === check.id);
      const title = `${check.id}: ${check.title}${excluded ? ` (excluded: ${excluded.reason})` : ''}`;
      test(
        title,
        async () => {
          const done = perform(check, subject, createModel);
          await (excluded ? mustFail(done, check.id) : done);
        },
        timeoutMs,
      );
    }
  });
}

function checkExclusion({ id, reason }: Exclusion, subject: Subject): void {
  const check = modelChecks.find((each) => each.id === id);
  const idle = check?.idle?.(subject);
  const problem = check ? idle && `does not apply anyway: ${idle}` : 'is no check';
  if (problem !== undefined) throw new UserError(`describeModel exclude: '${id}' ${problem}.`);
  if (reason === '') throw new UserError(`describeModel exclude: '${id}' lacks its reason.`);
}

async function perform(check: ModelCheck, subject: Subject, createModel: CreateModel): Promise<void> {
  const endpoint = await Endpoint.open();
  try {
    const kit = new Kit(subject, endpoint, createModel);
    const unread = check.early || !check.idle ? undefined : await kit.unread();
    const found = unread === undefined ? check.run(kit) : Promise.resolve([unread]);
    const problems = await found.catch((error: unknown) => [nameOf(error)]);
    if (problems.length > 0) throw new Error(report(check, problems));
  } finally {
    await endpoint.close();
  }
}

function report({ id, title, advice }: ModelCheck, problems: readonly string[]): string {
  const told = problems.slice(0, 8).map((problem) => `  - ${problem}`);
  const more = problems.length > told.length ? [`  - and ${problems.length - told.length} more like these`] : [];
  return [`[${id}] ${title}`, ...told, ...more, `What to do: ${advice}`].join('\n');
}
