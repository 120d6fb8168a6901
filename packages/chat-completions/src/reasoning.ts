import { isFields, type Fields } from '@polyrun/core';
import { listOf, partsIn, stringOf } from '@polyrun/core/http';
import type { ReasoningField } from './dialects.ts';

/** The reasoning that a message or a delta shows, and the field that tells it: several may tell the same. */
export function reasoningIn(message: Fields): { text: string; field: ReasoningField | undefined } {
  const { reasoning_details, content, thinking } = message;
  const tellings: readonly (readonly [ReasoningField, string])[] = [
    ...plainReasoning.map((field) => [field, thoughtIn(message[field])] as const),
    ['reasoning_details', thoughtIn(reasoning_details)],
    ['thinking', stringOf(thinking) || partsIn(content).map(thinkingOf).join('')],
  ];
  const [field, text = ''] = tellings.find(([, told]) => told !== '') ?? [];
  return { text, field };
}

/** Fields that hold the reasoning as a text; the last is GitHub Copilot's. */
export const plainReasoning = ['reasoning_content', 'reasoning', 'reasoning_text'] as const;

/** The text of a thought: it may be a text, a list, or an object that holds either; Envoy's gateway has all of them. */
export function thoughtIn(told: unknown): string {
  if (Array.isArray(told)) return told.map(thoughtIn).join('');
  if (!isFields(told)) return stringOf(told);
  const { text, summary, reasoningText } = told;
  return thoughtIn(text) || thoughtIn(summary ?? reasoningText);
}

/** The text of a content part that is no answer: Mistral's are of type `thinking`, those of Databricks of type `reasoning`. */
function thinkingOf({ type, thinking, summary }: Fields): string {
  if (type !== 'thinking' && type !== 'reasoning') return '';
  return thoughtIn(thinking ?? summary);
}

/** All visible text of a message or a delta, whose content may be parts. */
export function contentIn({ content }: Fields): string {
  return partsIn(content)
    .map(({ text }) => stringOf(text))
    .join('');
}

/** The images that a message or a delta shows, in a field of their own or among the parts of its content. */
export function imagesIn({ images, content }: Fields): readonly Fields[] {
  return [...listOf(images), ...listOf(content).filter(({ type }) => type === 'image_url')];
}

/** The fields of a message or a delta that are for its own provider alone: details of the reasoning and signatures. */
export function opaqueIn(message: Fields): readonly string[] {
  const fields = [...detailed, 'reasoning_opaque', 'extra_content', 'thought_signature'];
  return fields.filter((field) => Object.keys(Object(message[field])).length > 0);
}

/** Opaque fields that are lists, which streams bring in pieces: OpenRouter's and LiteLLM's. */
export const detailed: readonly string[] = ['reasoning_details', 'thinking_blocks'];
