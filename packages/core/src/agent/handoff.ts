import { refuseOthers } from '../errors.ts';
import type { Item } from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';
import type { RunItem } from '../run/run-items.ts';
import type { Agent } from './agent.ts';
import type { RunContext } from './context.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { toolNameFor } from './names.ts';
import { compileSchema, requireObject } from './schema/compile.ts';
import { bindArguments, parseArguments } from './schema/parse-arguments.ts';
import type { Schema } from './schema/standard-schema.ts';
import type { IsEnabled } from './tool.ts';

/** A conversation as a handoff finds it: the run's input, what the run added before this turn, and this turn's items. */
export type HandoffInputData = {
  inputHistory: readonly Item[];
  preHandoffItems: readonly RunItem[];
  newItems: readonly RunItem[];
};
/** Chooses what the next agent's model sees; the log, the session and `newItems` keep everything. */
export type HandoffInputFilter<C> = (
  at: HandoffInputData & { runContext: RunContext<C> },
) => MaybePromise<HandoffInputData>;

export type HandoffOptions<C, I> = {
  /** Default: `transfer_to_<name>`. */
  toolName?: string | undefined;
  toolDescription?: string | undefined;
  /** What the model is to say along with the handoff. */
  inputSchema?: Schema<I> | undefined;
  onHandoff?: ((at: { runContext: RunContext<C>; input: I }) => MaybePromise<void>) | undefined;
  inputFilter?: HandoffInputFilter<C> | undefined;
  isEnabled?: IsEnabled<C> | undefined;
};

/** An agent that a conversation may be passed to, and how. */
export type Handoff<in C = unknown> = {
  readonly type: 'handoff';
  readonly agent: Agent<C, unknown>;
  readonly toolName: string;
  /** True when the user chose `toolName`; a made-up one gives way when names collide. */
  readonly named: boolean;
  readonly toolDescription: string;
  readonly parameters: Json;
  readonly strict: boolean;
  readonly isEnabled: IsEnabled<C>;
  readonly inputFilter?: HandoffInputFilter<C> | undefined;
  /** Checks what the model said along with the handoff and ties it to the callback. */
  readonly bind: (text: string) => MaybePromise<HandoffBinding<C>>;
};
export type HandoffBinding<C> =
  | { enter: (at: { runContext: RunContext<C> }) => MaybePromise<void>; problem?: undefined }
  | { enter?: undefined; problem: string };

const noInput = { type: 'object', properties: {}, required: [], additionalProperties: false } as const;

/** A handoff to `agent` with a name, a callback, an input or a filter of its own. An agent among `handoffs` is one without. */
export function handoff<C, I = undefined>(agent: Agent<C, unknown>, options: HandoffOptions<C, I> = {}): Handoff<C> {
  const {
    toolName,
    toolDescription = describe(agent),
    inputSchema,
    onHandoff,
    isEnabled = true,
    inputFilter,
    ...others
  } = options;
  refuseOthers(`Handoff to '${agent.name}'`, others);
  const schema = inputSchema && requireObject(compileSchema(inputSchema, `Handoff to '${agent.name}' inputSchema`));
  const bound = (input: I): HandoffBinding<C> => ({ enter: ({ runContext }) => onHandoff?.({ runContext, input }) });
  return {
    type: 'handoff',
    agent,
    toolName: toolName ?? toolNameFor('transfer_to_', agent.name),
    named: toolName !== undefined,
    toolDescription,
    parameters: schema?.json ?? noInput,
    strict: true,
    isEnabled,
    inputFilter,
    bind: (text) => {
      if (schema) return bindArguments(schema, text, bound);
      const parsed = parseArguments(text);
      // Without a schema there is no input: I is then `undefined`, which the compiler cannot know.
      return 'problem' in parsed ? parsed : bound(undefined as I);
    },
  };
}

/**
 * An `inputFilter` that leaves the next agent's model what was said: messages, and what a provider made of compacted ones. Calls of
 * tools, their outputs, hosted ones too, and the reasoning that goes with them are left out.
 */
export function removeAllTools({ inputHistory, preHandoffItems, newItems }: HandoffInputData): HandoffInputData {
  const isSaid = ({ type }: Item) => type === 'message' || type.endsWith('compaction');
  const said = (items: readonly RunItem[]) => items.filter(({ rawItem }) => isSaid(rawItem));
  return {
    inputHistory: inputHistory.filter(isSaid),
    preHandoffItems: said(preHandoffItems),
    newItems: said(newItems),
  };
}

function describe(agent: Agent<never, unknown>): string {
  return `Handoff to the ${agent.name} agent to handle the request. ${agent.handoffDescription ?? ''}`.trim();
}
