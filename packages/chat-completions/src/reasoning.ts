import type { Fields } from '@polyrun/core';
import { listOf, stringOf } from '@polyrun/core/http';
import type { ReasoningField } from './dialects.ts';

/** The reasoning that a message or a delta shows, and the field that tells it: several may tell the same. */
export function reasoningIn(message: Fields): { text: string; field: ReasoningField | undefined } {
  const { reasoning_content, reasoning, reasoning_details, content, thinking } = message;
  const tellings: readonly (readonly [ReasoningField, string])[] = [
    ['reasoning_content', stringOf(reasoning_content)],
    ['reasoning', stringOf(reasoning)],
    [
      'reasoning_details',
      listOf(reasoning_details)
        .map(({ text, summary }) => stringOf(text) || stringOf(summary))
        .join(''),
    ],
    ['thinking', stringOf(thinking) || listOf(content).map(thinkingOf).join('')],
  ];
  const [field, text = ''] = tellings.find(([, told]) => told !== '') ?? [];
  return { text, field };
}

/** The text of a content part of type `thinking`, Mistral's. */
function thinkingOf({ type, thinking }: Fields): string {
  if (type !== 'thinking') return '';
  return typeof thinking === 'string'
    ? thinking
    : listOf(thinking)
        .map(({ text }) => stringOf(text))
        .join('');
}

/** All visible text of a message or a delta, whose content may be parts. */
export function contentIn({ content }: Fields): string {
  return typeof content === 'string'
    ? content
    : listOf(content)
        .map(({ text }) => stringOf(text))
        .join('');
}

/** The fields of a message or a delta that are for its own provider alone: details of the reasoning and signatures. */
export function opaqueIn(message: Fields): readonly string[] {
  const fields = ['reasoning_details', 'extra_content', 'thought_signature'];
  return fields.filter((field) => Object.keys(Object(message[field])).length > 0);
}
