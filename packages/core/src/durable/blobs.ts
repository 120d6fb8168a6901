import { AgentsError, misfit } from '../errors.ts';
import { shortHash } from '../protocol/hash.ts';
import { isFields, parseJson } from '../protocol/json.ts';

/** Where texts live that are too long for an engine's history: a bucket, a table. */
export interface BlobStore {
  /** May be called more than once for one key, then with the same text. */
  put(key: string, text: string): Promise<void>;
  /** The text of a key; `undefined` when there is none. */
  get(key: string): Promise<string | undefined>;
}

/** Keeps texts of more than `maxInline` characters in a store, and a claim for them in their place. */
export type ClaimCheck = {
  /** What to record for a text: the text itself, or a claim. */
  readonly keep: (name: string, text: string) => Promise<string>;
  /** The text that was kept. Throws when the store has it no longer. */
  readonly fetch: (kept: string) => Promise<string>;
};

const defaultMaxInline = 64 * 1024;
/** No text that is kept begins with it: outcomes have an `id` first. */
const mark = '{"claim":';

/** Makes a claim check. `maxInline` is 65,536 characters by default. */
export function claimCheck(
  blobs: BlobStore,
  { maxInline = defaultMaxInline }: { maxInline?: number | undefined } = {},
): ClaimCheck {
  if (typeof blobs?.put !== 'function' || typeof blobs.get !== 'function')
    throw misfit('blobs', 'a store with put and get', blobs);
  return {
    keep: async (name, text) => {
      if (text.length <= maxInline) return text;
      // Named by what it holds: a late second try can never change what the first one recorded.
      const claim = `${name}/${shortHash(text)}`;
      await blobs.put(claim, text);
      return JSON.stringify({ claim, length: text.length });
    },
    fetch: async (kept) => {
      if (!kept.startsWith(mark)) return kept;
      const { claim } = claimOf(kept);
      const text = await blobs.get(claim);
      if (text !== undefined && claim.endsWith(`/${shortHash(text)}`)) return text;
      const found = text === undefined ? 'no text' : 'another text';
      throw new AgentsError(
        `blobs: the store has ${found} for '${claim}'; keep blobs as long as the engine keeps its runs.`,
      );
    },
  };
}

/** True for what `keep` recorded in place of a text. */
export function isClaim(kept: string): boolean {
  return kept.startsWith(mark);
}

function claimOf(kept: string): { claim: string } {
  const claim = parseJson(kept);
  if (isFields(claim) && typeof claim['claim'] === 'string') return { claim: claim['claim'] };
  throw new AgentsError('blobs: what was recorded is no claim; give back what was recorded.');
}
