import { describe, expect, test } from 'vitest';
import { clientTool, Runner, UserError, type OutputItem, type ProviderItem } from '../../src/index.ts';
import { verifies } from '../requirements.ts';
import { agentOf, itemOf, reloaded, waiting } from './approvals.ts';

describe('hosted MCP', () => {
  const request = (id: string, server = 'files'): OutputItem => ({
    type: 'mcp_approval_request',
    id,
    name: 'delete',
    arguments: '{"path":"/"}',
    server_label: server,
  });
  const spec = { type: 'mcp', server_label: 'files', server_url: 'https://example.com' };

  test(
    verifies(
      'I6',
      'a request for approval interrupts, is decided on the state, and answered with an item; the run goes on with another turn',
    ),
    async () => {
      const { agent, model } = agentOf([[request('r1'), request('r2')], 'done'], { tools: [spec] });
      const first = await Runner.run(agent, 'go');
      expect(first.interruptions).toMatchObject([
        { type: 'mcp_approval_request_item', toolName: 'delete', callId: 'r1', arguments: '{"path":"/"}' },
        { type: 'mcp_approval_request_item', callId: 'r2' },
      ]);
      const state = reloaded(agent, first);
      state.approve(itemOf(state, 'r1'));
      state.reject(itemOf(state, 'r2'), { message: 'too much' });
      const result = await Runner.run(agent, state);
      expect(result.finalOutput).toBe('done');
      expect(model.requests[1]?.input.slice(-2)).toEqual([
        { type: 'mcp_approval_response', approval_request_id: 'r1', approve: true },
        { type: 'mcp_approval_response', approval_request_id: 'r2', approve: false, reason: 'too much' },
      ]);
      expect(result.newItems.map(({ type }) => type)).toEqual([
        'mcp_approval_request_item',
        'mcp_approval_request_item',
        'mcp_approval_response_item',
        'mcp_approval_response_item',
        'message_output_item',
      ]);
    },
  );

  test(verifies('I6', 'the tool itself may answer instead, for its own server'), async () => {
    const asked: ProviderItem[] = [];
    const own = clientTool({
      spec,
      answers: 'mcp_approval_response',
      execute: async (item) => {
        asked.push(item);
        return { type: 'mcp_approval_response', approval_request_id: item.id, approve: item.id === 'r1', reason: 'no' };
      },
    });
    const { agent, model } = agentOf([[request('r1'), request('r2'), request('r3', 'mail')], 'done'], {
      tools: [own, { ...spec, server_label: 'mail' }],
    });
    const first = await Runner.run(agent, 'go');
    expect(model.requests[0]?.tools).toEqual([spec, { ...spec, server_label: 'mail' }]);
    expect(waiting(first)).toEqual(['r3']);
    expect(asked.map(({ id }) => id)).toEqual(['r1', 'r2']);
    for (const item of first.interruptions) first.state.approve(item);
    await Runner.run(agent, first.state);
    expect(model.requests[1]?.input.slice(-3)).toEqual([
      { type: 'mcp_approval_response', approval_request_id: 'r1', approve: true },
      { type: 'mcp_approval_response', approval_request_id: 'r2', approve: false, reason: 'no' },
      { type: 'mcp_approval_response', approval_request_id: 'r3', approve: true },
    ]);
    expect(asked).toHaveLength(2);
  });

  test('arguments of a request cannot be edited: the server keeps its own', async () => {
    const { agent } = agentOf([[request('r1')]], { tools: [spec] });
    const { state } = await Runner.run(agent, 'go');
    expect(() => state.approve(itemOf(state, 'r1'), { arguments: {} })).toThrow(UserError);
  });
});
