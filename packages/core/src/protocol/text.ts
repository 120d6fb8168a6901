import type { Item, MessagePart } from './items.ts';

/** All text of an item that a reader would see; `''` when it has none. A refusal counts as text. */
export function itemText(item: Item): string {
  switch (item.type) {
    case 'message':
      return contentText(item.content);
    case 'function_call_output':
      return contentText(item.output);
    case 'reasoning':
      return [...item.summary, ...(item.content ?? [])].map(({ text }) => text).join('\n');
    default:
      return '';
  }
}

/** The text of message content, parts joined without a separator. */
export function contentText(content: string | readonly MessagePart[]): string {
  if (typeof content === 'string') return content;
  let text = '';
  for (const part of content) {
    if (part.type === 'input_text' || part.type === 'output_text') text += part.text;
    else if (part.type === 'refusal') text += part.refusal;
  }
  return text;
}
