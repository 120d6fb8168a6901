/** What came of a question: a line, Ctrl-C, or the end of the input. */
export type Reply = { type: 'line'; text: string } | { type: 'interrupted' } | { type: 'ended' };

export type Question = {
  readonly prompt: string;
  /** Stands in the line already, to be edited. */
  readonly prefill?: string | undefined;
  /** Whether the line can be fetched back with the arrow keys, also next time. Default false. */
  readonly isRemembered?: boolean | undefined;
  /** What the end of a line may become, by the tab key: the completions, and the part that they replace. */
  readonly complete?: ((line: string) => [string[], string]) | undefined;
};

/** Where questions are answered: a person at a terminal, or lines from a pipe. */
export interface Input {
  readonly isTerminal: boolean;
  ask(question: Question): Promise<Reply>;
  /** Calls back at each Ctrl-C until the function that it gives is called. */
  watch(onInterrupt: () => void): () => void;
  close(): void;
}
