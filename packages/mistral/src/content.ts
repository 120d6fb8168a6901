import type { MessagePart } from '@polyrun/core';
import { contentOf, given, type MediaPart } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** The content of a user message, with media as this wire spells them. */
export function userContent(content: string | readonly MessagePart[], target: Target): string | readonly JsonObject[] {
  return contentOf(content, { input: target.capabilities.input, media: mediaChunk, report: target.report });
}

/** `undefined` when the wire has no place for it. */
function mediaChunk(part: MediaPart): JsonObject | undefined {
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
