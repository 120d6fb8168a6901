export { call, message, ScriptedModel, type ScriptedModelOptions, type ScriptedTurn } from './scripted-model.ts';
export {
  describeSession,
  sessionChecks,
  type SessionCheck,
  type SessionKitOptions,
  type TestFramework,
} from './session-kit.ts';
