/** Loaded before a program of the documentation: what it would ask a provider for, it asks the local server for. */
const server = process.env['MODEL_SERVER'] ?? '';
const { fetch } = globalThis;

globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const { hostname, pathname } = new URL(request.url);
  if (hostname === '127.0.0.1' || hostname === 'localhost') return fetch(request);
  const at = /\/(chat\/completions|responses|messages)$/.exec(pathname)?.[0];
  if (at === undefined) throw new TypeError(`a program of the documentation asked for ${request.url}`);
  return fetch(new Request(`${server}/v1${at}`, request));
};
