import type { Json } from '@polyrun/core';
import type { OrderRule } from './dialects.ts';
import type { Target } from './target.ts';
import type { ChatMessage } from './wire.ts';

/** Makes the smallest legal change where a wire wants more of the order of messages than that calls are paired; each is reported. */
export function ordered(messages: readonly ChatMessage[], target: Target): readonly ChatMessage[] {
  return target.dialect.order.reduce((order, rule) => rules[rule](order, target), messages);
}

type Rule = (messages: readonly ChatMessage[], target: Target) => readonly ChatMessage[];

const rules: { readonly [rule in OrderRule]: Rule } = {
  system_first: (messages, { report }) => {
    const start = messages.findIndex(({ role }) => role !== 'system');
    return messages.map((message, index) => {
      if (message.role !== 'system' || start < 0 || index < start) return message;
      report({ type: 'other', name: 'system', detail: 'a system message behind the first others is sent as the user' });
      return { ...message, role: 'user' };
    });
  },
  alternate: (messages, { report }) => {
    const alternating: ChatMessage[] = [];
    for (const message of messages) {
      const last = alternating.at(-1);
      const mergeable = last?.role === message.role && message.role !== 'system' && message.role !== 'tool';
      if (last && mergeable) {
        alternating[alternating.length - 1] = { ...last, content: joined(last.content, message.content) };
        report({ type: 'other', name: message.role, detail: 'two messages of one role in a row are sent as one' });
      } else alternating.push(message);
    }
    return alternating;
  },
  assistant_after_tool: (messages, { report }) =>
    messages.flatMap((message, index) => {
      if (message.role !== 'user' || messages[index - 1]?.role !== 'tool') return [message];
      report({ type: 'added_message', name: 'assistant', detail: 'between the output of a tool and the user' });
      return [{ role: 'assistant', content: 'OK.' }, message];
    }),
  user_last: (messages, { report }) => {
    if (messages.at(-1)?.role !== 'assistant') return messages;
    report({ type: 'added_message', name: 'user', detail: 'the wire takes no request that ends with the model' });
    return [...messages, { role: 'user', content: 'Continue.' }];
  },
};

function joined(a: Json, b: Json): Json {
  if (typeof a === 'string' && typeof b === 'string') return `${a}\n\n${b}`;
  return [...partsOf(a), ...partsOf(b)];
}

function partsOf(content: Json): readonly Json[] {
  if (content instanceof Array) return content;
  return content === null ? [] : [{ type: 'text', text: content }];
}
