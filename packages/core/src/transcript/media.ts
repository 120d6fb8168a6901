import type { FunctionCallOutputItem, Item, MessageItem } from '../protocol/items.ts';
import { contentText } from '../protocol/text.ts';
import { oncePerItem } from './once.ts';
import type { Report } from './pairing.ts';

/**
 * For wires whose tool messages hold nothing but text: what else an output has goes into a message of the user of its own, behind the
 * outputs that stand together, and each move is reported (`moved_media`). What is made of an item is the same object the next time.
 */
export function mediaApart(): (items: readonly Item[], report: Report) => readonly Item[] {
  const split = oncePerItem((item) => (item.type === 'function_call_output' ? splitOutput(item) : undefined));
  return (items, report) => {
    const apart: Item[] = [];
    const media: Item[] = [];
    for (const item of items) {
      const output = item.type === 'function_call_output';
      if (!output && media.length > 0) apart.push(...media.splice(0));
      const parts = output && typeof item.output !== 'string' ? split(item) : undefined;
      apart.push(parts?.output ?? item);
      if (!parts?.media) continue;
      media.push(parts.media);
      report('moved_media', item.type, `media of ${parts.output.call_id} follow in a user message`);
    }
    return [...apart, ...media];
  };
}

function splitOutput(item: FunctionCallOutputItem): { output: FunctionCallOutputItem; media?: MessageItem } {
  const text = contentText(item.output);
  const media = typeof item.output === 'string' ? [] : item.output.filter(({ type }) => type !== 'input_text');
  if (media.length === 0) return { output: { ...item, output: text } };
  return {
    output: { ...item, output: text || '(see the next user message)' },
    media: { type: 'message', role: 'user', content: media },
  };
}
