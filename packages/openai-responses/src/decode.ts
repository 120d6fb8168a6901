import { ModelError, usageOf, type ModelResponse, type OutputItem, type StopType, type Usage } from '@polyrun/core';
import type { Fields } from '@polyrun/core';
import { fieldsOf, given, listOf, notAReply, numberOf, stringOf } from '@polyrun/core/http';
import { itemIn } from './items.ts';
import type { Destination } from './target.ts';
import type { Reply } from './wire.ts';

/** Reads a response, streamed or not. Throws a `ModelError` for what is no response. */
export function decodeReply({ response, requestId }: Reply, at: Destination): Omit<ModelResponse, 'adaptations'> {
  const body = fieldsOf(response);
  const raw = body['status'];
  const waiting = isUnderWay(response);
  if (raw === 'failed') throw failed(requestId);
  if (!Array.isArray(body['output']) && !waiting) throw notAReply('it has no output', requestId);
  const cut = raw === 'incomplete';
  // What a response has so far comes again when it is done.
  const output = waiting ? [] : listOf(body['output']).map((item) => itemIn(item, { ...at, cut }));
  return {
    ...given({ id: stringOf(body['id']) || undefined, requestId }),
    model: stringOf(body['model']) || at.model,
    output,
    usage: usageIn(body),
    stop: { type: stopOf(body, output), raw: typeof raw === 'string' ? raw : null },
  };
}

/** A failure with a reason is told where it is read; without one there is nothing to tell. */
function failed(requestId: string | undefined): ModelError {
  return new ModelError({ kind: 'server', message: 'The response failed.', ...given({ requestId }) });
}

/** True for a response that the server is still at work on, in the background. */
export function isUnderWay(response: unknown): boolean {
  const { status } = fieldsOf(response);
  return status === 'queued' || status === 'in_progress';
}

const calls = /^(?:function|custom_tool|computer|local_shell|apply_patch)_call$/;

function stopOf(body: Fields, output: readonly OutputItem[]): StopType {
  const { status, incomplete_details } = body;
  if (isUnderWay(body)) return 'pause';
  if (status === 'cancelled') return 'other';
  if (status === 'incomplete') {
    const reason = stringOf(fieldsOf(incomplete_details)['reason']);
    if (reason === 'content_filter') return 'content_filter';
    return /max|length/.test(reason) ? 'length' : 'other';
  }
  if (output.some(({ type }) => calls.test(type))) return 'tool_calls';
  return saysNothingButNo(output) ? 'refusal' : 'end';
}

function saysNothingButNo(output: readonly OutputItem[]): boolean {
  const kinds = output.flatMap((item) => (item.type === 'message' ? listOf(item.content).map(({ type }) => type) : []));
  return kinds.length > 0 && kinds.every((kind) => kind === 'refusal');
}

function usageIn({ usage }: Fields): Usage {
  const told = fieldsOf(usage);
  const input = fieldsOf(told['input_tokens_details']);
  const output = fieldsOf(told['output_tokens_details']);
  return usageOf({
    inputTokens: numberOf(told['input_tokens']),
    outputTokens: numberOf(told['output_tokens']),
    totalTokens: numberOf(told['total_tokens']),
    cachedTokens: numberOf(input['cached_tokens']),
    cacheWriteTokens: numberOf(input['cache_write_tokens']),
    reasoningTokens: numberOf(output['reasoning_tokens']),
  });
}
