import type { Reading } from './corpus.ts';

type Message = { [field: string]: unknown; role: string };

/** What the wire demands of the order of messages. */
export function grammarProblems(messages: readonly Message[]): string[] {
  const problems: string[] = [];
  let open: string[] = [];
  for (const [index, message] of messages.entries()) {
    const where = `message ${index}`;
    const calls = (message['tool_calls'] ?? []) as { id: string }[];
    if (message.role === 'tool') {
      if (!open.includes(String(message['tool_call_id']))) problems.push(`${where} answers no open call`);
      open = open.filter((id) => id !== message['tool_call_id']);
    } else if (open.length > 0) problems.push(`${where} leaves calls unanswered`);
    if (message.role === 'assistant') open = calls.map(({ id }) => id);
    const empty = message['content'] === '' || message['content'] === null || message['content'] === undefined;
    if (empty && calls.length === 0) problems.push(`${where} is empty`);
  }
  if (open.length > 0) problems.push('calls are left unanswered');
  return problems;
}

/** How recordings of chat completions are read. */
export const reading: Reading = {
  hosted: (item) =>
    item.type.endsWith(':executed_tool') && 'data' in item
      ? [`executed_tool:${(item['data'] as { type: string }).type}`]
      : [],
  isHosted: (call) => call.startsWith('executed_tool'),
};
