import type { InputPart, Item, ProviderItem } from './items.ts';

/** Provider items that the client answers, with the kind of their answer. */
export const answerKinds: { readonly [kind: string]: ProviderItem['type'] } = {
  computer_call: 'computer_call_output',
  local_shell_call: 'local_shell_call_output',
  apply_patch_call: 'apply_patch_call_output',
  custom_tool_call: 'custom_tool_call_output',
};

/** The item that answers a call, of the kind that its provider expects. */
export function answerTo(call: Item, callId: string, output: string | readonly InputPart[]): Item {
  const type = Object.hasOwn(answerKinds, call.type) ? answerKinds[call.type] : undefined;
  return type === undefined
    ? { type: 'function_call_output', call_id: callId, output }
    : { type, call_id: callId, output };
}
