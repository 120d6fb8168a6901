import { isFields, UserError } from '@polyrun/core';
import { verdictFrom, type Answer, type Question, type Verdict } from '@polyrun/core/durable';
import { DBOS } from '@dbos-inc/dbos-sdk';

/** A call that waits for a person. `id` names it within the run. */
export type AskedQuestion = Question & { readonly id: string };
/** A person's answer to the question of that id. */
export type AgentAnswer = Verdict & { readonly id: string };

/** The topic of `DBOS.send` for answers, and the keys of `DBOS.getEvent` for questions and progress. */
export const topics = {
  answer: 'polyrun.answer',
  questions: 'polyrun.questions',
  progress: 'polyrun.progress',
} as const;

/** How long DBOS waits at a time; each wait is two rows of its tables. */
const daySeconds = 24 * 60 * 60;

/** Asks people with an event of the workflow, and takes their answers from its messages: DBOS keeps both. */
export class Approvals {
  readonly #answerWithinMs: number | undefined;
  readonly #onQuestion: ((question: AskedQuestion) => unknown) | undefined;
  /** Answers that came before their question. */
  readonly #early = new Map<string, unknown>();
  readonly #asked = new Map<string, number>();

  constructor(asking: {
    answerWithinMs: number | undefined;
    onQuestion: ((question: AskedQuestion) => unknown) | undefined;
  }) {
    this.#answerWithinMs = asking.answerWithinMs;
    this.#onQuestion = asking.onQuestion;
  }

  /** Waits for the next answer. What is no answer is dropped. */
  async decide(questions: readonly Question[]): Promise<readonly Answer[]> {
    const open = questions.map((question) => ({ ...question, id: idOf(question) }));
    for (const question of open) if (!this.#asked.has(question.id)) await this.#ask(question);
    await DBOS.setEvent(topics.questions, open);
    for (;;) {
      const answers = open.flatMap((question) => (this.#early.has(question.id) ? this.#answerTo(question) : []));
      const taken = answers.length > 0 ? answers : await this.#late(open);
      if (taken.length > 0) return this.#close(open, taken);
      const sent = await DBOS.recv<AgentAnswer>(topics.answer, { timeoutSeconds: await this.#seconds(open) });
      if (isFields(sent) && typeof sent['id'] === 'string') this.#early.set(sent['id'], sent);
    }
  }

  async #ask(question: AskedQuestion): Promise<void> {
    const { callId } = question;
    const ask = async () => void (await this.#onQuestion?.(question));
    if (this.#onQuestion) await DBOS.runStep(ask, { name: `ask/${callId}` });
    this.#asked.set(question.id, this.#answerWithinMs === undefined ? 0 : await DBOS.now());
  }

  #answerTo(question: AskedQuestion): readonly Answer[] {
    const { id, callId, path } = question;
    const sent = this.#early.get(id);
    this.#early.delete(id);
    try {
      return [{ callId, path, ...verdictFrom(sent, question) }];
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  }

  async #late(open: readonly AskedQuestion[]): Promise<readonly Answer[]> {
    const within = this.#answerWithinMs;
    if (within === undefined) return [];
    const now = await DBOS.now();
    const message = `Nobody answered within ${within} ms.`;
    return open
      .filter(({ id }) => now >= (this.#asked.get(id) ?? 0) + within)
      .map(({ callId, path }) => ({ callId, path, type: 'rejected', message }));
  }

  async #seconds(open: readonly AskedQuestion[]): Promise<number> {
    const within = this.#answerWithinMs;
    if (within === undefined) return daySeconds;
    const ends = open.map(({ id }) => (this.#asked.get(id) ?? 0) + within);
    return Math.max((Math.min(...ends) - (await DBOS.now())) / 1_000, 0.001);
  }

  async #close(open: readonly AskedQuestion[], answers: readonly Answer[]): Promise<readonly Answer[]> {
    const closed = new Set(answers.map(idOf));
    for (const id of closed) this.#asked.delete(id);
    await DBOS.setEvent(
      topics.questions,
      open.filter(({ id }) => !closed.has(id)),
    );
    return answers;
  }
}

/** Answers a question of the run that is the workflow of this id; from anywhere, also while no worker is up. */
export function sendAnswer(workflowId: string, answer: AgentAnswer): Promise<void> {
  return DBOS.send(workflowId, answer, topics.answer);
}

/** The calls of a run that wait for a person; waits for none. */
export async function questionsOf(workflowId: string): Promise<readonly AskedQuestion[]> {
  const open = await DBOS.getEvent<readonly AskedQuestion[]>(workflowId, topics.questions, { timeoutSeconds: 0 });
  return open ?? [];
}

function idOf({ path, callId }: Pick<Question, 'path' | 'callId'>): string {
  return [...path, callId].map(encodeURIComponent).join('/');
}
