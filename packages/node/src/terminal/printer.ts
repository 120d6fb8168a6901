import type { RunItem, RunStreamEvent } from '@polyrun/core';

const mostCharacters = 200;

/** Writes an answer as it comes, and notes of what happens besides on lines of their own. */
export class Printer {
  readonly #output: NodeJS.WritableStream;
  #midLine = false;

  constructor(output: NodeJS.WritableStream) {
    this.#output = output;
  }

  text(text: string): void {
    if (text === '') return;
    this.#output.write(text);
    this.#midLine = !text.endsWith('\n');
  }

  /** A line of its own. */
  line(text: string): void {
    this.endLine();
    this.#output.write(`${text}\n`);
  }

  endLine(): void {
    if (this.#midLine) this.#output.write('\n');
    this.#midLine = false;
  }

  event(event: RunStreamEvent): void {
    if (event.type === 'run_item_stream_event' && event.name !== 'message_output_created') this.item(event.item);
    if (event.type !== 'raw_response_event') return;
    const { data } = event;
    if (data.type === 'response.output_text.delta' || data.type === 'response.refusal.delta') this.text(data.delta);
    if (data.type === 'response.output_text.done' || data.type === 'response.refusal.done') this.endLine();
    if (data.type === 'polyrun:attempt_discarded') this.line('[the answer broke off; once more]');
  }

  item(item: RunItem): void {
    switch (item.type) {
      case 'message_output_item':
        return this.line(item.text);
      case 'tool_call_item':
        return this.line(`[${item.toolName} ${brief(item.arguments)}]`);
      case 'tool_call_output_item':
        return this.line(`[${item.toolName}${item.isError ? ' failed' : ''}: ${brief(item.output)}]`);
      case 'handoff_output_item':
        return this.line(`[handed off to ${item.to.name}]`);
      default:
    }
  }
}

/** A value on one line, not too long. */
export function brief(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= mostCharacters ? line : `${line.slice(0, mostCharacters)}…`;
}
