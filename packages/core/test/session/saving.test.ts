import { describe, expect, test } from 'vitest';
import {
  AgentsError,
  InputGuardrailTripwireTriggered,
  MemorySession,
  OutputGuardrailTripwireTriggered,
  Runner,
  RunState,
  SessionBusyError,
  tool,
} from '../../src/index.ts';
import { call } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from '../run/scripts.ts';
import { gatekeeper, idle } from '../run/stage.ts';
import { agentOf, echo, held, Observed } from './stage.ts';

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

  test('a write that fails fails the run, once', async () => {
    const session = new Observed();
    session.onWrite = (nth) => (nth === 2 ? 'fail' : 'pass');
    const { agent } = agentOf([[call('echo')], 'hi']);
    expect(await rejection(Runner.run(agent, 'in', { session }))).toMatchObject({ message: 'disk full' });
    expect(session.calls.filter((each) => each.startsWith('add'))).toEqual(['add 1', 'add 2']);
    expect(await held(session)).toEqual(['user in']);
  });

  test('a last write that fails fails a run that is done; resumed, only the write is made', async () => {
    const session = new Observed();
    const failure = new SessionBusyError('made to fail');
    session.onWrite = (nth) => (nth === 2 ? failure : 'pass');
    const ends: unknown[] = [];
    const { agent, model } = agentOf(['hi'], { hooks: { onAgentEnd: ({ output }) => void ends.push(output) } });
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
