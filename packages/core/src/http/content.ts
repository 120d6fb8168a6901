import type { InputPart, MessagePart } from '../protocol/items.ts';
import type { Json } from '../protocol/json.ts';
import type { Report } from './requests.ts';

type JsonObject = { readonly [field: string]: Json };

/** A part of a message that is no text. */
export type MediaPart = Exclude<InputPart, { type: 'input_text' }>;

/** Where the parts of a message go. */
export type ContentPlace = {
  /** The kinds of media that the model takes: `image`, `file`, `audio`. Default: all. */
  readonly input: readonly string[] | undefined;
  /** A part as the wire spells it; `undefined` where there is no place for it. */
  readonly media: (part: MediaPart) => JsonObject | undefined;
  readonly report: Report;
};

/** The content of a user message: a string when it is nothing but text, which every server takes, else parts. What has no place is described and reported. */
export function contentOf(
  content: string | readonly MessagePart[],
  place: ContentPlace,
): string | readonly JsonObject[] {
  if (typeof content === 'string') return content;
  const parts = content.map((part) => partOf(part, place));
  const texts = parts.map(({ text }) => text).filter((text) => typeof text === 'string');
  return texts.length === parts.length ? texts.join('\n') : parts;
}

function partOf(part: MessagePart, { input, media, report }: ContentPlace): JsonObject {
  if (part.type === 'input_text' || part.type === 'output_text') return { type: 'text', text: part.text };
  if (part.type === 'refusal') return { type: 'text', text: part.refusal };
  const kind = part.type.slice('input_'.length);
  const made = input?.includes(kind) === false ? undefined : media(part);
  return made ?? { type: 'text', text: described(part, kind, report) };
}

/** A text in the place of what the model cannot be shown. */
function described(part: MediaPart, kind: string, report: Report): string {
  report('dropped_item', part.type, `no place for this ${kind}; the model is told so`);
  const { file_url = '' } = part.type === 'input_file' ? part : {};
  return `[${kind} left out${file_url && `: ${file_url}`}]`;
}
