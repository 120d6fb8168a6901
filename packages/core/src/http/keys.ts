import { UserError } from '../errors.ts';
import { environment } from './replies.ts';

/** What options may say of the way in. */
export type KeyOptions = {
  readonly apiKey?: string | (() => string | Promise<string>) | undefined;
  readonly headers?: { readonly [name: string]: string } | undefined;
};

/**
 * The key of the moment: the option, what its function answers, or the first of these environment variables that is set; `''` where a
 * header authorizes. Throws a `UserError` that names option and variable when there is none.
 */
export async function keyIn(
  { apiKey, headers = {} }: KeyOptions,
  { provider, variables }: { provider: string; variables: readonly string[] },
): Promise<string> {
  const key = (typeof apiKey === 'function' ? await apiKey() : apiKey) || environment(variables);
  if (key !== '' || Object.keys(headers).some((name) => /^(authorization|(x-)?api-key)$/i.test(name))) return key;
  throw new UserError(`No API key for ${provider}: set ${variables[0]}, or give the option apiKey.`);
}

/** An address without the slashes at its end. Throws a `UserError` for what is no URL. */
export function addressIn(address: string, example: string): string {
  // What stands before a port would else pass for a scheme.
  if (/^https?:/.test(address) && URL.canParse(address)) return address.replace(/\/+$/, '');
  throw new UserError(`baseURL: ${address || 'none'}. Give the whole URL, such as ${example}.`);
}
