import { mergeCapabilities, type Capabilities, type ModelSettings } from '@polyrun/core';

/**
 * The fields of the body that carry settings: `temperature: 'temperature'`, `maxTokens: 'max_tokens'`. What has no row is reported. A setting
 * that is more than one field with its value (`toolChoice`, `reasoning`) gets a function of its own in `encode.ts`.
 */
export const settingFields: { readonly [setting in keyof ModelSettings]?: string } = {};

/** What is true of every model. It begins with what asks least of the wire: say more as `encode.ts` learns it, and the kit asks for it. */
const wire: Capabilities = {
  forcedToolChoice: false,
  structuredOutput: 'none',
  reasoningReplay: 'forbidden',
  input: [],
  toolOutputMedia: false,
  hostedTools: [],
  serverState: [],
  settings: settingNames(),
};

/** What is known of some models; rows overlay each other in order, each with the page that says so. What no row says is permitted. */
const families: readonly { readonly models: RegExp; readonly facts: Capabilities }[] = [];

/** What a model can do as far as this package knows; the user's facts win. */
export function capabilitiesOf(model: string, user?: Capabilities): Capabilities {
  const rows = families.filter(({ models }) => models.test(model));
  return mergeCapabilities(wire, ...rows.map(({ facts }) => facts), user);
}

function settingNames(): (keyof ModelSettings)[] {
  const names: readonly (keyof ModelSettings)[] = [
    'temperature',
    'topP',
    'topK',
    'maxTokens',
    'stop',
    'seed',
    'frequencyPenalty',
    'presencePenalty',
    'verbosity',
    'metadata',
    'serviceTier',
  ];
  return [...names.filter((name) => settingFields[name] !== undefined), 'providerOptions'];
}
