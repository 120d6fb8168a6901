import { answer, type Contender } from './contender.ts';

/** One piece of work, as JSON: it travels to the process that does it. */
export type Work =
  | { readonly type: 'run'; readonly turns: number; readonly history: number; readonly atOnce: number }
  | { readonly type: 'story'; readonly deltas: number }
  | { readonly type: 'http'; readonly baseURL: string; readonly turns: number; readonly way: 'whole' | 'streamed' };

/** The work as this contender does it, checked that it does all of it; undefined where it cannot, or not within minutes. */
export async function programOf(contender: Contender, work: Work): Promise<(() => Promise<unknown>) | undefined> {
  switch (work.type) {
    case 'run': {
      if (work.turns > (contender.longest ?? Infinity)) return undefined;
      const run = checkedRun(work.turns, (weather) => contender.agent({ ...work, weather }));
      if (!run || work.atOnce === 1) return run;
      await run();
      return () => Promise.all(Array.from({ length: work.atOnce }, run));
    }
    case 'story': {
      const story = contender.story(work.deltas);
      const seen = await story();
      if (seen !== work.deltas) throw new Error(`Only ${seen} deltas of ${work.deltas} have arrived.`);
      return story;
    }
    case 'http':
      return checkedRun(work.turns, (weather) => contender.overHttp({ ...work, weather })[work.way]);
  }
}

/** The first run must have called the tool in each turn and give the last answer's text. */
function checkedRun(
  turns: number,
  make: (weather: () => string) => (() => Promise<string>) | undefined,
): (() => Promise<string>) | undefined {
  let calls = 0;
  let checked = false;
  const run = make(() => {
    calls++;
    return 'Sunny.';
  });
  if (!run) return undefined;
  return async () => {
    const text = await run();
    if (!checked && (text !== answer || calls !== turns - 1))
      throw new Error(`The tool was called ${calls} times, and the answer is ${JSON.stringify(text)}.`);
    checked = true;
    return text;
  };
}
