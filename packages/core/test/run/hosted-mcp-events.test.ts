import { expect, test } from 'vitest';
import { Agent, Runner, type HostedToolSpec, type OutputItem, type RunStreamEvent } from '../../src/index.ts';
import { ScriptedModel } from '../../src/testing/index.ts';
import { verifies } from '../requirements.ts';

const spec: HostedToolSpec = { type: 'mcp', server_label: 'files', server_url: 'https://example.com' };
const listed: OutputItem = {
  type: 'mcp_list_tools',
  id: 'l1',
  server_label: 'files',
  tools: [{ name: 'delete', input_schema: { type: 'object' } }],
};
const request: OutputItem = {
  type: 'mcp_approval_request',
  id: 'r1',
  name: 'delete',
  arguments: '{"path":"/tmp/a"}',
  server_label: 'files',
};
const called: OutputItem = {
  type: 'mcp_call',
  id: 'm1',
  approval_request_id: 'r1',
  name: 'delete',
  arguments: '{"path":"/tmp/a"}',
  output: 'deleted',
  server_label: 'files',
};
const told: OutputItem = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Deleted.' }] };

async function eventsOf(stream: AsyncIterable<RunStreamEvent>): Promise<string[]> {
  const names: string[] = [];
  for await (const event of stream) {
    if (event.type === 'run_item_stream_event') names.push(`${event.name} ${event.item.type}`);
  }
  return names;
}

test(
  verifies(
    'S2',
    'what a hosted MCP server did comes as events by the names of the Responses API, before and after the approval',
  ),
  async () => {
    const model = new ScriptedModel([
      [listed, request],
      [called, told],
    ]);
    const agent = new Agent({ name: 'A', model, tools: [spec] });
    const first = Runner.runStreamed(agent, 'Delete it.');
    expect(await eventsOf(first.streamEvents())).toEqual([
      'mcp_list_tools mcp_list_tools_item',
      'mcp_approval_requested mcp_approval_request_item',
    ]);
    const [asked] = first.interruptions;
    expect(asked).toMatchObject({ type: 'mcp_approval_request_item', toolName: 'delete', callId: 'r1' });
    if (asked) first.state.approve(asked);
    const second = Runner.runStreamed(agent, first.state);
    expect(await eventsOf(second.streamEvents())).toEqual([
      'mcp_approval_response mcp_approval_response_item',
      'provider_item_created provider_item',
      'message_output_created message_output_item',
    ]);
    expect(second.finalOutput).toBe('Deleted.');
    // The issuer is given back all of it, in its own words.
    expect(model.requests[1]?.input.slice(1)).toMatchObject([
      listed,
      request,
      { type: 'mcp_approval_response', approval_request_id: 'r1', approve: true },
    ]);
  },
);

test(verifies('S1', 'the items of hosted MCP are the same, streamed or not'), async () => {
  const agent = () => new Agent({ name: 'A', model: new ScriptedModel([[listed, called, told]]), tools: [spec] });
  const unstreamed = await Runner.run(agent(), 'Delete it.');
  const streamed = Runner.runStreamed(agent(), 'Delete it.');
  await streamed.completed;
  const facts = (items: typeof unstreamed.newItems) => items.map(({ type, rawItem }) => ({ type, rawItem }));
  expect(facts(streamed.newItems)).toEqual(facts(unstreamed.newItems));
  expect(unstreamed.newItems.map(({ type }) => type)).toEqual([
    'mcp_list_tools_item',
    'provider_item',
    'message_output_item',
  ]);
});
