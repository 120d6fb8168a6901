/** Where a conversation is shown. */
export interface Screen {
  /** A piece of an answer, as the model writes it. Default: Markdown. */
  answer(text: string, kind?: 'markdown' | 'json'): void;
  /** Ends the answer that came in pieces. */
  endAnswer(): void;
  /** A line of what happens besides: a tool, a handoff, what it cost. */
  note(text: string): void;
  /** A line that was asked for. */
  line(text: string): void;
  error(text: string): void;
  /** Shows that something is awaited, until the next thing is shown. */
  wait(what: string): void;
  clear(): void;
}
