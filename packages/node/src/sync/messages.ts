import type { Item, ModelProvider, ModelRequest, ModelResponse } from '@polyrun/core';

export type Reference = NonNullable<ModelProvider['reference']>;
/** What the thread is to do: answer a call, or stop answering it. */
export type Order =
  /** The conversation is what the call before had of it, so many items, and what has been added. */
  | {
      readonly type: 'call';
      readonly id: number;
      readonly call: Call;
      readonly kept: number;
      readonly added: readonly Item[];
    }
  | { readonly type: 'cancel'; readonly id: number };
/** A model call as it travels: JSON alone. */
export type Call = {
  readonly reference: Reference;
  readonly modelName: string | undefined;
  readonly request: Omit<ModelRequest, 'input'>;
  readonly idempotencyKey: string | undefined;
  /** Whether the wire is to show that it is alive while the answer comes. */
  readonly streamed: boolean;
};
/** What the thread says of a call. Each names the call, so that what comes too late is taken for nothing else. */
export type Report = { readonly id: number } & (
  | { readonly type: 'sent' }
  | { readonly type: 'alive' }
  | { readonly type: 'answered'; readonly response: ModelResponse }
  | { readonly type: 'failed'; readonly error: Thrown }
);
export type Thrown = { readonly name: string; readonly message: string; readonly own: boolean; readonly data: object };
