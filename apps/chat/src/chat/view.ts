import type { ModelEvent, RunItem, RunStreamEvent } from '@polyrun/core';
import type { Screen } from './screen/screen.ts';
import { brief } from './screen/style.ts';

/** Shows the events of runs. */
export class View {
  readonly #screen: Screen;
  #kind: 'markdown' | 'json' = 'markdown';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** `depth`: how many agents as tools the event lies inside. */
  show(event: RunStreamEvent, depth = 0): void {
    switch (event.type) {
      case 'nested_run_event':
        // What an agent writes as a tool is for the agent that called it.
        if (event.event.type === 'run_item_stream_event') this.show(event.event, depth + 1);
        return;
      case 'run_item_stream_event':
        return showItem(this.#screen, event.item, '  '.repeat(depth));
      case 'raw_response_event':
        return this.#showDelta(event.data);
      case 'agent_updated_stream_event':
        this.#kind = event.newAgent.outputType ? 'json' : 'markdown';
    }
  }

  #showDelta(event: ModelEvent): void {
    const screen = this.#screen;
    switch (event.type) {
      case 'response.output_text.delta':
        return screen.answer(event.delta, this.#kind);
      case 'response.refusal.delta':
        return screen.answer(event.delta);
      case 'response.output_text.done':
      case 'response.refusal.done':
        return screen.endAnswer();
      case 'response.reasoning_text.delta':
      case 'response.reasoning_summary_text.delta':
        return screen.wait('reasoning');
      case 'response.function_call_arguments.delta':
        screen.endAnswer();
        return screen.wait('calling a tool');
      case 'polyrun:attempt_discarded':
        screen.note('the answer broke off; once more');
        return screen.wait('waiting');
      default:
    }
  }
}

function showItem(screen: Screen, item: RunItem, indent: string): void {
  switch (item.type) {
    case 'tool_call_item':
      screen.note(`${indent}⚙ ${item.toolName} ${brief(item.arguments)}`);
      return screen.wait(item.toolName);
    case 'tool_call_output_item':
      screen.note(`${indent}${item.isError ? '✗' : '→'} ${item.toolName}: ${brief(item.output)}`);
      return screen.wait('waiting');
    case 'handoff_output_item':
      screen.note(`${indent}⇢ ${item.from.name} hands off to ${item.to.name}`);
      return screen.wait(item.to.name);
    case 'provider_item':
      return screen.note(`${indent}⚙ ${item.rawItem.type}`);
    default:
  }
}
