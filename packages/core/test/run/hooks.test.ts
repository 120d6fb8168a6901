import { describe, expect, test } from 'vitest';
import {
  Agent,
  AgentsError,
  MaxTurnsExceededError,
  Runner,
  tool,
  UserError,
  type Hooks,
  type ModelRequest,
  type RunResult,
  type Tool,
} from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { latch, rejection } from './scripts.ts';
import { idle, noting, payTool, PlainSession } from './stage.ts';

/** Hooks that write down what they are told. */
function noteAll(log: string[], who: string): Hooks<unknown> {
  const note = (text: string) => void log.push(`${who} ${text}`);
  return {
    onRunStart: ({ agent, input }) => note(`run start ${agent.name} ${input.length}`),
    onAgentStart: ({ agent }) => note(`agent start ${agent.name}`),
    onModelStart: ({ agent, request }) => note(`model start ${agent.name} ${request.input.length}`),
    onModelEnd: ({ agent, response }) => note(`model end ${agent.name} ${response.output.length}`),
    onToolStart: ({ tool: { name }, toolCall, context }) =>
      note(`tool start ${name} ${toolCall.call_id} ${context.callId}`),
    onToolEnd: ({ tool: { name }, output }) => note(`tool end ${name} ${JSON.stringify(output)}`),
    onHandoff: ({ from, to }) => note(`handoff ${from.name} > ${to.name}`),
    onAgentEnd: ({ agent, output }) => note(`agent end ${agent.name} ${JSON.stringify(output)}`),
    onRunEnd: ({ result, error }) => note(`run end ${error === undefined ? ending(result) : words(error)}`),
  };
}

function words(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
}

function ending(result: RunResult<unknown, unknown> | undefined): string {
  if (result === undefined) return 'with nothing';
  return result.interruptions.length > 0 ? 'interrupted' : String(result.finalOutput);
}

/** A session that writes down each write. */
class NotingSession extends PlainSession {
  readonly #log: string[];
  constructor(log: string[]) {
    super();
    this.#log = log;
  }
  override async addItems(items: Parameters<PlainSession['addItems']>[0]): Promise<{ version: string }> {
    const { version } = await super.addItems(items);
    this.#log.push(`save ${items.length}`);
    return { version };
  }
}

function guardedTool(log: string[]): Tool {
  return tool({
    name: 'act',
    description: 'Acts.',
    parameters: { type: 'object' },
    execute: () => {
      log.push('execute');
      return 1;
    },
    inputGuardrails: [{ name: 'before', execute: () => (log.push('tool input guardrail'), { type: 'allow' }) }],
    outputGuardrails: [{ name: 'after', execute: () => (log.push('tool output guardrail'), { type: 'allow' }) }],
  });
}

