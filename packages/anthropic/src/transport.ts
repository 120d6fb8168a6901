import { Anthropic } from '@anthropic-ai/sdk';
import type { Transport } from '@polyrun/core';
import { connectorOf, given, noDeadline, redactor, replyTransport } from '@polyrun/core/http';
import { accumulateReply } from './accumulate.ts';
import type { AdapterOptions } from './options.ts';
import type { Body, Chunk, Reply } from './wire.ts';

/** Carries bodies through the official client, its retries off. */
export function messagesTransport(provider: string, options: AdapterOptions): Transport<Body, Reply, Chunk> {
  const connect = connectorOf<Anthropic>(options, {
    provider: 'Anthropic',
    address: 'https://api.anthropic.com',
    addressVariables: ['ANTHROPIC_BASE_URL'],
    variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN'],
    newClient: (baseURL) =>
      new Anthropic({
        // The client's own paths begin with /v1.
        baseURL: baseURL.replace(/\/v1$/, ''),
        // The key of the moment goes with each request.
        apiKey: 'none',
        maxRetries: 0,
        // Whoever gives a browser a key has decided so. Elsewhere the mark of a browser would be refused by some organisations.
        dangerouslyAllowBrowser: 'document' in globalThis,
        ...given({ fetch: options.fetch }),
      }),
  });
  return replyTransport<Body, Reply>({
    provider,
    async connect({ betas = [], ...body }) {
      const { client, headers, secrets } = await connect();
      const request = {
        body,
        headers: { ...versionFor(body), ...(betas.length > 0 && { 'anthropic-beta': betas.join(',') }), ...headers },
        stream: body['stream'] === true,
        maxRetries: 0,
        timeout: noDeadline,
      };
      const path = betas.length > 0 ? '/v1/messages?beta=true' : '/v1/messages';
      return {
        facts: { provider, redact: redactor(secrets, [body['system'], body.messages]), address: client.baseURL },
        post: (signal) => client.post(path, { ...request, signal }).asResponse(),
      };
    },
    streamed: (body) => ({ ...body, stream: true }),
    accumulate: accumulateReply,
    whole: ({ data, requestId }) => ({ message: data, ...given({ requestId }) }),
  });
}

/**
 * Sampling settings are refused since API version 2026-10-21, which the client names by default, and taken by the one before where
 * the model has them: platform.claude.com/docs/en/api/versioning.
 */
function versionFor(body: Omit<Body, 'betas'>): { [name: string]: string } {
  const samples = Object.keys(body).some((field) => /^(temperature|top_[pk])$/.test(field));
  return samples ? { 'anthropic-version': '2023-06-01' } : {};
}
