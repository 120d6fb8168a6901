import { AgentsError, UserError, type RunState } from '@polyrun/core';
import { TerminalError } from '@restatedev/restate-sdk';

/**
 * A run ended in an error of its own: its turns were used up, a guardrail tripped, the model refused. Restate does not try it again, for
 * the same outcomes would come to the same error. `error` is what `Runner.run` would have thrown.
 */
export class AgentRunError extends TerminalError {
  override name = 'AgentRunError';
  readonly error: unknown;

  constructor(message: string, { error, errorCode }: { error: unknown; errorCode: number }) {
    super(message, { errorCode });
    this.error = error;
  }

  /** What Restate does not try again is passed on as it is. */
  static from(error: unknown): TerminalError {
    if (error instanceof TerminalError) return error;
    const told = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return new AgentRunError(told, { error, errorCode: error instanceof UserError ? 400 : 500 });
  }

  /** The run's state, from which a new run can take it up; undefined where there is none. */
  get state(): RunState | undefined {
    return this.error instanceof AgentsError ? this.error.state : undefined;
  }
}
