import { UserError } from '@polyrun/core';
import { verdictFrom, type Answer, type Question } from '@polyrun/core/durable';
import { RestatePromise, type Context, type Serde } from '@restatedev/restate-sdk';

/** A call that waits for a person. `id` names the awakeable that the answer goes to. */
export type AskedQuestion = Question & {
  readonly id: string;
  /** What was wrong with the answer before, where it was none. */
  readonly problem?: string;
};

/** What came back for a question. */
type Reply = { readonly key: string } & (
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'late' }
);
type Open = { readonly asked: AskedQuestion; readonly replies: readonly RestatePromise<Reply>[] };
type Asking = {
  /** Tells people what is to be answered; a step of the journal, if it does anything outside. */
  readonly ask: (question: AskedQuestion) => Promise<void>;
  /** Told what is still open whenever that changes. */
  readonly onOpen?: (questions: readonly AskedQuestion[]) => void;
  readonly answerWithinMs?: number | undefined;
};

/** Asks people through awakeables. Restate keeps both the question's id and the answer: no worker has to be up when it comes. */
export class Approvals {
  readonly #ctx: Context;
  readonly #asking: Asking;
  readonly #open = new Map<string, Open>();

  constructor(ctx: Context, asking: Asking) {
    this.#ctx = ctx;
    this.#asking = asking;
  }

  /** Waits for the next answer; questions that were asked before are not asked again. */
  async decide(questions: readonly Question[]): Promise<readonly Answer[]> {
    for (const question of questions) if (!this.#open.has(keyOf(question))) await this.#ask(question);
    for (;;) {
      const reply = await RestatePromise.race([...this.#open.values()].flatMap(({ replies }) => replies));
      const open = this.#open.get(reply.key);
      if (!open) continue;
      this.#open.delete(reply.key);
      const answer = this.#answer(reply, open.asked);
      if ('problem' in answer) await this.#ask(open.asked, answer.problem);
      else {
        this.#tellOpen();
        return [answer];
      }
    }
  }

  async #ask(question: Question, problem?: string): Promise<void> {
    const key = keyOf(question);
    const { id, promise } = this.#ctx.awakeable(bytes);
    const { type, callId, path, agent, toolName, arguments: text } = question;
    const asked = {
      type,
      callId,
      path,
      agent,
      toolName,
      arguments: text,
      id,
      ...(problem !== undefined && { problem }),
    };
    const answered = promise.map((sent, failure): Reply =>
      failure
        ? { key, type: 'refused', message: failure.message }
        : { key, type: 'answer', text: new TextDecoder().decode(sent) },
    );
    const { answerWithinMs } = this.#asking;
    const late = (): Reply => ({ key, type: 'late' });
    const timer = answerWithinMs === undefined ? [] : [this.#ctx.sleep(answerWithinMs, `answer/${callId}`).map(late)];
    this.#open.set(key, { asked, replies: [answered, ...timer] });
    this.#tellOpen();
    await this.#asking.ask(asked);
  }

  #answer(reply: Reply, question: AskedQuestion): Answer | { problem: string } {
    const { callId, path } = question;
    if (reply.type === 'refused') return { callId, path, type: 'rejected', message: reply.message };
    if (reply.type === 'late') {
      const message = `Nobody answered within ${this.#asking.answerWithinMs} ms.`;
      return { callId, path, type: 'rejected', message };
    }
    try {
      const sent: unknown = JSON.parse(reply.text);
      return { callId, path, ...verdictFrom(sent, question) };
    } catch (error) {
      return { problem: error instanceof UserError ? error.message : 'answer: expected JSON.' };
    }
  }

  #tellOpen(): void {
    this.#asking.onOpen?.([...this.#open.values()].map(({ asked }) => asked));
  }
}

function keyOf({ path, callId }: Question): string {
  return JSON.stringify([...path, callId]);
}

/** What a person sends is read here, not by Restate, which would try again for ever what is no JSON. */
const bytes: Serde<Uint8Array> = {
  contentType: 'application/json',
  serialize: (value) => value,
  deserialize: (value) => value,
};
