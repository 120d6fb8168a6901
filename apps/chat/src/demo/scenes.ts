import { randomInt } from 'node:crypto';
import { Agent, Runner, tool, type InputItem, type RunConfig } from '@polyrun/core';
import { z } from 'zod';
import { delta, endLine, label, line } from './print.ts';
import type { Target } from './target.ts';
import { oneAgent, oneConversation, type WireTarget } from './wires.ts';

/** What a scene is given: how to run, the providers between which scene 7 swaps, and one of each wire on the mock server. */
export type Stage = {
  readonly runConfig: RunConfig;
  readonly targets: readonly Target[];
  readonly wires: readonly WireTarget[];
};

/** The scenes in their order. */
export const scenes: readonly { readonly title: string; play(stage: Stage): Promise<void> }[] = [
  { title: 'A plain run', play: plainRun },
  { title: 'Text, token by token', play: streamedText },
  { title: 'Items, as they come', play: streamedItems },
  { title: 'A list of messages as input', play: listOfMessages },
  { title: 'Two turns of one conversation', play: twoTurns },
  { title: 'A handoff to a specialist', play: handoffToSpecialist },
  { title: 'Another provider', play: anotherProvider },
  { title: 'One agent on four wires', play: oneAgent },
  { title: 'One conversation on four wires', play: oneConversation },
];

async function plainRun({ runConfig }: Stage): Promise<void> {
  const agent = new Agent({ name: 'Assistant', instructions: 'You are a helpful assistant.' });

  const result = await Runner.run(agent, 'Write a haiku about recursion in programming.', { runConfig });

  line('answer', result.finalOutput);
}

async function streamedText({ runConfig }: Stage): Promise<void> {
  const agent = new Agent({ name: 'Joker', instructions: 'You are a helpful assistant.' });

  const stream = Runner.runStreamed(agent, 'Please tell me 5 jokes.', { runConfig });

  label('answer');
  for await (const event of stream) {
    if (event.type === 'raw_response_event' && event.data.type === 'response.output_text.delta')
      delta(event.data.delta);
  }
  endLine();
}

async function streamedItems({ runConfig }: Stage): Promise<void> {
  const howManyJokes = tool({
    name: 'how_many_jokes',
    description: 'How many jokes to tell.',
    parameters: z.object({}),
    execute: () => randomInt(1, 11),
  });
  const agent = new Agent({
    name: 'Joker',
    instructions: 'First call the `how_many_jokes` tool, then tell that many jokes.',
    tools: [howManyJokes],
  });

  const stream = Runner.runStreamed(agent, 'Hello', { runConfig });

  for await (const event of stream) {
    if (event.type === 'agent_updated_stream_event') line('agent', event.newAgent.name);
    if (event.type !== 'run_item_stream_event') continue;
    const { item } = event;
    if (item.type === 'tool_call_item') line('tool call', `${item.toolName} ${item.arguments}`);
    if (item.type === 'tool_call_output_item') line('tool output', item.output);
    if (item.type === 'message_output_item') line('message', item.text);
  }
}

async function listOfMessages({ runConfig }: Stage): Promise<void> {
  const agent = new Agent({ name: 'Assistant', instructions: 'Reply very concisely.' });

  const result = await Runner.run(
    agent,
    [
      { role: 'user', content: 'I am Ada and I live in Zurich.' },
      { role: 'assistant', content: 'Nice to meet you, Ada!' },
      { role: 'user', content: 'Where do I live?' },
    ],
    { runConfig },
  );

  line('answer', result.finalOutput);
}

async function twoTurns({ runConfig }: Stage): Promise<void> {
  const agent = new Agent({ name: 'Assistant', instructions: 'Reply very concisely.' });

  const first = await Runner.run(agent, 'What city is the Golden Gate Bridge in?', { runConfig });
  line('city', first.finalOutput);

  const conversation: InputItem[] = [...first.toInputList(), { role: 'user', content: 'What state is it in?' }];
  const second = await Runner.run(agent, conversation, { runConfig });
  line('state', second.finalOutput);
}

async function handoffToSpecialist({ runConfig }: Stage): Promise<void> {
  const historyTutor = new Agent({
    name: 'History Tutor',
    handoffDescription: 'Specialist agent for historical questions',
    instructions: 'You provide assistance with historical queries. Explain important events and context briefly.',
  });
  const mathTutor = new Agent({
    name: 'Math Tutor',
    handoffDescription: 'Specialist agent for math questions',
    instructions: 'You provide help with math problems. Explain your reasoning step by step.',
  });
  const triage = new Agent({
    name: 'Triage',
    instructions: "You determine which agent to use based on the user's homework question.",
    handoffs: [historyTutor, mathTutor],
  });

  const result = await Runner.run(triage, 'Who was the first president of the United States?', { runConfig });

  for (const item of result.newItems) {
    if (item.type === 'handoff_output_item') line('handoff', `${item.from.name} → ${item.to.name}`);
  }
  line(result.lastAgent.name, result.finalOutput);
}

async function anotherProvider({ runConfig, targets }: Stage): Promise<void> {
  const agent = new Agent({ name: 'Assistant', instructions: 'Reply with one word.' });

  let conversation: InputItem[] = [{ role: 'user', content: 'Name a planet.' }];
  for (const { name, modelProvider } of targets) {
    const result = await Runner.run(agent, conversation, { runConfig: { ...runConfig, modelProvider } });
    line(name, result.finalOutput);
    // The next provider goes on with the conversation that this one leaves.
    conversation = [...result.toInputList(), { role: 'user', content: 'Name another one.' }];
  }
}
