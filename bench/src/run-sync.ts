import { Runner, type Item, type ModelProvider } from '@polyrun/core';
import { runSync } from '@polyrun/node';
import { compare, rowOf, type Effort, type Row } from './measure.ts';
import { answersOf, historyOf, PreparedModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const runLength = 10;
const question: Item = { type: 'message', role: 'user', content: 'How is the weather in Oslo?' };

type Options = { readonly history: number };

/** The prepared model as a provider that another thread can rebuild. */
export function preparedProvider({ history }: Options): ModelProvider {
  const model = new PreparedModel(answersOf(runLength), { history: history + 1 });
  return {
    name: 'prepared',
    getModel: () => model,
    reference: { module: import.meta.url, export: 'preparedProvider', options: { history } },
  };
}

/** What a model call costs that goes to another thread and back, the conversation with it. */
export async function sync(effort: Effort): Promise<readonly Row[]> {
  return [await calls(effort, 0), await calls(effort, 1_000)];
}

async function calls({ quick }: Effort, history: number): Promise<Row> {
  const agent = programs(new PreparedModel([])).agent.clone({ model: 'prepared' });
  const runConfig = { modelProvider: preparedProvider({ history }) };
  const input = [...historyOf(history), question];
  const comparison = await compare(
    {
      floor: () => Runner.run(agent, input, { runConfig, maxTurns: null }),
      polyrun: async () => runSync(agent, input, { runConfig, maxTurns: null }),
    },
    { rounds: quick ? 7 : 25, calls: 10 },
  );
  const what = `model call by runSync, ${history} items before`;
  return rowOf(comparison, { what: `${what} (floor: run)`, unit: 'µs', per: runLength });
}
