import { Runner } from '@polyrun/core';
import { handWritten } from './floor.ts';
import { compare, rowOf, type Effort, type Row } from './measure.ts';
import { answersOf, historyOf, PreparedModel } from './prepared-model.ts';
import { programs } from './programs.ts';

const length = 20_000;

/** What a long conversation costs: once, when a run takes it in, and then per turn. */
export async function history({ quick }: Effort): Promise<readonly Row[]> {
  const items = historyOf(length);
  const pairOf = (turns: number) => {
    const { agent, byHand } = programs(new PreparedModel(answersOf(turns), { history: length }));
    return {
      floor: () => handWritten(byHand, items),
      polyrun: () => Runner.run(agent, items, { maxTurns: null }),
    };
  };
  const rounds = quick ? 7 : 25;
  const answer = await compare(pairOf(1), { rounds, calls: quick ? 5 : 20 });
  const toolTurn = await compare(pairOf(2), { rounds, calls: quick ? 5 : 20 });
  const many = await compare(pairOf(1_002), { rounds, calls: quick ? 1 : 3 });
  const later = {
    floor: many.floor - toolTurn.floor,
    polyrun: many.polyrun - toolTurn.polyrun,
    over: many.over - toolTurn.over,
    best: many.best - toolTurn.best,
  };
  const on = `on ${length} items`;
  return [
    rowOf(answer, { what: `first turn, an answer, ${on}`, unit: 'ms', target: 0.5 }),
    rowOf(toolTurn, { what: `first turn, with a call, ${on}`, unit: 'ms', target: 0.5 }),
    rowOf(later, { what: `turn after the first, ${on}`, unit: 'µs', per: 1_000, target: 3 }),
  ];
}
