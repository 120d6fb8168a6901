import type { MessagePart } from '@polyrun/core';
import { contentOf, given, type MediaPart } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** The content of a user message, with media as this wire spells them. */
export function userContent(content: string | readonly MessagePart[], target: Target): string | readonly JsonObject[] {
  const { dialect, capabilities, report } = target;
  return contentOf(content, { input: capabilities.input, media: (part) => mediaPart(part, dialect.fileURLs), report });
}

/** `undefined` when the wire has no place for it. */
function mediaPart(part: MediaPart, fileURLs: boolean): JsonObject | undefined {
  if (part.type === 'input_audio') return { type: 'input_audio', input_audio: part.input_audio };
  if (part.type === 'input_image') {
    const { image_url: url, detail } = part;
    return url === undefined ? undefined : { type: 'image_url', image_url: { url, ...given({ detail }) } };
  }
  const { filename, file_id, file_data = fileURLs ? part.file_url : undefined } = part;
  if (file_data !== undefined) return { type: 'file', file: { file_data, ...given({ filename }) } };
  return file_id === undefined ? undefined : { type: 'file', file: { file_id } };
}
