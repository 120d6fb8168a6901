import { toJson, type Fields, type InputPart, type Json, type MessagePart, type OutputText } from '@polyrun/core';
import { fieldsOf, given, listOf, mediaOf, stringOf, textOfMedia, type Media, type Report } from '@polyrun/core/http';
import type { Block, JsonObject } from './wire.ts';

/** Where the parts of one item go: which media the model takes, what documents are sent with, and where the rest is reported. */
export type Place = {
  readonly media: readonly string[] | undefined;
  readonly report: Report;
  /** Fields for every document, such as `{ citations: { enabled: true } }`. */
  readonly documents?: JsonObject;
};

/** Content of a user message or a tool output as blocks. What has no place is described by a text and reported. */
export function blocksOf(content: string | readonly MessagePart[], place: Place): Block[] {
  if (typeof content === 'string') return textBlocks(content);
  return content.flatMap((part) => {
    if (part.type === 'refusal') return textBlocks(part.refusal);
    return 'text' in part ? textBlocks(part.text) : [mediaBlock(part, place) ?? described(part, place.report)];
  });
}

/** The text as a block; none for a text without a word, which the API refuses. */
export function textBlocks(text: string): Block[] {
  return text.trim() === '' ? [] : [{ type: 'text', text }];
}

type MediaPart = Exclude<InputPart, { type: 'input_text' }>;

/** `undefined` when the wire or the model has no place for it. */
function mediaBlock(part: MediaPart, { media, documents = {} }: Place): Block | undefined {
  const { filename: title, ...found } = mediaOf(part);
  const source = sourceOf(found);
  if (!source || part.type === 'input_audio' || media?.includes(kindOf(part)) === false) return undefined;
  if (part.type === 'input_image' || images.test(stringOf(source['media_type']))) return { type: 'image', source };
  return { type: 'document', source, ...given({ title }), ...documents };
}

function kindOf({ type }: MediaPart): string {
  return type.slice('input_'.length);
}

/** Other kinds of images are refused: platform.claude.com/docs/en/build-with-claude/vision. */
const images = /^image\/(jpeg|png|gif|webp)$/;

function sourceOf(media: Media): JsonObject | undefined {
  const { data, mediaType: media_type = '', url, fileId: file_id } = media;
  const text = textOfMedia(media);
  if (text !== undefined) return { type: 'text', media_type: 'text/plain', data: text };
  if (data !== undefined)
    return images.test(media_type) || media_type === 'application/pdf'
      ? { type: 'base64', media_type, data }
      : undefined;
  if (url !== undefined) return { type: 'url', url };
  return file_id === undefined ? undefined : { type: 'file', file_id };
}

/** A text in the place of what the model cannot be shown. */
function described(part: MediaPart, report: Report): Block {
  report('dropped_item', part.type, 'the model is told so');
  const { url = '' } = mediaOf(part);
  return { type: 'text', text: `[${kindOf(part)} left out${url && `: ${url}`}]` };
}

/**
 * The citations of a text block as Open Responses spells annotations; each keeps the block's own in `provider_data`, for only that can
 * be sent back. What is cited belongs to the whole text: https://platform.claude.com/docs/en/build-with-claude/citations.
 */
export function annotationsOf({ text, citations }: Fields, provider: string): Json[] {
  return listOf(citations).map((citation) => {
    const { url, source = url, title, document_title = title, file_id } = citation;
    const cited =
      source === undefined
        ? { type: 'file_citation', filename: document_title, file_id }
        : { type: 'url_citation', url: source, title };
    const place = { start_index: 0, end_index: stringOf(text).length };
    return toJson({ ...cited, ...place, provider_data: { [provider]: citation } });
  });
}

/** A text of this provider as the block that it was. */
export function citedBlock({ text, annotations = [] }: OutputText, provider: string): Block {
  const citations = annotations.flatMap((annotation) => {
    const own = toJson(fieldsOf(fieldsOf(annotation)['provider_data'])[provider]);
    return own ?? [];
  });
  return { type: 'text', text, ...(citations.length > 0 && { citations }) };
}
