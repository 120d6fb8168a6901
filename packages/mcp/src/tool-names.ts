const longest = 64;

/**
 * The names under which a server's tools are offered: prefix and name, with `_` for what providers do not allow in names. A name that
 * is then too long, or that another tool has as well, ends in a short hash of the original: it is the same in every process and does
 * not depend on the order of the list.
 */
export function offeredNames(names: readonly string[], prefix: string): ReadonlyMap<string, string> {
  const plain = new Map(names.map((name) => [name, (prefix + name).replace(/[^a-zA-Z0-9_-]/g, '_')]));
  const takers = Map.groupBy(plain.values(), (wanted) => wanted);
  return new Map(
    [...plain].map(([name, wanted]) => {
      const isOwn = wanted === prefix + name || takers.get(wanted)?.length === 1;
      return [name, isOwn && wanted.length <= longest && wanted !== '' ? wanted : withHash(wanted, name)];
    }),
  );
}

function withHash(wanted: string, name: string): string {
  const hash = shortHash(name);
  return `${wanted.slice(0, longest - hash.length - 1)}_${hash}`;
}

/** Seven characters of [0-9a-z] (FNV-1a over UTF-16 code units). */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(36).padStart(7, '0');
}
