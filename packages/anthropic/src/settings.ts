import type { ModelSettings } from '@polyrun/core';
import { given, knownSettings } from '@polyrun/core/http';
import type { Target } from './target.ts';
import type { JsonObject } from './wire.ts';

/** Settings that are one field of the body each; what the wire lacks is reported. `active`: the model may think. */
export function settingFields(settings: ModelSettings, active: boolean, target: Target): JsonObject {
  const refuse = (name: string, why: string) => target.report('unsupported_setting', name, why);
  // Of thinking speaks who asks for it.
  const known = knownSettings(settings, target.capabilities.settings, { report: target.report, silent: ['reasoning'] });
  const { stop = [], metadata: { user_id, ...others } = {}, serviceTier } = known;
  const stops = stop.filter((text) => text.trim() !== '');
  if (stops.length < stop.length) refuse('stop', 'no white space alone');
  const left = Object.keys(others).join(', ');
  if (left !== '') refuse('metadata', `only user_id, not ${left}`);
  const tier = serviceTier?.replace('default', 'standard_only');
  const legal = tier === 'auto' || tier === 'standard_only';
  if (tier && !legal) refuse('serviceTier', 'only auto and standard_only');
  return {
    ...samplingFields(known, { active, one: target.family.sampling === 'one', refuse }),
    ...(stops.length > 0 && { stop_sequences: stops }),
    ...(user_id !== undefined && { metadata: { user_id } }),
    ...(legal && { service_tier: tier }),
  };
}

type Sampling = { active: boolean; one: boolean; refuse: (name: string, why: string) => void };

/**
 * Beside thinking only a `top_p` close to one is taken; since Claude 4.1 either temperature or `top_p`; temperature ends at one.
 * platform.claude.com/docs/en/build-with-claude/extended-thinking
 */
function samplingFields(settings: ModelSettings, { active, one, refuse }: Sampling): JsonObject {
  const { temperature: heat = 1, topP = 1 } = settings;
  const value = (name: 'temperature' | 'topP' | 'topK', refused: boolean, why = 'not while the model thinks') => {
    if (!refused || settings[name] === undefined) return settings[name];
    refuse(name, why);
    return undefined;
  };
  const temperature = value('temperature', active && heat !== 1);
  if (heat > 1 && !active) refuse('temperature', 'sent as 1');
  const beside = one && temperature !== undefined;
  return given({
    temperature: temperature && Math.min(temperature, 1),
    top_p: value('topP', beside || (active && topP < 0.95), beside ? 'not beside temperature' : undefined),
    top_k: value('topK', active),
  });
}

/** Which tool the model is to call, and whether one at a time. */
export function choiceField({ toolChoice, parallelToolCalls }: ModelSettings, forced: boolean): JsonObject {
  const single = parallelToolCalls === false && toolChoice !== 'none';
  if (toolChoice === undefined && !single) return {};
  const choice = forced || toolChoice === 'none' ? toolChoice : 'auto';
  const type = choice === 'required' ? 'any' : choice;
  return {
    tool_choice: {
      ...(typeof type === 'object' ? { type: 'tool', name: type.name } : { type: type ?? 'auto' }),
      ...(single && { disable_parallel_tool_use: true }),
    },
  };
}

/** Whether the model must call a tool; one that cannot be made to is left to choose, and that is reported. */
export function isForced({ toolChoice = 'auto' }: ModelSettings, { capabilities, report }: Target): boolean {
  if (toolChoice === 'auto' || toolChoice === 'none') return false;
  if (capabilities.forcedToolChoice === false) report('unsupported_setting', 'toolChoice', 'not to be forced');
  return capabilities.forcedToolChoice !== false;
}
