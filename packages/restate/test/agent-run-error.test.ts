import { Agent, Runner, UserError } from '@polyrun/core';
import { call, ScriptedModel } from '@polyrun/core/testing';
import { TerminalError } from '@restatedev/restate-sdk';
import { expect, test } from 'vitest';
import { AgentRunError } from '../src/index.ts';

test('an error of a run becomes terminal, with its class in words, the error itself and the state that resumes it', async () => {
  const agent = new Agent({ name: 'A', model: new ScriptedModel([[call('none', {}, 'c')], 'end']) });
  const thrown: unknown = await Runner.run(agent, 'go', { maxTurns: 1 }).catch((error: unknown) => error);
  const error = AgentRunError.from(thrown) as AgentRunError;
  expect(error).toBeInstanceOf(TerminalError);
  expect(error.code).toBe(500);
  expect(error.message).toMatch(/^MaxTurnsExceededError: The run used up its 1 turns/);
  expect(error.error).toBe(thrown);
  const state = error.state;
  expect(state).toBeDefined();
  if (state) expect((await Runner.run(agent, state, { maxTurns: 2 })).finalOutput).toBe('end');
});

test('wrong configuration is a bad request; what is no error, and what is terminal already, is passed on', () => {
  expect(AgentRunError.from(new UserError('input: wrong.')).code).toBe(400);
  expect(AgentRunError.from('a word').message).toBe('a word');
  expect((AgentRunError.from('a word') as AgentRunError).state).toBeUndefined();
  const terminal = new TerminalError('enough', { errorCode: 410 });
  expect(AgentRunError.from(terminal)).toBe(terminal);
});
