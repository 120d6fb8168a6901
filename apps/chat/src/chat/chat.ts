import { commandIn, completions, runCommand } from './commands/index.ts';
import type { Desk, Outcome } from './commands/command.ts';
import type { Input, Reply } from './input/input.ts';
import { messageOf } from './words.ts';

/** Reads messages and commands until the input ends. `prompt` is shown before each. */
export async function chat(desk: Desk, input: Input, prompt: string): Promise<void> {
  let prefill = '';
  for (;;) {
    const reply = await readMessage({ desk, input, prompt, prefill });
    prefill = '';
    if (reply.type === 'ended') return;
    if (reply.type === 'interrupted') {
      desk.screen.note('Ctrl-D or /exit ends the chat');
      continue;
    }
    const outcome = await took(desk, { input, text: reply.text });
    if (outcome.type === 'exit') return;
    // In a pipe nobody edits.
    if (outcome.type === 'edit' && input.isTerminal) prefill = outcome.text;
  }
}

/** One message or command; a `\` at the end of a line goes on in the next one. */
async function readMessage({
  desk,
  input,
  prompt,
  prefill,
}: {
  desk: Desk;
  input: Input;
  prompt: string;
  prefill: string;
}): Promise<Reply> {
  const complete = (line: string) => completions(desk, line);
  if (input.isTerminal) desk.screen.line('');
  let reply = await input.ask({ prompt, prefill, isRemembered: true, complete });
  let text = '';
  while (reply.type === 'line' && reply.text.endsWith('\\')) {
    text += `${reply.text.slice(0, -1)}\n`;
    reply = await input.ask({ prompt: '… ', isRemembered: true });
  }
  if (reply.type === 'line') return { type: 'line', text: text + reply.text };
  return reply.type === 'ended' && text !== '' ? { type: 'line', text: text.trimEnd() } : reply;
}

async function took(desk: Desk, { input, text }: { input: Input; text: string }): Promise<Outcome> {
  const command = commandIn(text);
  const done: Outcome = { type: 'done' };
  if (text.trim() === '') return done;
  if (!command) {
    await answered(desk, { input, text: text.replace(/^\/\//, '/') });
    return done;
  }
  try {
    return await runCommand(desk, command);
  } catch (error) {
    desk.screen.error(messageOf(error));
    return done;
  }
}

/** Ctrl-C gives up the answer that is being written, not the program. */
async function answered(desk: Desk, { input, text }: { input: Input; text: string }): Promise<void> {
  const cancelled = new AbortController();
  const unwatch = input.watch(() => cancelled.abort());
  try {
    await desk.conversation.answer(text, cancelled.signal);
  } finally {
    unwatch();
  }
}
