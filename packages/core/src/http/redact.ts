import { isFields } from '../protocol/json.ts';

const mask = '[redacted]';
/** What looks like a key, a token or encoded data, wherever it comes from. */
const patterns: readonly RegExp[] = [
  /\b(Bearer|Basic)\s+[\w.~+/=*-]+/gi,
  /\b((sk|pk|rk|gsk|xai|csk|hf|nvapi|pplx|fw|ghp)[-_]|AIza|eyJ)[\w*.-]{8,}/g,
  // The ids of responses, conversations and their items say which one is meant.
  /\b(?!(?:resp|conv|rs|msg|fc|ws|fs|ci|ig|cu|mcp[lr]?|ctc|cmp|tsc)_[\da-f]+\b)(?=[A-Za-z+/_=-]*\d)[A-Za-z0-9+/_=-]{40,}/g,
];
/** The shortest quotation from a request that counts as one. */
const quotation = 16;

/** Takes out of a provider's words what must not be in an error. */
export type Redact = (text: string) => string;

/**
 * A `Redact` that takes out keys, tokens, encoded data, the secrets in use, and what is quoted from the messages that were sent, but for
 * the fields of that `names`, which say which thing is meant.
 */
export function redactor(secrets: readonly string[] = [], messages?: unknown, names?: ReadonlySet<string>): Redact {
  return (text) => {
    let safe = text.slice(0, 1000);
    for (const secret of secrets) if (secret.length > 3) safe = safe.replaceAll(secret, mask);
    for (const pattern of patterns) safe = safe.replace(pattern, mask);
    return textsIn(messages, names).reduce(withoutQuotes, safe);
  };
}

function textsIn(value: unknown, names?: ReadonlySet<string>): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap((each) => textsIn(each, names));
  const fields = isFields(value) ? Object.entries(value) : [];
  return fields.flatMap(([name, field]) => (names?.has(name) ? [] : textsIn(field, names)));
}

/** Without quotations from `said`, and without those of its words that look like a secret, which are telling when alone. */
function withoutQuotes(text: string, said: string): string {
  let safe = text;
  for (const [word] of said.matchAll(/[\w-]*\d[\w-]*/g)) if (word.length > 7) safe = safe.replaceAll(word, mask);
  for (let at = 0; at + quotation <= safe.length; at++) {
    let end = at + quotation;
    if (!said.includes(safe.slice(at, end))) continue;
    while (end < safe.length && said.includes(safe.slice(at, end + 1))) end++;
    safe = safe.slice(0, at) + mask + safe.slice(end);
    at += mask.length;
  }
  return safe;
}
