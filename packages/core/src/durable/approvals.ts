import { UserError } from '../errors.ts';
import { isFields, toJson, type Json } from '../protocol/json.ts';
import { nameOf } from '../protocol/validate.ts';
import type { ToolApprovalItem } from '../run/run-items.ts';
import type { RunState } from '../run/run-state.ts';

/** A call that waits for a person, as JSON. */
export type Question = {
  /** `mcp`: a call that a provider makes itself, whose arguments nobody can edit. */
  readonly type: 'tool' | 'mcp';
  readonly callId: string;
  /** The calls of the agents as tools around it, outermost first. */
  readonly path: readonly string[];
  readonly agent: string;
  readonly toolName: string;
  /** As the model wrote them: JSON text. */
  readonly arguments: string;
};

/** What a person says to a call. `always`: to this tool of this agent for the rest of the run. */
export type Verdict =
  | { readonly type: 'approved'; readonly always?: boolean | undefined; readonly arguments?: Json | undefined }
  | { readonly type: 'rejected'; readonly always?: boolean | undefined; readonly message?: string | undefined };
/** A verdict, and the question that it answers. */
export type Answer = Verdict & Pick<Question, 'callId' | 'path'>;

/** A call that waits, as it is asked about. */
export function questionOf({ rawItem, callId, path, agent, toolName, arguments: text }: ToolApprovalItem): Question {
  const type = rawItem.type === 'function_call' ? 'tool' : 'mcp';
  return { type, callId, path, agent: agent.name, toolName, arguments: text };
}

/** Reads what a person sent. Throws `UserError` where it is no verdict on the question. */
export function verdictFrom(value: unknown, question: Pick<Question, 'type'>): Verdict {
  const { type, always, message, arguments: edited } = isFields(value) ? value : {};
  if (always !== undefined && typeof always !== 'boolean') throw wrong('always', 'true or false', always);
  if (message !== undefined && typeof message !== 'string') throw wrong('message', 'a string', message);
  if (type === 'approved') return { type, always, arguments: editFrom(edited, question) };
  if (type === 'rejected') return { type, always, message };
  const expected = "{ type: 'approved' } or { type: 'rejected', message }";
  throw new UserError(`answer: expected ${expected}, got ${nameOf(value)}.`);
}

function editFrom(edited: unknown, { type }: Pick<Question, 'type'>): Json | undefined {
  if (edited === undefined) return undefined;
  if (type === 'mcp') throw wrong('arguments', 'none, for the provider makes this call', edited);
  if (!isFields(edited)) throw wrong('arguments', 'the arguments as an object', edited);
  return toJson(edited);
}

/** Puts answers on a state; false when there was none. */
export function answered(state: RunState, answers: readonly Answer[]): boolean {
  for (const answer of answers) {
    const item = state.interruptions.find((each) => isAsked(each, answer));
    if (!item) throw new UserError(`decide: no call '${answer.callId}' waits for an answer; answer what was asked.`);
    const { always = false } = answer;
    if (answer.type === 'rejected') {
      state.reject(item, { always, ...(answer.message !== undefined && { message: answer.message }) });
    } else {
      state.approve(item, { always, ...(answer.arguments !== undefined && { arguments: answer.arguments }) });
    }
  }
  return answers.length > 0;
}

function isAsked(item: ToolApprovalItem, { callId, path }: Answer): boolean {
  return item.callId === callId && JSON.stringify(item.path) === JSON.stringify(path);
}

function wrong(field: string, expected: string, value: unknown): UserError {
  return new UserError(`answer.${field}: expected ${expected}, got ${nameOf(value)}.`);
}
