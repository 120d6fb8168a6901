import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  Agent,
  AgentsError,
  InputGuardrailTripwireTriggered,
  MemorySession,
  OutputGuardrailTripwireTriggered,
  Runner,
  RunState,
  SessionBusyError,
  tool,
  UserError,
  type Item,
  type RunOptions,
  type Session,
} from '../../src/index.ts';
import { call, message, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { gatekeeper, idle } from '../run/stage.ts';
import { latch, rejection } from '../run/scripts.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
const told = (text: string): Item => ({ ...message(text) });

/** Items in a word each. */
function words(items: readonly Item[]): string[] {
  return items.map((item) => {
    switch (item.type) {
      case 'message':
        return `${item.role} ${typeof item.content === 'string' ? item.content : item.content.map((part) => ('text' in part ? part.text : '')).join('')}`;
      case 'function_call':
        return `call ${item.name}`;
      case 'function_call_output':
        return `output ${String(item.output)}`;
      default:
        return item.type;
    }
  });
}

const held = async (session: Session) => words(await session.getItems());

const echo = tool({ name: 'echo', description: 'Echoes.', parameters: { type: 'object' }, execute: () => 'echoed' });
const guarded = tool({
  name: 'guarded',
  description: 'Asks.',
  parameters: { type: 'object' },
  needsApproval: true,
  execute: () => 'done',
});

function agentOf(turns: readonly ScriptedTurn[], more: Partial<ConstructorParameters<typeof Agent>[0]> = {}) {
  const model = new ScriptedModel(turns);
  return { model, agent: new Agent({ name: 'A', model, tools: [echo, guarded], ...more }) };
}

/** A session that tells what is done to it, and may be told to fail. */
class Observed extends MemorySession {
  readonly calls: string[] = [];
  readonly keys: (string | undefined)[] = [];
  failRead: Error | undefined;
  /** Called before each write; what it returns is done with it. */
  onWrite: (nth: number) => 'fail' | 'lose' | 'pass' = () => 'pass';
  #writes = 0;

  override async read(limit?: number) {
    this.calls.push(`read ${limit ?? 'all'}`);
    if (this.failRead) throw this.failRead;
    return super.read(limit);
  }

  override async addItems(...[items, options]: Parameters<MemorySession['addItems']>) {
    this.calls.push(`add ${items.length}`);
    this.keys.push(options?.key);
    const what = this.onWrite(++this.#writes);
    if (what === 'fail') throw new Error('disk full');
    const result = await super.addItems(items, options);
    if (what === 'lose') throw new Error('connection lost');
    return result;
  }
}

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
      const session = new Observed({ items: [user('before')] });
      session.failRead = new Error('password=secret');
      const { agent, model } = agentOf(['hi']);
      const running = Runner.run(agent, 'now', {
        session,
        runConfig: { sessionSettings: { onReadError: 'continue' } },
      });
      session.failRead = undefined;
      // The read has failed already: it was made when the run began.
      const failing = new Observed({ items: [user('before')] });
      failing.read = async (limit) => {
        if (limit === undefined) throw new Error('password=secret');
        return MemorySession.prototype.read.call(failing, limit);
      };
      await running;
      const second = agentOf(['hi']);
      const result = await Runner.run(second.agent, 'now', {
        session: failing,
        runConfig: { sessionSettings: { onReadError: 'continue' } },
      });
      expect(result.finalOutput).toBe('hi');
      expect(words(second.model.requests[0]?.input ?? [])).toEqual(['user now']);
      expect(await held(failing)).toEqual(['user before', 'user now', 'assistant hi']);
      expect(warn).toHaveBeenCalled();
      expect(JSON.stringify(warn.mock.calls)).not.toContain('secret');
      expect(model.requests.length).toBe(1);
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

describe('saving', () => {
  test(
    verifies(
      'N2',
      'the input once the first model call has started, each turn after it, the last after the output guardrails',
    ),
    async () => {
      const session = new Observed();
      const stored: string[][] = [];
      const look = async () => void stored.push(await held(session));
      const answers = [latch(), latch(), latch()];
      const started: number[] = [];
      const outputGuardrail = latch<{ tripwireTriggered: boolean }>();
      const turn = (index: number, items: ReturnType<typeof call>[] | string) => async () => {
        started.push(index);
        await answers[index]?.promise;
        return items;
      };
      const { agent } = agentOf([turn(0, [call('echo')]), turn(1, [call('echo', {}, 'c2')]), turn(2, 'end')], {
        outputGuardrails: [{ name: 'g', execute: () => outputGuardrail.promise }],
      });
      const running = Runner.run(agent, 'in', { session });
      await idle();
      await look();
      answers[0]?.open();
      await idle();
      await look();
      answers[1]?.open();
      await idle();
      answers[2]?.open();
      await idle();
      await look();
      outputGuardrail.open({ tripwireTriggered: false });
      await running;
      await look();
      expect(started).toEqual([0, 1, 2]);
      const input = ['user in'];
      const first = [...input, 'call echo', 'output echoed'];
      const second = [...first, 'call echo', 'output echoed'];
      expect(stored).toEqual([input, first, second, [...second, 'assistant end']]);
    },
  );

  test(verifies('N2', 'nothing while an input guardrail is asked, and nothing at all once it trips'), async () => {
    const session = new Observed();
    const gate = gatekeeper('release');
    // A call that was cut off is answered without any tool, so the turn could be over before the verdict.
    const cut = [{ ...call('echo'), status: 'incomplete' as const }];
    const { agent } = agentOf([cut, 'hi'], { inputGuardrails: [gate.guardrail] });
    const running = rejection(Runner.run(agent, 'in', { session }));
    await idle();
    expect(gate.asked()).toBe(1);
    expect(session.calls).toEqual(['read all']);
    gate.trip();
    expect(await running).toBeInstanceOf(InputGuardrailTripwireTriggered);
    expect(session.calls).toEqual(['read all']);
  });

  test(verifies('N2', 'an error keeps what finished'), async () => {
    const session = new MemorySession();
    const slow = latch<string>();
    const tools = [
      tool({
        name: 'fatal',
        description: 'Fails.',
        parameters: { type: 'object' },
        errorFunction: null,
        execute: async () => {
          await Promise.resolve();
          throw new Error('boom');
        },
      }),
      tool({ name: 'late', description: 'Late.', parameters: { type: 'object' }, execute: () => slow.promise }),
      echo,
    ];
    const { agent } = agentOf([[call('echo')], [call('fatal'), call('echo', {}, 'c2'), call('late')]], { tools });
    const running = rejection(Runner.run(agent, 'in', { session }));
    await idle();
    slow.open('settled after the error');
    expect(await running).toBeInstanceOf(AgentsError);
    expect(await held(session)).toEqual([
      'user in',
      'call echo',
      'output echoed',
      'call fatal',
      'call echo',
      'call late',
      'output echoed',
      'output settled after the error',
    ]);
  });

  test(verifies('N2', 'an answer that an output guardrail blocks is not stored, what tools made is'), async () => {
    const blocking = [{ name: 'g', execute: () => ({ tripwireTriggered: true }) }];
    const byModel = new MemorySession();
    const answered = agentOf([[call('echo')], 'blocked'], { outputGuardrails: blocking });
    expect(await rejection(Runner.run(answered.agent, 'in', { session: byModel }))).toBeInstanceOf(
      OutputGuardrailTripwireTriggered,
    );
    expect(await held(byModel)).toEqual(['user in', 'call echo', 'output echoed']);
    const byTool = new MemorySession();
    const stopped = agentOf([[call('echo')]], { outputGuardrails: blocking, toolUseBehavior: 'stop_on_first_tool' });
    await rejection(Runner.run(stopped.agent, 'in', { session: byTool }));
    expect(await held(byTool)).toEqual(['user in', 'call echo', 'output echoed']);
  });

  test(verifies('N2', 'a run that is stopped keeps what finished'), async () => {
    const session = new MemorySession();
    const never = latch<string>();
    const tools = [
      echo,
      tool({
        name: 'slow',
        description: 'Slow.',
        parameters: { type: 'object' },
        execute: (_, { signal }) =>
          Promise.race([never.promise, new Promise((_resolve, reject) => signal.addEventListener('abort', reject))]),
      }),
    ];
    const { agent } = agentOf([[call('echo'), call('slow')]], { tools });
    const control = new AbortController();
    const running = rejection(Runner.run(agent, 'in', { session, signal: control.signal }));
    await idle();
    control.abort(new Error('stop'));
    expect(await running).toMatchObject({ message: 'stop' });
    expect(await held(session)).toEqual(['user in', 'call echo', 'call slow', 'output echoed']);
  });

  test(verifies('N2', 'a pending approval stores no placeholder: the turn is stored once it is over'), async () => {
    const session = new MemorySession();
    const { agent } = agentOf([[call('guarded'), call('echo')], 'hi']);
    const first = await Runner.run(agent, 'in', { session });
    expect(first.interruptions).toHaveLength(1);
    expect(await held(session)).toEqual(['user in']);
    const [item] = first.interruptions;
    if (item) first.state.approve(item);
    await Runner.run(agent, first.state, { session });
    expect(await held(session)).toEqual([
      'user in',
      'call guarded',
      'call echo',
      'output echoed',
      'output done',
      'assistant hi',
    ]);
  });

  test('a write that fails fails the run; resumed, exactly that write is made again', async () => {
    const session = new Observed();
    session.onWrite = (nth) => (nth === 2 ? 'fail' : 'pass');
    const { agent, model } = agentOf([[call('echo')], 'hi']);
    const error = await rejection(Runner.run(agent, 'in', { session }));
    expect(error).toMatchObject({ message: 'disk full' });
    expect(session.calls.filter((each) => each.startsWith('add'))).toEqual(['add 1', 'add 2']);
    expect(model.requests.length).toBeLessThanOrEqual(2);
  });

  test('a last write that fails fails a run that is done; resumed, only the write is made', async () => {
    const session = new Observed();
    session.onWrite = (nth) => (nth === 2 ? 'lose' : 'pass');
    const ends: unknown[] = [];
    const { agent, model } = agentOf(['hi'], { hooks: { onAgentEnd: ({ output }) => void ends.push(output) } });
    const failure = new SessionBusyError('made to fail');
    const original = session.addItems.bind(session);
    let writes = 0;
    session.addItems = async (...given) => {
      const result = await original(...given).catch(() => undefined);
      if (++writes === 2) throw failure;
      return result ?? { version: '' };
    };
    const error = await rejection(Runner.run(agent, 'in', { session }));
    expect(error).toBe(failure);
    const { state } = error as AgentsError;
    if (!state) throw new Error('no state');
    const result = await Runner.run(agent, RunState.fromString(agent, state.toString()), { session });
    expect(result.finalOutput).toBe('hi');
    expect(model.requests).toHaveLength(1);
    expect(ends).toEqual(['hi']);
    expect(await held(session)).toEqual(['user in', 'assistant hi']);
  });
});

describe('one writer', () => {
  test(verifies('N3', 'each write names the version before it and a key of run and effect'), async () => {
    const session = new Observed({ items: [user('before')] });
    const versions: unknown[] = [];
    const add = session.addItems.bind(session);
    session.addItems = async (items, options) => {
      versions.push([options?.ifVersion, (await MemorySession.prototype.read.call(session)).version]);
      return add(items, options);
    };
    const { agent } = agentOf([[call('echo')], 'hi']);
    await Runner.run(agent, 'in', { session, runId: 'r' });
    expect(session.keys).toEqual(['r/save/1', 'r/save/2', 'r/save/4']);
    expect(versions).toEqual(versions.map((pair) => [(pair as unknown[])[1], (pair as unknown[])[1]]));
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
        const script = Array.from({ length: turns }, (_, index) => [call('echo', {}, `c${index}`)]);
        const { agent } = agentOf([...script, ...Array.from({ length: 12 }, () => 'hi')]);
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
        const middle = script.flatMap(() => ['call echo', 'output echoed']);
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
