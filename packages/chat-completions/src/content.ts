import type { InputPart, MessagePart } from '@polyrun/core';
import { given } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** The content of a user message: a string when it is nothing but text, which every server takes, else parts. What has no place is described and reported. */
export function userContent(content: string | readonly MessagePart[], target: Target): string | readonly JsonObject[] {
  if (typeof content === 'string') return content;
  const parts = content.map((part) => contentPart(part, target));
  const texts = parts.map(({ text }) => text).filter((text) => typeof text === 'string');
  return texts.length === parts.length ? texts.join('\n') : parts;
}

function contentPart(part: MessagePart, target: Target): JsonObject {
  if (part.type === 'input_text' || part.type === 'output_text') return { type: 'text', text: part.text };
  if (part.type === 'refusal') return { type: 'text', text: part.refusal };
  return mediaPart(part, target) ?? described(part, target);
}

type MediaPart = Exclude<InputPart, { type: 'input_text' }>;
const kinds = { input_image: 'image', input_file: 'file', input_audio: 'audio' } as const;

/** `undefined` when the wire or the model has no place for it. */
function mediaPart(part: MediaPart, { dialect, capabilities }: Target): JsonObject | undefined {
  if (capabilities.input?.includes(kinds[part.type]) === false) return undefined;
  if (part.type === 'input_audio') return { type: 'input_audio', input_audio: part.input_audio };
  if (part.type === 'input_image') {
    const { image_url: url, detail } = part;
    return url === undefined ? undefined : { type: 'image_url', image_url: { url, ...given({ detail }) } };
  }
  const { filename, file_id, file_data = dialect.fileURLs ? part.file_url : undefined } = part;
  if (file_data !== undefined) return { type: 'file', file: { file_data, ...given({ filename }) } };
  return file_id === undefined ? undefined : { type: 'file', file: { file_id } };
}

/** A text in the place of what the model cannot be shown. */
function described(part: MediaPart, { report }: Target): JsonObject {
  const kind = kinds[part.type];
  report('dropped_item', part.type, `no place for this ${kind}; the model is told so`);
  const { file_url = '' } = part.type === 'input_file' ? part : {};
  return { type: 'text', text: `[${kind} left out${file_url && `: ${file_url}`}]` };
}
