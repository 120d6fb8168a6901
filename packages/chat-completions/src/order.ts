import type { Json } from '@polyrun/core';
import type { OrderRule } from './dialects.ts';
import type { Target } from './target.ts';
import type { ChatMessage } from './wire.ts';

type Messages = readonly ChatMessage[];

/** Makes the smallest legal change where a wire wants more of the order of messages than that calls are paired; each is reported. */
export function ordered(messages: Messages, target: Target): Messages {
  return target.dialect.order.reduce((order, rule) => rules[rule](order, target.report), messages);
}

const rules: { readonly [rule in OrderRule]: (messages: Messages, report: Target['report']) => Messages } = {
  system_first: (messages, report) => {
    const start = messages.findIndex(({ role }) => role !== 'system');
    return messages.map((message, index) => {
      if (message.role !== 'system' || index < start) return message;
      report('other', 'system', 'a later system message is sent as the user');
      return { ...message, role: 'user' };
    });
  },
  alternate: (messages, report) => {
    const merged: ChatMessage[] = [];
    for (const message of messages) {
      const last = merged.at(-1);
      if (last?.role === message.role && /user|assistant/.test(message.role)) {
        report('other', message.role, 'messages of one role in a row are sent as one');
        merged[merged.length - 1] = { ...last, content: joined(last.content, message.content) };
      } else merged.push(message);
    }
    return merged;
  },
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

function joined(a: Json, b: Json): Json {
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  return [a, b].flatMap((content) => (content instanceof Array ? content : [{ type: 'text', text: content }]));
}
