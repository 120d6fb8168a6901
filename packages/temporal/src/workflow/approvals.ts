import { isFields, UserError } from '@polyrun/core';
import { verdictFrom, type Answer, type Question, type Verdict } from '@polyrun/core/durable';
import { condition } from '@temporalio/workflow';

/** A call that waits for a person. `id` names it within the run. */
export type AskedQuestion = Question & { readonly id: string };
/** A person's answer to the question of that id. */
export type AgentAnswer = Verdict & { readonly id: string };
/** What is carried over into the execution that goes on with a run: questions with when they were asked, and answers not used yet. */
export type CarriedAnswers = {
  readonly asked: { readonly [id: string]: number };
  readonly answers: { readonly [id: string]: AgentAnswer };
};

type Asking = {
  /** Tells people what is to be answered. */
  readonly ask: (question: AskedQuestion) => Promise<void>;
  readonly answerWithinMs: number | undefined;
  /** True when the run is to go on as another execution. */
  readonly isOver: () => boolean;
};

/** Asks people, and takes their answers from signals and updates. */
export class Approvals {
  readonly #asking: Asking;
  readonly #asked: Map<string, number>;
  readonly #answers: Map<string, AgentAnswer>;
  #open: readonly AskedQuestion[] = [];

  constructor(asking: Asking, carried: CarriedAnswers = { asked: {}, answers: {} }) {
    this.#asking = asking;
    this.#asked = new Map(Object.entries(carried.asked));
    this.#answers = new Map(Object.entries(carried.answers));
  }

  get open(): readonly AskedQuestion[] {
    return this.#open;
  }

  /** For a signal: an answer may come before its question. */
  take(answer: AgentAnswer): void {
    if (isFields(answer) && typeof answer.id === 'string') this.#answers.set(answer.id, answer);
  }

  /** For an update. Throws `UserError` for what answers no open question. */
  check(answer: AgentAnswer): void {
    const question = this.#open.find(({ id }) => id === answer?.id);
    if (!question) throw new UserError('answer.id: no call waits under it; take one of the questions.');
    verdictFrom(answer, question);
  }

  /** Waits for answers; none when the run is to go on as another execution. */
  async decide(questions: readonly Question[]): Promise<readonly Answer[]> {
    this.#open = questions.map((question) => ({ ...question, id: idOf(question) }));
    for (const question of this.#open) if (!this.#asked.has(question.id)) await this.#ask(question);
    for (;;) {
      const answers = this.#open.flatMap((question) => this.#answerTo(question) ?? []);
      if (answers.length > 0) return this.#close(answers);
      if (this.#asking.isOver()) return [];
      await this.#wait();
    }
  }

  carried(): CarriedAnswers {
    return { asked: Object.fromEntries(this.#asked), answers: Object.fromEntries(this.#answers) };
  }

  async #ask(question: AskedQuestion): Promise<void> {
    this.#asked.set(question.id, Date.now());
    await this.#asking.ask(question);
  }

  /** Until an answer has come, or the time of a question is up. */
  async #wait(): Promise<void> {
    const isAnswered = () => this.#open.some(({ id }) => this.#answers.has(id));
    const { answerWithinMs } = this.#asking;
    if (answerWithinMs === undefined) return condition(isAnswered);
    const ends = this.#open.map(({ id }) => (this.#asked.get(id) ?? 0) + answerWithinMs);
    await condition(isAnswered, Math.max(Math.min(...ends) - Date.now(), 1));
  }

  #answerTo(question: AskedQuestion): Answer | undefined {
    const { id, callId, path } = question;
    const sent = this.#answers.get(id);
    this.#answers.delete(id);
    try {
      if (sent !== undefined) return { callId, path, ...verdictFrom(sent, question) };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
    const { answerWithinMs } = this.#asking;
    if (answerWithinMs === undefined || Date.now() < (this.#asked.get(id) ?? 0) + answerWithinMs) return undefined;
    return { callId, path, type: 'rejected', message: `Nobody answered within ${answerWithinMs} ms.` };
  }

  #close(answers: readonly Answer[]): readonly Answer[] {
    for (const answer of answers) this.#asked.delete(idOf(answer));
    this.#open = [];
    return answers;
  }
}

function idOf({ path, callId }: Pick<Question, 'path' | 'callId'>): string {
  return [...path, callId].map(encodeURIComponent).join('/');
}
