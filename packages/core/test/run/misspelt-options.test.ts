import { describe, expect, test } from 'vitest';
import { Agent, handoff, Runner, tool, UserError, type RunConfig } from '../../src/index.ts';
import { call, ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';
import { rejection } from './scripts.ts';

const work = { name: 'work', description: 'Works.', parameters: { type: 'object' }, execute: () => 'done' } as const;

describe('an option that there is none of is refused where it would have held something back', () => {
  test.for(['needApproval', 'timeout', 'inputGuardrail'])(verifies('E2', 'of a tool: %s'), (name) => {
    const options = { ...work, [name]: true };
    expect(() => tool(options)).toThrow(UserError);
    expect(() => tool(options)).toThrow(`Tool 'work': there is no option '${name}'`);
  });

  test.for(['toolNameOverride', 'inputType'])(verifies('E2', 'of a handoff: %s'), (name) => {
    const make = () => handoff(new Agent({ name: 'B' }), { [name]: 'x' });
    expect(make).toThrow(UserError);
    expect(make).toThrow(`Handoff to 'B': there is no option '${name}'`);
  });

  test.for<[string, unknown]>([
    ['toolcalls', 1],
    ['toolCalls', Number.NaN],
    ['totalTokens', -1],
    ['wallMs', 'soon'],
  ])(verifies('E2', 'a limit: %s, %s'), async ([name, most]) => {
    const model = new ScriptedModel([[call('work')], 'done']);
    const limits = { [name]: most } as RunConfig['limits'];
    const error = await rejection(
      Runner.run(new Agent({ name: 'A', model, tools: [tool(work)] }), 'go', { runConfig: { limits } }),
    );
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(`runConfig.limits.${name}: expected a known limit`);
    expect(model.requests).toEqual([]);
  });

  test('limits of zero and those that are not given are fine', async () => {
    const model = new ScriptedModel(['done']);
    const limits = { toolCalls: 0, wallMs: undefined };
    const result = await Runner.run(new Agent({ name: 'A', model, tools: [tool(work)] }), 'go', {
      runConfig: { limits },
    });
    expect(result.finalOutput).toBe('done');
  });
});
