import { createHash } from 'node:crypto';
import { isFields, parseJson } from '@polyrun/core';
import { claimCheck, type BlobStore } from '@polyrun/core/durable';
import type { Payload, PayloadCodec } from '@temporalio/common';

const encoding = 'polyrun/claim';

/**
 * Keeps payloads of more than `maxInline` bytes (65,536 by default) in a store, and a claim for them in the history: Temporal takes 2 MB
 * for a payload and 50 MB for a history. Give it to workers and clients alike, as one of `dataConverter.payloadCodecs`.
 */
export function claimCheckCodec(blobs: BlobStore, { maxInline = 65_536 }: { maxInline?: number } = {}): PayloadCodec {
  // What is asked to be kept is more than enough already.
  const check = claimCheck(blobs, { maxInline: 0 });
  const claimed = async (payload: Payload): Promise<Payload> => {
    if ((payload.data?.length ?? 0) <= maxInline) return payload;
    const text = written(payload);
    const name = `payload/${createHash('sha256').update(text).digest('hex')}`;
    return { metadata: { encoding: bytes(encoding) }, data: bytes(await check.keep(name, text)) };
  };
  const redeemed = async (payload: Payload): Promise<Payload> => {
    const { metadata, data } = payload;
    if (Buffer.from(metadata?.['encoding'] ?? []).toString() !== encoding) return payload;
    return read(await check.fetch(Buffer.from(data ?? []).toString()));
  };
  return {
    encode: (payloads) => Promise.all(payloads.map(claimed)),
    decode: (payloads) => Promise.all(payloads.map(redeemed)),
  };
}

function written({ metadata, data }: Payload): string {
  const fields = Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)]);
  return JSON.stringify({ metadata: Object.fromEntries(fields), data: base64(data ?? new Uint8Array()) });
}

function read(text: string): Payload {
  const { metadata, data } = Object(parseJson(text));
  const fields = Object.entries(isFields(metadata) ? metadata : {}).map(([name, value]) => [name, fromBase64(value)]);
  return { metadata: Object.fromEntries(fields), data: fromBase64(data) };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function base64(value: Uint8Array): string {
  return Buffer.from(value).toString('base64');
}

function fromBase64(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(String(value), 'base64'));
}
