export { call, message, ScriptedModel, type ScriptedModelOptions, type ScriptedTurn } from './scripted-model.ts';
