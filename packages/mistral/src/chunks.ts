import { isFields, type Fields } from '@polyrun/core';
import { listOf, partsIn, stringOf } from '@polyrun/core/http';

/**
 * The chunks of a message's content, which may also be a text: https://docs.mistral.ai/api/endpoint/chat. Empty texts are none, and
 * chunks that a stream would have brought in pieces are one, so that an answer is the same streamed and unstreamed.
 */
export function chunksIn(message: Fields): Fields[] {
  const chunks: Fields[] = [];
  for (const chunk of chunksOf(message)) appendChunk(chunks, chunk);
  return chunks;
}

/** The chunks of a message or of a delta, as they came; other servers of Mistral's models tell the thinking in a field of its own. */
export function chunksOf({ reasoning_content, reasoning, content }: Fields): readonly Fields[] {
  const text = stringOf(reasoning_content) || stringOf(reasoning);
  const thought = text === '' ? [] : [{ type: 'thinking', thinking: [{ type: 'text', text }] }];
  const chunks = partsIn(content).filter((chunk) => chunk['type'] !== 'text' || stringOf(chunk['text']) !== '');
  return [...thought, ...chunks];
}

/** Adds a chunk, or what a stream brought of one; true when it goes on with the last one. */
export function appendChunk(chunks: Fields[], chunk: Fields): boolean {
  const last = chunks.at(-1);
  const joined = last && last['type'] === chunk['type'] ? join(last, chunk) : undefined;
  if (joined) chunks[chunks.length - 1] = joined;
  else chunks.push(chunk);
  return joined !== undefined;
}

function join(last: Fields, chunk: Fields): Fields | undefined {
  if (chunk['type'] === 'text') return { ...last, text: stringOf(last['text']) + stringOf(chunk['text']) };
  // A signature signs what stands before it.
  if (chunk['type'] !== 'thinking' || stringOf(last['signature']) !== '') return undefined;
  const parts = thinkingParts(last);
  for (const part of thinkingParts(chunk)) appendChunk(parts, part);
  const told = Object.entries(chunk).filter(([, value]) => value !== null && value !== undefined);
  return { ...last, ...Object.fromEntries(told), thinking: parts };
}

/** The text of a chunk of type `thinking`. */
export function thinkingText(chunk: Fields): string {
  return thinkingParts(chunk)
    .map(({ text }) => stringOf(text))
    .join('');
}

function thinkingParts({ thinking }: Fields): Fields[] {
  return typeof thinking === 'string' ? [{ type: 'text', text: thinking }] : [...listOf(thinking)];
}

/** What stands together in an answer: a run of text and its citations, or one chunk of thinking or of any other kind. */
export type Segment = { readonly kind: 'text' | 'thinking' | 'other'; readonly chunks: readonly Fields[] };

/** The kind of segment that a chunk belongs to. */
export function segmentKind({ type }: Fields): Segment['kind'] {
  if (type === 'thinking') return 'thinking';
  return type === 'text' || type === 'reference' || type === 'tool_reference' ? 'text' : 'other';
}

/** The segments of a content. */
export function segmentsOf(chunks: readonly Fields[]): Segment[] {
  const segments: { kind: Segment['kind']; chunks: Fields[] }[] = [];
  for (const chunk of chunks) {
    const kind = segmentKind(chunk);
    const last = segments.at(-1);
    if (kind === 'text' && last?.kind === 'text') last.chunks.push(chunk);
    else segments.push({ kind, chunks: [chunk] });
  }
  // Citations of nothing are no text.
  return segments.flatMap((segment): Segment[] =>
    segment.kind === 'text' && textIn(segment.chunks) === ''
      ? segment.chunks.map((chunk) => ({ kind: 'other', chunks: [chunk] }))
      : [segment],
  );
}

/** All visible text of some chunks. */
export function textIn(chunks: readonly Fields[]): string {
  return chunks.map(({ type, text }) => (type === 'text' ? stringOf(text) : '')).join('');
}

/** True for arguments that nothing can follow. */
export function isClosed(args: string): boolean {
  try {
    return isFields(JSON.parse(args));
  } catch {
    return false;
  }
}
