import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MemorySession, type JournalEntry } from '../../src/index.ts';
import { verifies } from '../requirements.ts';
import { idle } from '../run/stage.ts';
import { OpenJournal, programs, recordedKeys, whole, World, type Program } from './world.ts';

// Hundreds of runs each: on a busy machine they may take longer than a test usually does.
vi.setConfig({ testTimeout: 60_000 });

beforeEach(() => {
  // The clock stands still, so that times are alike.
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const runId = 'r';

/** A whole run with a journal and a session, for others to be compared with. */
async function reference(program: Program) {
  const world = new World(program);
  const journal = new OpenJournal();
  const session = new MemorySession();
  const result = await world.finish('go', { runId, journal, session });
  return { world, journal, state: whole(result), stored: await session.getItems(), hooks: world.hooks };
}

test(verifies('L14', 'whatever order parallel effects settle in, the run comes to the same state'), async () => {
  await fc.assert(
    fc.asyncProperty(programs(2), fc.scheduler(), async (program, scheduler) => {
      const expected = await reference(program);
      const world = new World(program, (label) => scheduler.schedule(Promise.resolve(), label));
      const session = new MemorySession();
      const running = world.finish('go', { runId, session });
      const result = await scheduler.waitFor(running);
      expect(whole(result)).toEqual(expected.state);
      expect(await session.getItems()).toEqual(expected.stored);
    }),
    { numRuns: 150 },
  );
});

test(
  verifies('L14', 'folding any prefix of a journal and driving on gives the same state and repeats no recorded effect'),
  async () => {
    await fc.assert(
      fc.asyncProperty(programs(2), async (program) => {
        const expected = await reference(program);
        for (let length = 0; length <= expected.journal.entries.length; length++) {
          await expectContinued(program, expected, { entries: expected.journal.entries.slice(0, length) });
        }
      }),
      { numRuns: 40 },
    );
  },
);

test(
  verifies('L14', 'the same with a journal that completes its appends out of order, some after the crash'),
  async () => {
    await fc.assert(
      fc.asyncProperty(
        programs(2),
        fc.scheduler(),
        fc.record({ crashAfter: fc.nat(30), late: fc.nat(3) }),
        async (program, scheduler, { crashAfter, late }) => {
          const expected = await reference(program);
          const journal = new OpenJournal();
          const session = new MemorySession();
          let appends = 0;
          const crashed = () => appends > crashAfter;
          const never = new Promise<void>(() => undefined);
          const inFlight: JournalEntry[] = [];
          journal.append = async (_, entry) => {
            inFlight.push(entry);
            await scheduler.schedule(Promise.resolve(), `append ${entry.effectId}`);
            if (appends++ >= crashAfter) return never;
            inFlight.splice(inFlight.indexOf(entry), 1);
            journal.entries.push(entry);
          };
          const world = new World(program, async (label) => {
            await scheduler.schedule(Promise.resolve(), label);
            if (crashed()) await never;
          });
          void world.finish('go', { runId, journal, session });
          while (!crashed()) {
            await idle();
            if (scheduler.count() === 0) break;
            await scheduler.waitOne();
          }
          await idle();
          const left = [...journal.entries, ...inFlight.slice(0, late)];
          const again = await expectContinued(program, expected, { entries: left, session });
          expect(await session.getItems()).toEqual(expected.stored);
          // What was in flight is performed again under the key that it had; nothing else is performed twice.
          const recorded = recordedKeys(left, runId);
          const before = new Map(world.happened.map(({ what, key }) => [what, key]));
          for (const { what, key } of again.happened) {
            const known = before.get(what);
            if (known === undefined) continue;
            expect(key).toBe(known);
            expect(recorded).not.toContain(key);
          }
        },
      ),
      { numRuns: 150 },
    );
  },
);

test(
  verifies('J2', 'killed at any boundary: hooks of what was recorded do not fire again, all others fire once'),
  async () => {
    await fc.assert(
      fc.asyncProperty(programs(1), async (program) => {
        const expected = await reference(program);
        for (let length = 0; length <= expected.journal.entries.length; length++) {
          const entries = expected.journal.entries.slice(0, length);
          const world = await expectContinued(program, expected, { entries });
          const fired = entries.flatMap(firedBefore);
          const about = (hooks: readonly string[]) => hooks.filter((hook) => /^(?:tool|model)/.test(hook)).toSorted();
          const left = expected.hooks.filter(
            (hook) => !fired.some((each) => hook.startsWith(each.hook) && hook.endsWith(` ${each.of}`)),
          );
          expect(about(world.hooks)).toEqual(about(left));
        }
      }),
      { numRuns: 25 },
    );
  },
);

/** The hooks that have fired when an entry is written, by their kind and the call or model turn that they are about. */
function firedBefore({ outcome }: JournalEntry): { hook: string; of: string }[] {
  const { type, callId, responses } = outcome as { type?: string; callId?: string; responses?: { id: string }[] };
  if (type === 'tool_settled') return [{ hook: 'tool ', of: callId ?? '' }];
  if (type === 'tool_nested') return [{ hook: 'tool start', of: callId ?? '' }];
  return (responses ?? []).map(({ id }) => ({ hook: 'model ', of: id }));
}

/** Goes on from what a journal holds and expects the run to end as the reference did. */
async function expectContinued(
  program: Program,
  expected: Awaited<ReturnType<typeof reference>>,
  { entries, session = new MemorySession() }: { entries: readonly JournalEntry[]; session?: MemorySession },
): Promise<World> {
  const world = new World(program);
  const journal = new OpenJournal(entries);
  const result = await world.finish('go', { runId, journal, session });
  expect(whole(result)).toEqual(expected.state);
  const recorded = recordedKeys(entries, runId);
  expect(world.happened.filter(({ key }) => recorded.has(key))).toEqual([]);
  // Replayed once more, it is all there: nothing is done, and the state is the same.
  const replayed = new World(program);
  expect(whole(await replayed.finish('go', { runId, journal, session }))).toEqual(expected.state);
  expect([replayed.happened, replayed.hooks]).toEqual([[], []]);
  return world;
}
