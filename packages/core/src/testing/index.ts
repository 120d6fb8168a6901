export type { Exclusion, TestFramework } from './framework.ts';
export { modelChecks } from './model-kit/checks.ts';
export { describeModel, type ModelKitOptions } from './model-kit/describe-model.ts';
export type { Cassette, Exchange, Expected } from './model-kit/cassettes.ts';
export type { CreateModel, ModelCheck, ModelKitHooks } from './model-kit/kit.ts';
export { damagedLog, nextTurn, seeded } from './model-kit/logs.ts';
export { call, message, ScriptedModel, type ScriptedModelOptions, type ScriptedTurn } from './scripted-model.ts';
export { describeSession, sessionChecks, type SessionCheck, type SessionKitOptions } from './session-kit.ts';