describe('order', () => {
  test(verifies('H1', 'a run with a tool, a handoff, guardrails and a session'), async () => {
    const log: string[] = [];
    const last = new Agent({
      name: 'B',
      model: new ScriptedModel(['done']),
      hooks: noteAll(log, 'B:'),
      outputGuardrails: [{ name: 'g', execute: () => (log.push('output guardrail'), { tripwireTriggered: false }) }],
    });
    const first = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act')], [call('transfer_to_b')]]),
      tools: [guardedTool(log)],
      handoffs: [last],
      hooks: noteAll(log, 'A:'),
    });
    await Runner.run(first, 'x', { session: new NotingSession(log), hooks: noteAll(log, 'run:') });
    // What earlier turns added is saved while the run goes on; only the last save has its place.
    expect(log.filter((line, at) => !line.startsWith('save') || at > log.indexOf('output guardrail'))).toEqual([
      'run: run start A 1',
      'run: agent start A',
      'A: agent start A',
      'run: model start A 1',
      'A: model start A 1',
      'run: model end A 1',
      'A: model end A 1',
      'tool input guardrail',
      'run: tool start act call_act call_act',
      'A: tool start act call_act call_act',
      'execute',
      'tool output guardrail',
      'run: tool end act 1',
      'A: tool end act 1',
      'run: model start A 3',
      'A: model start A 3',
      'run: model end A 1',
      'A: model end A 1',
      'run: handoff A > B',
      'A: handoff A > B',
      'run: agent start B',
      'B: agent start B',
      'run: model start B 5',
      'B: model start B 5',
      'run: model end B 1',
      'B: model end B 1',
      'run: agent end B "done"',
      'B: agent end B "done"',
      'output guardrail',
      'save 1',
      'run: run end done',
    ]);
  });

  test(verifies('H1', 'streamed it is the same'), async () => {
    const logs = [[], []] satisfies string[][];
    for (const [index, log] of logs.entries()) {
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('act')], 'done']),
        tools: [guardedTool(log)],
        hooks: noteAll(log, 'A:'),
      });
      const options = { hooks: noteAll(log, 'run:') };
      if (index === 0) await Runner.run(agent, 'x', options);
      else await Runner.runStreamed(agent, 'x', options).completed;
    }
    expect(logs[1]).toEqual(logs[0]);
    expect(logs[0]).toHaveLength(21);
  });

  test(verifies('H1', 'the agent ends also when a tool or an error handler makes the final output'), async () => {
    const log: string[] = [];
    const byTool = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('act')]]),
      tools: [noting('act', [], 7)],
      toolUseBehavior: 'stop_on_first_tool',
    });
    await Runner.run(byTool, 'x', { hooks: noteAll(log, 'run:') });
    expect(log.slice(-2)).toEqual(['run: agent end A 7', 'run: run end 7']);
    const byHandler = new Agent({ name: 'A', model: new ScriptedModel([[call('act')]]), tools: [noting('act', [])] });
    await Runner.run(byHandler, 'x', {
      maxTurns: 1,
      hooks: noteAll(log, 'run:'),
      errorHandlers: { maxTurns: () => ({ finalOutput: 'sorry' }) },
    });
    expect(log.slice(-2)).toEqual(['run: agent end A "sorry"', 'run: run end sorry']);
  });

  test(verifies('H1', 'the run ends also with an error, once everything that can be saved is'), async () => {
    const log: string[] = [];
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('act')]]), tools: [noting('act', log)] });
    const session = new NotingSession(log);
    const hooks: Hooks<unknown> = {
      onRunEnd: ({ error, result }) =>
        void log.push(error instanceof MaxTurnsExceededError && result === undefined ? 'run end' : '?'),
    };
    await rejection(Runner.run(agent, 'x', { maxTurns: 1, session, hooks }));
    expect(log).toEqual(['save 1', 'act', 'save 2', 'run end']);
  });

  test(verifies('H1', 'wrong configuration found at the start ends the run, too'), async () => {
    const log: string[] = [];
    const run = Runner.run(new Agent({ name: 'A' }), 'x', { hooks: noteAll(log, 'run:') });
    const error = await rejection(run);
    expect(log).toEqual([`run: run end ${words(error)}`]);
  });

  test(verifies('H1', 'wrong input ends the run, too'), async () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel(['done']) });
    const ends: unknown[] = [];
    const hooks = { onRunEnd: ({ error }: { error?: unknown }) => void ends.push(error) };
    const error = await rejection(Runner.run(agent, [{ role: 'bot' }] as never, { hooks }));
    expect(error).toBeInstanceOf(UserError);
    expect(ends).toEqual([error]);
  });

  test(verifies('H1', 'interrupted: the run ends; resumed: neither run nor agent start again'), async () => {
    const log: string[] = [];
    const pay = payTool();
    const agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('pay')], 'done']),
      tools: [pay],
      hooks: noteAll(log, 'A:'),
    });
    const { state, interruptions } = await Runner.run(agent, 'x', { hooks: noteAll(log, 'run:') });
    expect(log).toEqual([
      'run: run start A 1',
      'run: agent start A',
      'A: agent start A',
      'run: model start A 1',
      'A: model start A 1',
      'run: model end A 1',
      'A: model end A 1',
      'run: run end interrupted',
    ]);
    log.length = 0;
    for (const item of interruptions) state.approve(item);
    await Runner.run(agent, state, { hooks: noteAll(log, 'run:') });
    expect(log).toEqual([
      'run: tool start pay call_pay call_pay',
      'A: tool start pay call_pay call_pay',
      'run: tool end pay "paid"',
      'A: tool end pay "paid"',
      'run: model start A 3',
      'A: model start A 3',
      'run: model end A 1',
      'A: model end A 1',
      'run: agent end A "done"',
      'A: agent end A "done"',
      'run: run end done',
    ]);
  });

  test(verifies('H1', 'an agent starts again each time it becomes current'), async () => {
    const log: string[] = [];
    const a: Agent = new Agent({
      name: 'A',
      model: new ScriptedModel([[call('transfer_to_b')], 'done']),
      handoffs: () => [b],
    });
    const b: Agent = new Agent({ name: 'B', model: new ScriptedModel([[call('transfer_to_a')]]), handoffs: () => [a] });
    await Runner.run(a, 'x', { hooks: { onAgentStart: ({ agent }) => void log.push(agent.name) } });
    expect(log).toEqual(['A', 'B', 'A']);
  });
});

