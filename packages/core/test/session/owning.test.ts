import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  MemorySession,
  Runner,
  RunState,
  SessionBusyError,
  type ModelRequest,
  type RunOptions,
} from '../../src/index.ts';
import { call, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from '../run/scripts.ts';
import { idle } from '../run/stage.ts';
import { agentOf, held, Observed, user, words } from './stage.ts';

describe('one writer', () => {
  test(verifies('N3', 'each write names the version before it and a key of run and effect'), async () => {
    const session = new Observed({ items: [user('before')] });
    const versions: { named: string | undefined; is: string }[] = [];
    const add = session.addItems.bind(session);
    session.addItems = async (items, options) => {
      versions.push({ named: options?.ifVersion, is: (await MemorySession.prototype.read.call(session)).version });
      return add(items, options);
    };
    const { agent } = agentOf([[call('echo')], 'hi']);
    await Runner.run(agent, 'in', { session, runId: 'r' });
    expect(session.keys).toEqual(['r/save/1', 'r/save/2', 'r/save/4']);
    expect(versions.map(({ named }) => named)).toEqual(versions.map(({ is }) => is));
    expect(versions).toHaveLength(3);
  });

  test(
    verifies('N3', 'a second run fails at its start, or waits if asked, and gets in once the first has ended'),
    async () => {
      const session = new MemorySession();
      const answer = latch<string>();
      const first = Runner.run(agentOf([() => answer.promise]).agent, 'one', { session });
      await idle();
      const busy = agentOf(['hi']);
      expect(await rejection(Runner.run(busy.agent, 'two', { session }))).toBeInstanceOf(SessionBusyError);
      expect(busy.model.requests).toEqual([]);
      const waiting = agentOf(['there']);
      const third = Runner.run(waiting.agent, 'three', { session, runConfig: { sessionSettings: { onBusy: 'wait' } } });
      await idle();
      expect(waiting.model.requests).toEqual([]);
      answer.open('hello');
      await Promise.all([first, third]);
      expect(words(waiting.model.requests[0]?.input ?? [])).toEqual(['user one', 'assistant hello', 'user three']);
      expect(await held(session)).toEqual(['user one', 'assistant hello', 'user three', 'assistant there']);
    },
  );

  test.for<[string, readonly ScriptedTurn[], RunOptions<unknown>]>([
    ['an error', [new Error('x')], { runConfig: { retry: { maxRetries: 0 } } }],
    ['an interruption', [[call('guarded')]], {}],
    ['a last turn', [[call('echo')]], { maxTurns: 1 }],
    ['a wrong option', ['x'], { conversationId: 'c' }],
  ])('the session is let go after %s', async ([, turns, options]) => {
    const session = new MemorySession();
    await Runner.run(agentOf(turns).agent, 'in', { session, ...options }).catch(() => undefined);
    await (await session.acquire({ runId: 'next', wait: false })).release();
  });

  test('a session that cannot be let go does not undo the run', async () => {
    const session = new MemorySession();
    session.acquire = async () => ({ release: () => Promise.reject(new Error('gone')) });
    expect((await Runner.run(agentOf(['hi']).agent, 'in', { session })).finalOutput).toBe('hi');
  });

  test('a run that waits can be stopped: by its signal with an error, by cancel without', async () => {
    const session = new MemorySession();
    await session.acquire({ runId: 'owner', wait: false });
    const runConfig = { sessionSettings: { onBusy: 'wait' as const } };
    const starts: string[] = [];
    const hooks = { onRunStart: () => void starts.push('start') };
    const control = new AbortController();
    const running = rejection(
      Runner.run(agentOf(['hi']).agent, 'in', { session, runConfig, hooks, signal: control.signal }),
    );
    await idle();
    control.abort(new Error('enough'));
    expect(await running).toMatchObject({ message: 'enough' });
    const stream = Runner.runStreamed(agentOf(['hi']).agent, 'in', { session, runConfig, hooks });
    const done = stream.completed;
    await idle();
    stream.cancel();
    await done;
    expect(stream.finalOutput).toBeUndefined();
    expect(starts).toEqual([]);
  });

  test(
    verifies('N3', 'a write that others have overtaken fails; a resume reads the version anew and appends'),
    async () => {
      const session = new MemorySession();
      const { agent } = agentOf([
        async () => {
          await session.addItems([user('from elsewhere')]);
          return [call('echo')];
        },
        'hi',
      ]);
      const error = await rejection(Runner.run(agent, 'in', { session }));
      expect(error).toBeInstanceOf(SessionBusyError);
      const { state } = error as SessionBusyError;
      if (!state) throw new Error('no state');
      expect(await held(session)).toEqual(['user in', 'user from elsewhere']);
      const result = await Runner.run(agent, state, { session });
      expect(result.finalOutput).toBe('hi');
      expect(await held(session)).toEqual([
        'user in',
        'user from elsewhere',
        'call echo',
        'output echoed',
        'assistant hi',
      ]);
    },
  );

  test(verifies('N3', 'a resume after an approval appends behind what others have appended since'), async () => {
    const session = new MemorySession();
    const { agent } = agentOf([[call('guarded')], 'hi']);
    const first = await Runner.run(agent, 'in', { session });
    await Runner.run(agentOf(['other']).agent, 'meanwhile', { session });
    for (const item of first.interruptions) first.state.approve(item);
    await Runner.run(agent, RunState.fromString(agent, first.state.toString()), { session });
    expect(await held(session)).toEqual([
      'user in',
      'user meanwhile',
      'assistant other',
      'call guarded',
      'output done',
      'assistant hi',
    ]);
  });

  test(verifies('N3', 'whichever acknowledgements and writes are lost, resumes store everything once'), async () => {
    const troubles = fc.array(fc.constantFrom('pass', 'lose', 'fail'), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(troubles, fc.integer({ min: 0, max: 4 }), async (plan, turns) => {
        const session = new MemorySession();
        const add = session.addItems.bind(session);
        let writes = 0;
        session.addItems = async (...given) => {
          const what = plan[writes++] ?? 'pass';
          if (what === 'fail') throw new SessionBusyError('never arrived');
          const result = await add(...given);
          if (what === 'lose') throw new SessionBusyError('arrived, but who knows');
          return result;
        };
        // A call that is aborted with its run is made again, so the answer goes by what is asked.
        const answer = (request: ModelRequest) => {
          const done = request.input.filter(({ type }) => type === 'function_call').length;
          return done < turns ? [call('echo', {}, `c${done}`)] : 'hi';
        };
        const { agent } = agentOf(Array.from({ length: 40 }, () => answer));
        let input: string | RunState = 'in';
        for (;;) {
          try {
            await Runner.run(agent, input, { session });
            break;
          } catch (error) {
            const { state } = error as SessionBusyError;
            if (!state) throw error;
            input = RunState.fromString(agent, state.toString());
          }
        }
        const middle = Array.from({ length: turns }, () => ['call echo', 'output echoed']).flat();
        expect(await held(session)).toEqual(['user in', ...middle, 'assistant hi']);
      }),
    );
  });

  test('a resume has to have the session that the run began with', async () => {
    const session = new MemorySession();
    const withOne = agentOf([[call('guarded')], 'hi']);
    const { state } = await Runner.run(withOne.agent, 'in', { session });
    await expect(Runner.run(withOne.agent, state)).rejects.toThrow('session: the run began with one');
    const without = agentOf([[call('guarded')], 'hi']);
    const bare = await Runner.run(without.agent, 'in');
    await expect(Runner.run(without.agent, bare.state, { session })).rejects.toThrow('session: the run began without');
  });
});
