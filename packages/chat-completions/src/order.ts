import type { OrderRule } from './dialects.ts';
import type { Target } from './target.ts';
import type { ChatMessage } from './wire.ts';

type Messages = readonly ChatMessage[];

/**
 * Makes the smallest legal change where a wire wants more of the order of messages than that calls are paired, or where nothing is
 * left to send; each is reported.
 */
export function ordered(messages: Messages, { dialect, report }: Target): Messages {
  const legal = dialect.order.reduce((order, rule) => rules[rule](order, report), messages);
  return legal.length > 0 ? legal : rules.user_last(legal, report);
}

const rules: { readonly [rule in OrderRule]: (messages: Messages, report: Target['report']) => Messages } = {
  assistant_after_tool: (messages, report) =>
    messages.flatMap((message, index) => {
      if (message.role !== 'user' || messages[index - 1]?.role !== 'tool') return [message];
      report('added_message', 'assistant', 'between a tool and the user');
      return [{ role: 'assistant', content: 'OK.' }, message];
    }),
  user_last: (messages, report) => {
    if (/user|tool/.test(messages.at(-1)?.role ?? '')) return messages;
    report('added_message', 'user', 'at the end, where the model may not have the last word');
    return [...messages, { role: 'user', content: 'Continue.' }];
  },
};
