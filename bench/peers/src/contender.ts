/** What everyone is asked to do: the same question, the same tool, and a model that gives the same answers. */
export type Task = {
  /** Model calls of a run: each but the last calls the tool once. */
  readonly turns: number;
  /** Messages before the question: questions, calls, outputs and answers. */
  readonly history: number;
  readonly weather: (city: string) => string;
};

/** The same over HTTP: turns and tool as above, no history. */
export type HttpTask = Omit<Task, 'history'> & { readonly baseURL: string };

/** A library under measurement, or the loop that one writes without. */
export type Contender = {
  /** The package, as npm knows it. */
  readonly name: string;
  /** The most turns of a run that one can wait for; no limit by default. */
  readonly longest?: number;
  /** A program around a model in this process. Each call is one run and gives its final text; calls may overlap. */
  agent(task: Task): () => Promise<string>;
  /** A program whose model streams one answer. Each call reads all of it and gives the number of deltas that arrived. */
  story(deltas: number): () => Promise<number>;
  /** Programs with the library's own package for chat completions endpoints. One that only streams has no `whole`. */
  overHttp(task: HttpTask): { readonly whole?: () => Promise<string>; readonly streamed: () => Promise<string> };
};

export const instructions = 'Be brief.';
export const question = 'How is the weather in Oslo?';
export const answer = 'It is sunny.';
export const description = 'Tells the weather of a city.';
/** For those who take a JSON Schema; the others get the same from zod. */
export const parameters = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;