describe('awaiting', () => {
  const moments = [
    'onAgentStart',
    'onModelStart',
    'onModelEnd',
    'onToolStart',
    'onToolEnd',
    'onHandoff',
    'onAgentEnd',
  ] as const;

  test.for(moments)(
    verifies('H1', '%s: the hook of the run and that of the agent run at the same time, and are awaited'),
    async (name) => {
      const [ofRun, ofAgent] = [latch(), latch()];
      const started: string[] = [];
      let ended = false;
      const hold = (who: string, { promise }: { promise: Promise<void> }): Hooks<unknown> => ({
        [name]: () => {
          started.push(who);
          return promise;
        },
      });
      const last = new Agent({ name: 'B', model: new ScriptedModel(['done']) });
      const agent = new Agent({
        name: 'A',
        model: new ScriptedModel([[call('act')], name === 'onHandoff' ? [call('transfer_to_b')] : 'done']),
        tools: [noting('act', [])],
        handoffs: [last],
        hooks: hold('agent', ofAgent),
      });
      const run = Runner.run(agent, 'x', { hooks: hold('run', ofRun) }).then(() => (ended = true));
      await idle();
      expect(started).toEqual(['run', 'agent']);
      ofRun.open();
      await idle();
      expect([started.length, ended]).toEqual([2, false]);
      ofAgent.open();
      await run;
      expect(ended).toBe(true);
    },
  );

  test.for([...moments, 'onRunStart', 'onRunEnd'] as const)(
    verifies('H1', '%s: a throwing hook fails the run'),
    async (name) => {
      for (const throws of [
        () => {
          throw new Error('hook');
        },
        async () => {
          throw new Error('hook');
        },
      ]) {
        const last = new Agent({ name: 'B', model: new ScriptedModel(['done', 'done']) });
        const make = (hooks: Hooks<unknown>) =>
          new Agent({
            name: 'A',
            model: new ScriptedModel([[call('act')], [call('transfer_to_b')]]),
            tools: [noting('act', [])],
            handoffs: [last],
            hooks,
          });
        let ends = 0;
        const onRunEnd = () => void (ends += 1);
        const hooks: Hooks<unknown> =
          name === 'onRunEnd' ? { onRunEnd: () => (onRunEnd(), throws()) } : { onRunEnd, [name]: throws };
        expect(await rejection(Runner.run(make({}), 'x', { hooks }))).toMatchObject({ message: 'hook' });
        expect(ends).toBe(1);
        expect(await rejection(Runner.runStreamed(make({}), 'x', { hooks }).completed)).toMatchObject({
          message: 'hook',
        });
        // An agent's own hook does so as well; its agent never ends here, and runs start and end without it.
        if (name !== 'onRunStart' && name !== 'onRunEnd' && name !== 'onAgentEnd')
          expect(await rejection(Runner.run(make({ [name]: throws }), 'x'))).toMatchObject({ message: 'hook' });
      }
    },
  );

  test(verifies('H1', 'a hook at the end that throws does not hide the error of the run'), async () => {
    const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('act')]]), tools: [noting('act', [])] });
    const hooks: Hooks<unknown> = {
      onRunEnd: () => {
        throw new Error('hook');
      },
    };
    const error = await rejection(Runner.run(agent, 'x', { maxTurns: 1, hooks }));
    expect(error).toBeInstanceOf(MaxTurnsExceededError);
    expect(error instanceof AgentsError && error.state).toBeDefined();
  });
});

test('a request that a hook keeps goes on showing what was sent', async () => {
  const kept: ModelRequest[] = [];
  const again = tool({ name: 'again', description: 'd', parameters: { type: 'object' }, execute: () => 'ok' });
  const model = new ScriptedModel([[call('again')], 'Done.']);
  const agent = new Agent({ name: 'A', model, tools: [again] });
  await Runner.run(agent, 'Hi', { hooks: { onModelStart: ({ request }) => void kept.push(request) } });
  expect(kept.map(({ input }) => input)).toEqual(model.requests.map(({ input }) => input));
  expect(kept.map(({ input }) => input.length)).toEqual([1, 3]);
});
