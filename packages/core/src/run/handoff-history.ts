import type { Item, MessageItem } from '../protocol/items.ts';
import { stringify } from '../protocol/json.ts';
import { itemText } from '../protocol/text.ts';

const opening =
  'For context, here is the conversation so far between the user and the previous agent:\n<CONVERSATION HISTORY>\n';
const closing = '\n</CONVERSATION HISTORY>';

/**
 * Folds a conversation into one message that tells it line by line. A message that an earlier handoff made is taken apart first,
 * so that handoffs one after the other stay flat.
 */
export function nestHistory(items: readonly Item[]): MessageItem[] {
  const lines = items.flatMap(linesOf).map((line, index) => `${index + 1}. ${line}`);
  return [{ type: 'message', role: 'user', content: opening + lines.join('\n') + closing }];
}

function linesOf(item: Item): string[] {
  const text = itemText(item);
  if (item.type === 'message' && text.startsWith(opening)) {
    const told = text.slice(opening.length, text.lastIndexOf(closing));
    return told.split(/\n(?=\d+\. )/).map((line) => line.replace(/^\d+\. /, ''));
  }
  switch (item.type) {
    case 'message':
      return text === '' ? [] : [line(`${item.role}: ${text}`)];
    case 'reasoning':
      return [];
    case 'function_call':
      return [line(`assistant called ${item.name} with ${item.arguments}`)];
    case 'function_call_output':
      return [line(`the call returned: ${text}`)];
    default:
      return [stringify(item) ?? item.type];
  }
}

/** Later lines are set in, so that only the beginning of an entry looks like one when it is taken apart again. */
function line(text: string): string {
  return text.replaceAll('\n', '\n   ');
}
