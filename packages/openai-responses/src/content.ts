import { contentText, type InputPart, type MessagePart } from '@polyrun/core';
import { toObject, type Report } from '@polyrun/core/http';
import type { Destination } from './target.ts';
import type { JsonObject } from './wire.ts';

type MediaPart = Exclude<InputPart, { type: 'input_text' }>;

/** What a user, a developer or a tool says: text and media. What has no place is told as a text and reported. */
export function inputContent(
  content: string | readonly MessagePart[],
  at: Pick<Destination, 'capabilities'> & { report: Report },
): string | readonly JsonObject[] {
  if (typeof content === 'string') return content;
  return content.map((part) => {
    if (part.type === 'input_text') return toObject(part);
    if (part.type === 'output_text' || part.type === 'refusal') return textPart(contentText([part]));
    return hasPlace(part, at.capabilities.input) ? toObject(part) : leftOut(part, at.report);
  });
}

/** What the model said, its annotations with it: they stand in the log only for who made them. */
export function outputContent(
  content: string | readonly MessagePart[],
  report: Report,
): string | readonly JsonObject[] {
  if (typeof content === 'string') return content;
  return content.map((part) => {
    if (part.type === 'refusal') return toObject(part);
    if (part.type === 'output_text') return { annotations: [], ...toObject(part) };
    const { text } = part.type === 'input_text' ? part : leftOut(part, report);
    return { type: 'output_text', text, annotations: [] };
  });
}

export function textPart(text: string): { type: 'input_text'; text: string } {
  return { type: 'input_text', text };
}

/** The wire has a place for images and files by any address, and none for sound. */
function hasPlace(part: MediaPart, input: readonly string[] | undefined): boolean {
  if (part.type === 'input_audio') return input?.includes('audio') === true;
  if (input?.includes(kindOf(part)) === false) return false;
  const places =
    part.type === 'input_image' ? [part.image_url, part.file_id] : [part.file_data, part.file_url, part.file_id];
  return places.some((place) => typeof place === 'string' && place !== '');
}

/** A text in the place of what the model cannot be shown. */
function leftOut(part: MediaPart, report: Report): { type: 'input_text'; text: string } {
  const kind = kindOf(part);
  report('dropped_item', part.type, `no place for this ${kind}; told as a text`);
  return textPart(`[${kind} left out]`);
}

/** `image`, `file` or `audio`. */
function kindOf({ type }: MediaPart): string {
  return type.slice('input_'.length);
}
