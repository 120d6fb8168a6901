import { Agent, MemorySession, tool, type AgentOptions, type Item, type Session } from '../../src/index.ts';
import { message, ScriptedModel, type ScriptedTurn } from '../../src/testing/index.ts';

export const user = (text: string): Item => ({ type: 'message', role: 'user', content: text });
export const told = (text: string): Item => ({ ...message(text) });

/** Items in a word or two each. */
export function words(items: readonly Item[]): string[] {
  return items.map((item) => {
    switch (item.type) {
      case 'message':
        return `${item.role} ${typeof item.content === 'string' ? item.content : item.content.map((part) => ('text' in part ? part.text : '')).join('')}`;
      case 'function_call':
        return `call ${item.name}`;
      case 'function_call_output':
        return `output ${typeof item.output === 'string' ? item.output : 'parts'}`;
      default:
        return item.type;
    }
  });
}

export const held = async (session: Session): Promise<string[]> => words(await session.getItems());

const none = { type: 'object' };
export const echo = tool({ name: 'echo', description: 'Echoes.', parameters: none, execute: () => 'echoed' });
export const guarded = tool({
  name: 'guarded',
  description: 'Asks.',
  parameters: none,
  needsApproval: true,
  execute: () => 'done',
});

export function agentOf(turns: readonly ScriptedTurn[], more: Partial<AgentOptions<unknown, string>> = {}) {
  const model = new ScriptedModel(turns);
  return { model, agent: new Agent({ name: 'A', model, tools: [echo, guarded], ...more }) };
}

/** A session that tells what is done to it, and may be told to fail. */
export class Observed extends MemorySession {
  readonly calls: string[] = [];
  readonly keys: (string | undefined)[] = [];
  failRead: Error | undefined;
  /** Asked before each write: an error is thrown after the items were written, as when an acknowledgement is lost. */
  onWrite: (nth: number) => 'fail' | 'pass' | Error = () => 'pass';
  #writes = 0;

  override async read(limit?: number) {
    this.calls.push(`read ${limit ?? 'all'}`);
    if (this.failRead) throw this.failRead;
    return super.read(limit);
  }

  override async addItems(...[items, options]: Parameters<MemorySession['addItems']>) {
    this.calls.push(`add ${items.length}`);
    this.keys.push(options?.key);
    const what = this.onWrite(++this.#writes);
    if (what === 'fail') throw new Error('disk full');
    const result = await super.addItems(items, options);
    if (what instanceof Error) throw what;
    return result;
  }
}
