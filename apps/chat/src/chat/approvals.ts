import { parseJson, type RunState, type ToolApprovalItem } from '@polyrun/core';
import type { Input } from './input/input.ts';
import type { Screen } from './screen/screen.ts';
import { brief, printable } from './screen/style.ts';

const nobody = 'Nobody is here to approve this call.';

/** Decides about the calls of a run that wait for a person. */
export interface Approvals {
  /** False when the person gives the answer up. */
  decide(state: RunState): Promise<boolean>;
}

/** Without a person: all or none. */
export function standing(isAllowed: boolean): Approvals {
  return {
    async decide(state) {
      for (const item of state.interruptions) {
        if (isAllowed) state.approve(item);
        else state.reject(item, { message: nobody });
      }
      return true;
    },
  };
}

/** Asks, and remembers what may always run for as long as the program lasts. */
export class AskingApprovals implements Approvals {
  readonly #input: Input;
  readonly #screen: Screen;
  /** `agent tool` of what may run unasked: a run's own `always` ends with the run. */
  readonly #allowed = new Set<string>();

  constructor({ input, screen }: { input: Input; screen: Screen }) {
    this.#input = input;
    this.#screen = screen;
  }

  async decide(state: RunState): Promise<boolean> {
    for (const item of state.interruptions) {
      if (this.#allowed.has(nameOf(item))) state.approve(item);
      else if (!(await this.#decideOne(state, item))) return false;
    }
    return true;
  }

  async #decideOne(state: RunState, item: ToolApprovalItem): Promise<boolean> {
    const words = item.rawItem.type === 'function_call' ? ['yes', 'no', 'edit', 'always'] : ['yes', 'no', 'always'];
    const choices = words.map((word) => word.replace(/^./, '[$&]')).join(', ');
    this.#screen.line(`${item.agent.name} wants to run ${item.toolName} ${brief(item.arguments, Infinity)}`);
    for (;;) {
      const reply = await this.#input.ask({ prompt: `${choices}? ` });
      if (reply.type !== 'line') return this.#undecided(state, item);
      const [first = ''] = reply.text.trim().toLowerCase().split(/\s/);
      const rest = reply.text.trim().slice(first.length).trim();
      switch (words.find((word) => first !== '' && (first === word || first === word.at(0)))) {
        case 'edit':
          return this.#edit({ state, item, given: rest });
        case 'no':
          state.reject(item, rest === '' ? {} : { message: rest });
          return true;
        case 'always':
          this.#allowed.add(nameOf(item));
          state.approve(item, { always: true });
          return true;
        case 'yes':
          state.approve(item);
          return true;
        default:
          this.#screen.line(`${choices}; what follows a no is told to the model.`);
      }
    }
  }

  /** A pipe that has ended has nobody behind it; a person gives the answer up. */
  #undecided(state: RunState, item: ToolApprovalItem): boolean {
    if (!this.#input.isTerminal) state.reject(item, { message: nobody });
    return !this.#input.isTerminal;
  }

  /** Runs with the arguments that the person wants: behind the word already, or in a line to edit. */
  async #edit({ state, item, given }: { state: RunState; item: ToolApprovalItem; given: string }): Promise<boolean> {
    let text = given;
    for (;;) {
      const edited = parseJson(text);
      if (edited !== undefined) {
        state.approve(item, { arguments: edited });
        return true;
      }
      if (text !== '') this.#screen.line('This is no JSON; once more.');
      const reply = await this.#input.ask({ prompt: 'arguments: ', prefill: text || printable(item.arguments) });
      if (reply.type !== 'line') return this.#undecided(state, item);
      text = reply.text;
    }
  }
}

function nameOf(item: ToolApprovalItem): string {
  return `${item.agent.name} ${item.toolName}`;
}
