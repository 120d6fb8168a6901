import { afterEach, describe, expect, test, vi } from 'vitest';
import { MemorySession, Runner, UserError, type Item, type RunOptions } from '../../src/index.ts';
import { call } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from '../run/scripts.ts';
import { agentOf, held, Observed, told, user, words } from './stage.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('reading', () => {
  test(verifies('N1', 'the history is read once, at the start, and goes before the input'), async () => {
    const session = new Observed({ items: [user('before'), told('earlier')] });
    const { agent, model } = agentOf([[call('echo')], 'hi']);
    const result = await Runner.run(agent, 'now', { session });
    expect(session.calls.filter((each) => each.startsWith('read'))).toEqual(['read all']);
    expect(words(model.requests[0]?.input ?? [])).toEqual(['user before', 'assistant earlier', 'user now']);
    expect(words(model.requests[1]?.input ?? []).slice(0, 3)).toEqual(['user before', 'assistant earlier', 'user now']);
    expect(words(result.newItems.map((item) => item.toInputItem()))).toEqual([
      'call echo',
      'output echoed',
      'assistant hi',
    ]);
  });

  test(
    verifies('N1', 'sessionSettings.limit reads the newest items only, and nothing is stored twice for it'),
    async () => {
      const session = new MemorySession({ items: [user('a'), told('b'), user('c'), told('d')] });
      const { agent, model } = agentOf(['hi']);
      await Runner.run(agent, 'now', { session, runConfig: { sessionSettings: { limit: 2 } } });
      expect(words(model.requests[0]?.input ?? [])).toEqual(['user c', 'assistant d', 'user now']);
      expect(await held(session)).toEqual([
        'user a',
        'assistant b',
        'user c',
        'assistant d',
        'user now',
        'assistant hi',
      ]);
    },
  );

  test(verifies('N1', 'a store that cannot be read fails the run before any model call'), async () => {
    const session = new Observed();
    session.failRead = new Error('no such table');
    const { agent, model } = agentOf(['hi']);
    expect(await rejection(Runner.run(agent, 'now', { session }))).toBe(session.failRead);
    expect(model.requests).toEqual([]);
  });

  test(
    verifies('N1', "onReadError 'continue' goes on without history and warns, without the words of the store"),
    async () => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
      const failing = new Observed({ items: [user('before')] });
      const second = agentOf(['hi']);
      // Only the whole history cannot be read; writes ask for the version with a limit.
      failing.read = async (limit) => {
        if (limit === undefined) throw new Error('password=secret');
        return MemorySession.prototype.read.call(failing, limit);
      };
      const result = await Runner.run(second.agent, 'now', {
        session: failing,
        runConfig: { sessionSettings: { onReadError: 'continue' } },
      });
      expect(result.finalOutput).toBe('hi');
      expect(words(second.model.requests[0]?.input ?? [])).toEqual(['user now']);
      expect(words(await failing.getItems(9))).toEqual(['user before', 'user now', 'assistant hi']);
      expect(warn).toHaveBeenCalledOnce();
      expect(JSON.stringify(warn.mock.calls)).not.toContain('secret');
    },
  );

  test(verifies('N1', 'sessionInputCallback reorders and drops for the request only'), async () => {
    const session = new MemorySession({ items: [user('a'), told('b')] });
    const seen: string[][] = [];
    const { agent, model } = agentOf([[call('echo')], 'hi']);
    await Runner.run(agent, [user('x'), user('y')], {
      session,
      runConfig: {
        sessionInputCallback: ({ history, newItems }) => {
          seen.push(words(history), words(newItems));
          return [...newItems.slice(1), ...history.slice(1)];
        },
      },
    });
    expect(seen).toEqual([
      ['user a', 'assistant b'],
      ['user x', 'user y'],
    ]);
    expect(model.requests.map(({ input }) => words(input))).toEqual([
      ['user y', 'assistant b'],
      ['user y', 'assistant b', 'call echo', 'output echoed'],
    ]);
    expect(await held(session)).toEqual([
      'user a',
      'assistant b',
      'user x',
      'user y',
      'call echo',
      'output echoed',
      'assistant hi',
    ]);
  });

  test(
    verifies(
      'N1',
      'sessionInputCallback is asked without a history too, cannot change what is stored, and must give items',
    ),
    async () => {
      const session = new MemorySession();
      const { agent, model } = agentOf(['hi']);
      const runConfig = {
        sessionInputCallback: ({ newItems }: { newItems: readonly Item[] }) => (newItems as Item[]).splice(0, 1),
      };
      await Runner.run(agent, [user('x'), user('y')], { session, runConfig });
      expect(words(model.requests[0]?.input ?? [])).toEqual(['user x']);
      expect(await held(session)).toEqual(['user x', 'user y', 'assistant hi']);
      const wrong = { sessionInputCallback: () => 7 as never };
      const error = await rejection(Runner.run(agentOf(['hi']).agent, 'x', { session, runConfig: wrong }));
      expect(error).toBeInstanceOf(UserError);
      expect(error).toMatchObject({ message: expect.stringContaining('sessionInputCallback') });
    },
  );
});

describe('one place for a conversation', () => {
  const session = new MemorySession();
  test.for<[string, RunOptions<unknown>, string]>([
    ['session and conversationId', { session, conversationId: 'c' }, 'session, conversationId'],
    ['session and previousResponseId', { session, previousResponseId: 'p' }, 'session, previousResponseId'],
    [
      'conversationId and previousResponseId',
      { conversationId: 'c', previousResponseId: 'p' },
      'conversationId, previousResponseId',
    ],
    [
      'a session and a bound conversationId',
      { session, runConfig: { conversationId: 'c' } },
      'session, conversationId',
    ],
    [
      'two in the run config',
      { runConfig: { conversationId: 'c', previousResponseId: 'p' } },
      'conversationId, previousResponseId',
    ],
  ])(verifies('N4', '%s is a UserError before any request'), async ([, options, words]) => {
    const { agent, model } = agentOf(['hi']);
    const error = await rejection(Runner.run(agent, 'in', options));
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ message: expect.stringContaining(words) });
    expect(model.requests).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });
});
