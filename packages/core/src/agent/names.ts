import { shortHash } from '../protocol/hash.ts';

const longest = 64;

/**
 * The name under which an agent is offered to a model: `prefix` + its name in lower case with anything but [a-z0-9_] as `_`.
 * Where nothing of the name remains, or the whole is longer than 64 characters, a short hash of the name tells it apart.
 */
export function toolNameFor(prefix: string, agentName: string): string {
  const plain = agentName.toLowerCase().replace(/[^a-z0-9_]/g, '_');
  const name = prefix + plain;
  return /[a-z0-9]/.test(plain) && name.length <= longest ? name : distinctName(name, agentName);
}

/** `name` with a short hash of the agent's name behind it, 64 characters at most. */
export function distinctName(name: string, agentName: string): string {
  const hash = shortHash(agentName).slice(0, 8);
  return `${name.slice(0, longest - hash.length - 1)}_${hash}`;
}
