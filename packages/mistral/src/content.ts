import type { InputPart, MessagePart } from '@polyrun/core';
import { given } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** The content of a user message: a string when it is nothing but text, else chunks. What has no place is described and reported. */
export function userContent(content: string | readonly MessagePart[], target: Target): string | readonly JsonObject[] {
  if (typeof content === 'string') return content;
  const chunks = content.map((part) => contentChunk(part, target));
  const texts = chunks.map(({ text }) => text).filter((text) => typeof text === 'string');
  return texts.length === chunks.length ? texts.join('\n') : chunks;
}

function contentChunk(part: MessagePart, target: Target): JsonObject {
  if (part.type === 'input_text' || part.type === 'output_text') return { type: 'text', text: part.text };
  if (part.type === 'refusal') return { type: 'text', text: part.refusal };
  return mediaChunk(part, target) ?? described(part, target);
}

type MediaPart = Exclude<InputPart, { type: 'input_text' }>;
const kinds = { input_image: 'image', input_file: 'file', input_audio: 'audio' } as const;

/** `undefined` when the wire or the model has no place for it. */
function mediaChunk(part: MediaPart, { capabilities }: Target): JsonObject | undefined {
  if (capabilities.input?.includes(kinds[part.type]) === false) return undefined;
  if (part.type === 'input_audio') return { type: 'input_audio', input_audio: part.input_audio.data };
  if (part.file_id !== undefined) return { type: 'file', file_id: part.file_id };
  if (part.type === 'input_image') {
    const { image_url: url, detail } = part;
    return url === undefined ? undefined : { type: 'image_url', image_url: { url, ...given({ detail }) } };
  }
  const { filename, file_data, file_url = file_data === undefined ? undefined : dataURL(file_data) } = part;
  return file_url === undefined
    ? undefined
    : { type: 'document_url', document_url: file_url, ...given({ document_name: filename }) };
}

/** Bare data is taken for a PDF, which is what documents are unless they say so. */
function dataURL(data: string): string {
  return data.startsWith('data:') ? data : `data:application/pdf;base64,${data}`;
}

/** A text in the place of what the model cannot be shown. */
function described(part: MediaPart, { report }: Target): JsonObject {
  const kind = kinds[part.type];
  report('dropped_item', part.type, `no place for this ${kind}; the model is told so`);
  return { type: 'text', text: `[${kind} left out]` };
}
