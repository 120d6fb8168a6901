import {
  plan,
  Runner,
  type Adaptation,
  type Model,
  type RunConfig,
  type RunInput,
  type RunState,
  type StreamedRunResult,
} from '@polyrun/core';
import type { SQLiteSession } from '@polyrun/node';
import type { Approvals } from './approvals.ts';
import type { Screen } from './screen/screen.ts';
import { brief } from './screen/style.ts';
import type { Sessions } from './sessions.ts';
import type { ChatAgent, Setup } from './setup.ts';
import { Spending } from './spending.ts';
import { messageOf } from './words.ts';
import { View } from './view.ts';

type Run = StreamedRunResult<unknown, unknown>;
type Parts = {
  readonly sessions: Sessions;
  readonly session: SQLiteSession;
  readonly screen: Screen;
  readonly approvals: Approvals;
};
/** What an answer has come to so far: runs that a person let go on are one. */
type Progress = { run: Run | undefined; ms: number };

/**
 * A conversation: the session that keeps it, the agent and the model that go on with it. All three may change on the way, since the
 * session holds no provider's format but the core's.
 */
export class Conversation {
  agent: ChatAgent;
  readonly spending: Spending;
  readonly #setup: Setup;
  readonly #sessions: Sessions;
  readonly #screen: Screen;
  readonly #view: View;
  readonly #approvals: Approvals;
  #session: SQLiteSession;
  #model: string | undefined;
  /** What the person knows of how this model differs. */
  #toldDifferences: string[] = [];

  constructor(setup: Setup, { sessions, session, screen, approvals }: Parts) {
    this.agent = setup.firstAgent;
    this.spending = new Spending(setup);
    this.#setup = setup;
    this.#sessions = sessions;
    this.#screen = screen;
    this.#view = new View(screen);
    this.#approvals = approvals;
    this.#session = session;
    this.enter(session);
  }

  get session(): SQLiteSession {
    return this.#session;
  }

  /** Goes on in another session, with whom it was left; a new one is begun with whom we are. */
  enter(session: SQLiteSession): void {
    this.#session = session;
    const choice = this.#sessions.choiceOf(session.sessionId);
    const agent = this.#setup.agents.get(choice?.agent ?? '');
    // The config may have changed since.
    if (!choice || !agent || !this.#isKnown(choice.model)) return;
    this.agent = agent;
    this.#model = choice.model;
  }

  /** The model that was chosen, for all agents; `undefined`: the agents' own. */
  get model(): string | undefined {
    return this.#model;
  }

  /** The next answer's model as `provider/model`, by the config's name for the provider. */
  get place(): string {
    return `${this.provider}/${this.nextModel.name}`;
  }

  /** The config's name for the provider of the next answer. */
  get provider(): string {
    const own = typeof this.agent.model === 'string' ? this.agent.model : undefined;
    const [prefix = ''] = (this.#model ?? own ?? this.#setup.firstModel ?? '').split('/');
    const { providers } = this.#setup;
    const called = this.nextModel.provider;
    return [prefix, called].find((name) => providers.includes(name)) ?? called;
  }

  /** The model of the next answer. */
  get nextModel(): Model {
    const model = this.#model ?? this.agent.model;
    return typeof model === 'object' ? model : this.#setup.modelProvider.getModel(model);
  }

  /** Goes on with another model, or with the agents' own. Throws `UserError` when there is none of this name. */
  async swap(model: string | undefined): Promise<void> {
    this.#setup.modelProvider.getModel(model);
    this.#model = model;
    // What cannot be foreseen, such as the tools of a server that is away, the answer will tell.
    await this.#tellPlan().catch((error: unknown) => this.#screen.error(messageOf(error)));
  }

  /** Answers, asks about tools on the way, and tells what it cost. Never rejects; false when there is no answer. */
  async answer(text: string, signal: AbortSignal): Promise<boolean> {
    const progress: Progress = { run: undefined, ms: 0 };
    try {
      let input: RunInput | undefined = text;
      while (input !== undefined) {
        const run = await this.#follow(progress, { input, signal });
        input = run.interruptions.length > 0 ? await this.#decided(run.state) : this.#concluded(run);
      }
      return true;
    } catch (error) {
      if (signal.aborted) this.#screen.note('cancelled');
      else this.#screen.error(messageOf(error));
      return false;
    } finally {
      this.#screen.endAnswer();
      this.#tellAfter(progress);
    }
  }

  /** One run, shown as it goes. The time that a person takes to decide lies between runs. */
  async #follow(progress: Progress, { input, signal }: { input: RunInput; signal: AbortSignal }): Promise<Run> {
    const startedAt = performance.now();
    const run = Runner.runStreamed(this.agent, input, { session: this.#session, runConfig: this.#runConfig, signal });
    progress.run = run;
    this.#screen.wait('waiting');
    try {
      for await (const event of run) this.#view.show(event);
      await run.completed;
    } finally {
      progress.ms += performance.now() - startedAt;
    }
    return run;
  }

  /** The whole of Polyrun's provider independence: who answers is a value here, the agents know nothing of it. */
  get #runConfig(): RunConfig {
    return { ...this.#setup.runConfig, modelProvider: this.#setup.modelProvider, model: this.#model };
  }

  /** The run to go on with once the person has decided; `undefined` when the answer is given up. */
  async #decided(state: RunState): Promise<RunState | undefined> {
    this.#screen.endAnswer();
    if (await this.#approvals.decide(state)) return state;
    this.#screen.note('cancelled');
    return undefined;
  }

  #concluded({ newItems, finalOutput, lastAgent }: Run): undefined {
    // A tool's output that ended the run, or what an error handler said, has not been shown.
    if (newItems.at(-1)?.type !== 'message_output_item' && finalOutput !== undefined)
      this.#screen.line(brief(finalOutput, 2000));
    this.agent = this.#setup.agents.get(lastAgent.name) ?? this.agent;
    this.#sessions.remember(this.#session.sessionId, { agent: this.agent.name, model: this.#model });
  }

  #tellAfter({ run, ms }: Progress): void {
    if (!run || run.usage.requests === 0) return;
    const { usage, rawResponses: responses, adaptations } = run;
    const line = this.spending.add({ usage, responses, ms });
    for (const adaptation of adaptations) this.#tellDifference(adaptation);
    this.#screen.note([line, responses.at(-1)?.model].filter(Boolean).join(' · '));
  }

  #tellDifference({ name, detail }: Adaptation): void {
    const difference = `${name}: ${detail}`;
    if (this.#toldDifferences.some((told) => told.includes(difference))) return;
    this.#toldDifferences.push(difference);
    this.#screen.note(`≈ ${difference}`);
  }

  /** What the agents ask of their models that these cannot do as asked, before anything is sent. */
  async #tellPlan(): Promise<void> {
    this.#toldDifferences = [];
    const plans = await plan(this.agent, this.#runConfig);
    for (const { agent, findings } of plans)
      for (const { feature, verdict, detail } of findings) {
        if (verdict === 'native') continue;
        this.#toldDifferences.push(detail);
        this.#screen.note(`≈ ${agent}: ${feature} is ${verdict} (${detail})`);
      }
  }

  #isKnown(model: string | undefined): boolean {
    try {
      this.#setup.modelProvider.getModel(model);
      return true;
    } catch {
      return false;
    }
  }
}
