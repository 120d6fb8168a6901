import type { ModelSettings } from '@polyrun/core';
import type { Conversation } from './messages.ts';
import type { Block, JsonObject, Message } from './wire.ts';

type Marked = Conversation & { readonly tools: readonly JsonObject[] };

/**
 * Marks how far a request may be cached: behind the tools, the instructions and the last two messages of the user, which makes the four
 * marks that the API takes. platform.claude.com/docs/en/build-with-claude/prompt-caching
 */
export function withCacheMarks({ tools, system, messages }: Marked, cache: ModelSettings['cache'] = 'auto'): Marked {
  if (cache === 'none') return { tools, system, messages };
  const cache_control = { type: 'ephemeral', ...(typeof cache === 'object' && { ttl: cache.ttl }) };
  const mark = <T extends JsonObject>(block: T): T => ({ ...block, cache_control });
  const users = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : [])).slice(-2);
  // Tools that are loaded later cannot be marked.
  const lastTool = tools.findLastIndex(({ defer_loading }) => defer_loading !== true);
  return {
    tools: tools.map((tool, index) => (index === lastTool ? mark(tool) : tool)),
    system: withLast(system, mark),
    messages: messages.map((message, index): Message =>
      users.includes(index) ? { ...message, content: withLast(message.content, mark) } : message,
    ),
  };
}

function withLast(blocks: readonly Block[], mark: (block: Block) => Block): readonly Block[] {
  const last = blocks.at(-1);
  return last ? [...blocks.slice(0, -1), mark(last)] : blocks;
}
