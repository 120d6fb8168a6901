import type { OrderRule } from './dialects.ts';
import type { Target } from './target.ts';
import type { ChatMessage } from './wire.ts';

type Messages = readonly ChatMessage[];

/** Makes the smallest legal change where a wire wants more of the order of messages than that calls are paired; each is reported. */
export function ordered(messages: Messages, target: Target): Messages {
  return target.dialect.order.reduce((order, rule) => rules[rule](order, target.report), messages);
}

const rules: { readonly [rule in OrderRule]: (messages: Messages, report: Target['report']) => Messages } = {
  assistant_after_tool: (messages, report) =>
    messages.flatMap((message, index) => {
      if (message.role !== 'user' || messages[index - 1]?.role !== 'tool') return [message];
      report('added_message', 'assistant', 'between a tool and the user');
      return [{ role: 'assistant', content: 'OK.' }, message];
    }),
  user_last: (messages, report) => {
    if (messages.at(-1)?.role !== 'assistant') return messages;
    report('added_message', 'user', 'after the last message of the model');
    return [...messages, { role: 'user', content: 'Continue.' }];
  },
};
