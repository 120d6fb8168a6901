import type { InputPart, Json, MessagePart } from '@polyrun/core';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** Content parts of a message, as the wire spells them. */
export type Parts = readonly JsonObject[];

/** The content of a user message: a string when it is nothing but one text, else parts. What has no place is described and reported. */
export function userContent(content: string | readonly MessagePart[], target: Target): string | Parts {
  if (typeof content === 'string') return content;
  const parts = content.map((part) => contentPart(part, target));
  const texts = parts.flatMap((part) =>
    part['type'] === 'text' && typeof part['text'] === 'string' ? [part['text']] : [],
  );
  const onlyText = texts.length === parts.length;
  return onlyText && (parts.length === 1 || target.dialect.plainText) ? texts.join('\n') : parts;
}

function contentPart(part: MessagePart, target: Target): JsonObject {
  switch (part.type) {
    case 'input_text':
    case 'output_text':
      return { type: 'text', text: part.text };
    case 'refusal':
      return { type: 'text', text: part.refusal };
    default:
      return mediaPart(part, target) ?? described(part, target);
  }
}

type MediaPart = Exclude<InputPart, { type: 'input_text' }>;

/** `undefined` when the wire or the model has no place for it. */
function mediaPart(part: MediaPart, { dialect, capabilities }: Target): JsonObject | undefined {
  const kind = kindOf(part);
  if (capabilities.input && !capabilities.input.includes(kind)) return undefined;
  switch (part.type) {
    case 'input_audio':
      return { type: 'input_audio', input_audio: part.input_audio };
    case 'input_image':
      if (part.image_url === undefined) return undefined;
      return { type: 'image_url', image_url: { url: part.image_url, ...given({ detail: part.detail }) } };
    case 'input_file': {
      const { filename, file_id } = part;
      const file_data = part.file_data ?? (dialect.fileURLs ? part.file_url : undefined);
      if (file_data === undefined && file_id === undefined) return undefined;
      return { type: 'file', file: given(file_data === undefined ? { file_id } : { filename, file_data }) };
    }
  }
}

function kindOf({ type }: MediaPart): 'image' | 'file' | 'audio' {
  if (type === 'input_image') return 'image';
  return type === 'input_file' ? 'file' : 'audio';
}

/** A text in the place of what the model cannot be shown. */
function described(part: MediaPart, { report }: Target): JsonObject {
  const kind = kindOf(part);
  const address = part.type === 'input_file' ? part.file_url : part.type === 'input_image' ? part.image_url : undefined;
  const where = address === undefined || address.startsWith('data:') ? '' : `: ${address}`;
  report({
    type: 'dropped_item',
    name: part.type,
    detail: `this endpoint takes no such ${kind}; the model is told so`,
  });
  return { type: 'text', text: `[${kind} that cannot be shown here${where}]` };
}

function given(fields: { [field: string]: Json | undefined }): JsonObject {
  const kept: { [field: string]: Json } = {};
  for (const [name, value] of Object.entries(fields)) if (value !== undefined) kept[name] = value;
  return kept;
}
