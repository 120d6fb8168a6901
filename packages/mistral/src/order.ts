import type { Target } from './target.ts';
import type { WireMessage } from './wire.ts';

/**
 * Makes the smallest legal change where the order of messages is one that the API refuses (its code 3230); each is reported. System
 * messages stand first, no user follows a tool, and the last word is not the model's, unless the answer is to begin with it.
 * https://docs.mistral.ai/api/endpoint/chat, and the checks of the same requests in the provider's own mistral-common.
 */
export function ordered(messages: readonly WireMessage[], report: Target['report']): WireMessage[] {
  const order: WireMessage[] = [];
  let begun = false;
  for (const message of messages) {
    begun ||= message.role !== 'system';
    if (begun && message.role === 'system') {
      report('other', 'system', 'in the middle of a conversation, it is sent as a message of the user');
      addTo(order, { ...message, role: 'user' }, report);
    } else addTo(order, message, report);
  }
  if (isAnswerable(order.at(-1))) return order;
  report('added_message', 'user', 'behind the last message, for the model to answer');
  return [...order, { role: 'user', content: 'Continue.' }];
}

function addTo(order: WireMessage[], message: WireMessage, report: Target['report']): void {
  if (message.role === 'user' && order.at(-1)?.role === 'tool') {
    report('added_message', 'assistant', 'between a tool and the user');
    order.push({ role: 'assistant', content: 'OK.' });
  }
  order.push(message);
}

function isAnswerable(last: WireMessage | undefined): boolean {
  return last?.role === 'user' || last?.role === 'tool' || last?.['prefix'] === true;
}
