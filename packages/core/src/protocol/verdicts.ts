import type { Json } from './json.ts';

/** The verdict of a guardrail on an input or a final output. */
export type GuardrailOutput = { tripwireTriggered: boolean; outputInfo?: Json };
export type GuardrailResult = { guardrail: string; agent: string; output: GuardrailOutput };

/** `allow` may bring a modified output on the output side; the message of `reject_content` becomes the tool's output. */
export type ToolGuardrailOutput =
  | { type: 'allow'; output?: unknown; outputInfo?: Json }
  | { type: 'reject_content'; message: string; outputInfo?: Json }
  | { type: 'raise_exception'; outputInfo?: Json };
export type ToolGuardrailResult = { guardrail: string; toolName: string; callId: string; output: ToolGuardrailOutput };
