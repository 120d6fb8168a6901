import {
  Agent,
  Runner,
  tool,
  type Hooks,
  type Item,
  type RunOptions,
  type Session,
  type ToolGuardrail,
} from '@polyrun/core';
import { handWritten } from './floor.ts';
import { compare, rowOf, type Effort, type Row } from './measure.ts';
import { answersOf, PreparedModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const question: readonly Item[] = [{ type: 'message', role: 'user', content: 'How is the weather in Oslo?' }];
const lengths = [10, 100, 1_000];

/** What a turn costs: bare, with a tool that gives a promise, and with everything that can be hooked in. */
export async function turns(effort: Effort): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const length of lengths) rows.push(await bare(effort, { length, kind: 'sync' }));
  rows.push(await bare(effort, { length: 100, kind: 'async' }));
  for (const length of lengths) rows.push(await furnished(effort, length));
  return rows;
}

async function bare(effort: Effort, { length, kind }: { length: number; kind: 'sync' | 'async' }): Promise<Row> {
  const { agent, byHand } = programs(new PreparedModel(answersOf(length)), kind);
  const comparison = await compare(
    {
      floor: () => handWritten(byHand, question),
      polyrun: () => Runner.run(agent, question, { maxTurns: null }),
    },
    plan(effort, length),
  );
  const what = `turn, bare, ${kind === 'async' ? 'async tool, ' : ''}run of ${length}`;
  return rowOf(comparison, { what, unit: 'µs', per: length, target: 3 });
}

async function furnished(effort: Effort, length: number): Promise<Row> {
  const model = new PreparedModel(answersOf(length));
  const { byHand } = programs(model);
  const agent = furnishedAgent(model);
  const comparison = await compare(
    {
      floor: () => handWritten(byHand, question),
      polyrun: () => Runner.run(agent, question, options()),
    },
    plan(effort, length),
  );
  const what = `turn, hooks, session, guardrails, run of ${length}`;
  return rowOf(comparison, { what, unit: 'µs', per: length, target: 5 });
}

/** About as many turns a round, however long the runs are. */
function plan({ quick }: Effort, length: number): { rounds: number; calls: number } {
  return { rounds: quick ? 7 : 25, calls: (quick ? 5_000 : 20_000) / length };
}

function furnishedAgent(model: PreparedModel): Agent {
  const pass = { name: 'pass', execute: () => ({ tripwireTriggered: false }) };
  const allow: ToolGuardrail<unknown> = { name: 'allow', execute: () => ({ type: 'allow' }) };
  const weather = tool({
    name: 'weather',
    description: 'Tells the weather of a city.',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
    execute: () => 'Sunny.',
    inputGuardrails: [allow],
  });
  return new Agent({
    name: 'Assistant',
    instructions: 'Be brief.',
    model,
    tools: [weather],
    inputGuardrails: [pass],
    outputGuardrails: [pass],
  });
}

function options(): RunOptions<unknown> {
  return { maxTurns: null, hooks, session: sessionInProcess() };
}

const hooks: Hooks<unknown> = {
  onRunStart: () => undefined,
  onAgentStart: () => undefined,
  onModelStart: () => undefined,
  onModelEnd: () => undefined,
  onToolStart: () => undefined,
  onToolEnd: () => undefined,
  onAgentEnd: () => undefined,
  onRunEnd: () => undefined,
};

/** The least that a session is: the loop's own cost shows best around it. */
function sessionInProcess(): Session {
  const items: Item[] = [];
  const version = () => String(items.length);
  return {
    sessionId: 'bench',
    read: async () => ({ items: items.slice(), version: version() }),
    addItems: async (more) => {
      for (const item of more) items.push(item.type === undefined ? { ...item, type: 'message' } : item);
      return { version: version() };
    },
    getItems: async () => items.slice(),
    popItem: async () => items.pop(),
    clear: async () => {
      items.length = 0;
    },
  };
}
