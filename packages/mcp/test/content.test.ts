import { Agent, Runner } from '@polyrun/core';
import { ScriptedModel } from '@polyrun/core/testing';
import { InMemoryTransport, Server, type CallToolResult } from '@modelcontextprotocol/server';
import { describe, expect, test } from 'vitest';
import { verifies } from '../../core/test/requirements.ts';
import { messageOf, resourcePart } from '../src/content.ts';
import type { McpServerOptions } from '../src/index.ts';
import { connected } from './support/fixtures.ts';

type Options = Partial<McpServerOptions> & { outputSchema?: { type: 'object'; [key: string]: unknown } };

/** What the model is shown of a tool's result. */
async function shown(result: Partial<CallToolResult>, { outputSchema, ...options }: Options = {}): Promise<unknown> {
  const open = async () => {
    const [ours, theirs] = InMemoryTransport.createLinkedPair();
    const server = new Server({ name: 'local', version: '1' }, { capabilities: { tools: {} } });
    const tool = { name: 'get', inputSchema: { type: 'object' as const }, ...(outputSchema && { outputSchema }) };
    server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
    server.setRequestHandler('tools/call', () => ({ content: [], ...result }));
    await server.connect(theirs);
    return ours;
  };
  const server = connected({ name: 'local', transport: { type: 'custom', open }, ...options });
  const model = new ScriptedModel([[{ type: 'function_call', call_id: 'c', name: 'get', arguments: '{}' }], 'done']);
  await Runner.run(new Agent({ name: 'A', model, tools: [server] }), 'go');
  const item = model.requests[1]?.input.at(-1);
  return item?.type === 'function_call_output' ? item.output : item;
}

const text = (words: string) => ({ type: 'text', text: words }) as const;
const data = 'aGVsbG8=';

describe('what a tool returns', () => {
  test(verifies('T9', 'one text is a string; several blocks are parts, each in its kind'), async () => {
    expect(await shown({ content: [text('hi')] })).toBe('hi');
    expect(await shown({ content: [] })).toBe('');
    expect(
      await shown({
        content: [
          text('look:'),
          { type: 'image', mimeType: 'image/png', data },
          { type: 'audio', mimeType: 'audio/mpeg', data },
          { type: 'audio', mimeType: 'audio/x-wav', data },
          { type: 'resource', resource: { uri: 'file:///a/b.md', mimeType: 'text/markdown', text: '# B' } },
          { type: 'resource', resource: { uri: 'file:///a/b.pdf', mimeType: 'application/pdf', blob: data } },
          { type: 'resource', resource: { uri: 'file:///a/b.png', mimeType: 'image/png', blob: data } },
          {
            type: 'resource_link',
            uri: 'file:///c.txt',
            name: 'c.txt',
            mimeType: 'text/plain',
            description: 'Letters',
            size: 3,
          },
        ],
      }),
    ).toEqual([
      { type: 'input_text', text: 'look:' },
      { type: 'input_image', image_url: `data:image/png;base64,${data}` },
      { type: 'input_audio', input_audio: { data, format: 'mp3' } },
      { type: 'input_audio', input_audio: { data, format: 'wav' } },
      { type: 'input_text', text: 'Resource file:///a/b.md:\n# B' },
      { type: 'input_file', filename: 'b.pdf', file_data: `data:application/pdf;base64,${data}` },
      { type: 'input_image', image_url: `data:image/png;base64,${data}` },
      { type: 'input_text', text: 'Link to the resource c.txt (file:///c.txt): Letters; text/plain; 3 bytes' },
    ]);
    expect(await shown({ content: [{ type: 'image', mimeType: 'image/png', data }] })).toEqual([
      { type: 'input_image', image_url: `data:image/png;base64,${data}` },
    ]);
  });

  test('structured content stands where there is no content, or in the place of text where that is preferred', async () => {
    const structuredContent = { n: 1 };
    expect(await shown({ structuredContent })).toBe('{"n":1}');
    expect(await shown({ content: [text('one')], structuredContent })).toBe('one');
    const prefer = { structuredContent: 'prefer' } as const;
    expect(await shown({ content: [text('one')], structuredContent }, prefer)).toBe('{"n":1}');
    expect(await shown({ content: [text('one')] }, prefer)).toBe('one');
    const image = { type: 'image', mimeType: 'image/png', data } as const;
    expect(await shown({ content: [text('one'), image], structuredContent }, prefer)).toEqual([
      { type: 'input_text', text: '{"n":1}' },
      { type: 'input_image', image_url: `data:image/png;base64,${data}` },
    ]);
  });

  test('structured content that does not fit the output schema is an error; none at all is not', async () => {
    const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } as const;
    const content = [text('one')];
    expect(await shown({ content, structuredContent: { n: 1 } }, { outputSchema })).toBe('one');
    expect(await shown({ content }, { outputSchema })).toBe('one');
    expect(await shown({ content, structuredContent: { n: 'one' } }, { outputSchema })).toMatch(
      /gave structured content that does not fit the output schema of 'get': n: expected number, got a string\.$/,
    );
  });

  test('an output schema of an older draft is no reason to refuse the tool', async () => {
    const outputSchema = { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' } as const;
    expect(await shown({ content: [text('one')], structuredContent: {} }, { outputSchema })).toBe('one');
  });

  test(
    verifies('T4', 'a tool that reports an error is an error that the model sees in the words of the tool'),
    async () => {
      expect(await shown({ content: [text('The disk is full.')], isError: true })).toBe(
        'An error occurred while running the tool. Please try again. Error: The disk is full.',
      );
      expect(await shown({ isError: true, structuredContent: { code: 7 } })).toMatch(/Error: \{"code":7\}$/);
      const errorFunction: McpServerOptions['errorFunction'] = ({ error }) =>
        error instanceof Error ? `${error.name}: ${error.message}` : '';
      expect(await shown({ content: [text('Full.')], isError: true }, { errorFunction })).toBe('McpError: Full.');
      await expect(shown({ content: [text('Full.')], isError: true }, { errorFunction: null })).rejects.toMatchObject({
        name: 'ToolCallError',
        cause: { kind: 'tool', message: 'Full.' },
      });
    },
  );
});

test('a message of a prompt is input for a run; what a resource holds is a part', () => {
  expect(messageOf({ role: 'user', content: text('hi') })).toEqual({ type: 'message', role: 'user', content: 'hi' });
  expect(messageOf({ role: 'user', content: { type: 'image', mimeType: 'image/png', data } })).toEqual({
    type: 'message',
    role: 'user',
    content: [{ type: 'input_image', image_url: `data:image/png;base64,${data}` }],
  });
  expect(resourcePart({ uri: 'x://y/', blob: data })).toEqual({
    type: 'input_file',
    filename: 'resource',
    file_data: `data:application/octet-stream;base64,${data}`,
  });
});
