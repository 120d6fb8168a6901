/**
 * `@polyrun/core/durable`: what every durable engine shares. An engine performs the effects of a run as its own steps; everything else
 * is the same loop as ever.
 */
export { verdictFrom, type Answer, type Question, type Verdict } from './approvals.ts';
export { claimCheck, isClaim, type BlobStore, type ClaimCheck } from './blobs.ts';
export type { DurableEngine, DurableStep, Settled } from './engine.ts';
export type { DurableOptions } from './options.ts';
export { RunChangedError } from './outcome-codec.ts';
export { performStep } from './perform-step.ts';
export { runDurably, type DurableAsked } from './run-durably.ts';
