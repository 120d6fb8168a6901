import { UserError } from '../../../errors.ts';
import type { Capabilities } from '../../../model/capabilities.ts';
import type { ModelRequest, ModelSettings, ToolSpec } from '../../../protocol/request.ts';
import { canonical } from '../../compare.ts';
import { needsAnswer, reported, type Kit, type ModelCheck } from '../kit.ts';
import { damagedLog, seeded } from '../logs.ts';
import { apart, hello, inTurn, nameOf } from '../play.ts';

/** A function tool that requests of the checks offer. */
export const probeTool: ToolSpec = {
  type: 'function',
  name: 'probe',
  description: 'Tool description of the probe.',
  parameters: {
    type: 'object',
    properties: { probe_field: { type: 'string', description: 'Field description of the probe.' } },
    required: ['probe_field'],
    additionalProperties: false,
  },
  strict: false,
};

/** A value of each setting that no wire takes for granted. */
const probes: {
  readonly [setting in Exclude<keyof ModelSettings, 'providerOptions'>]-?: NonNullable<ModelSettings[setting]>;
} = {
  temperature: 0.31,
  topP: 0.71,
  topK: 17,
  maxTokens: 4711,
  stop: ['PROBE_STOP'],
  seed: 4242,
  frequencyPenalty: 0.13,
  presencePenalty: 0.17,
  toolChoice: 'required',
  parallelToolCalls: false,
  reasoning: { effort: 'low' },
  verbosity: 'low',
  truncation: 'auto',
  store: true,
  cache: { ttl: '1h' },
  metadata: { probe: 'metadata' },
  serviceTier: 'flex',
};

export const settingChecks: readonly ModelCheck[] = [
  {
    id: 'settings',
    title:
      'each setting changes what is sent or is reported, never neither; what is not among capabilities.settings is reported',
    advice:
      "Map the setting to the wire's field, or report `{ type: 'unsupported_setting', name: '<setting>', … }` among the adaptations and leave it out of `capabilities.settings`.",
    idle: needsAnswer,
    run: async (kit) => {
      const tools = kit.subject.capabilities.tools === false ? [] : [probeTool];
      const before = canonical((await kit.sent({ tools })).body);
      const names = Object.entries(probes).filter(
        ([name]) => tools.length > 0 || !/^(toolChoice|parallelToolCalls)$/.test(name),
      );
      return (await inTurn(names, ([name, value]) => probe(kit, { name, value, before, tools }))).flat();
    },
  },
  {
    id: 'provider-options',
    title: 'providerOptions of its provider reach the wire as they are, those of others do not',
    advice: 'Spread `settings.providerOptions?.[provider]` into the body, and read no other key of it.',
    idle: needsAnswer,
    run: async (kit) => {
      const { model } = await kit.sent({});
      const own = await kit.sent({
        settings: { providerOptions: { [model.provider]: { kit_option: 'kit-own-option' } } },
      });
      const other = await kit.sent({
        settings: { providerOptions: { 'not-this-provider': { kit_option: 'kit-foreign-option' } } },
      });
      return [
        ...(own.text.includes('kit-own-option') || reported(own.response, ['providerOptions'])
          ? []
          : [`expected the option of '${model.provider}' in the body or reported, got neither`]),
        ...(other.text.includes('kit-foreign-option')
          ? ['expected the option of another provider to stay out of the body, got it in there']
          : []),
      ];
    },
  },
  {
    id: 'strict',
    title: "with capabilityMode 'strict' a setting that would be reported is a UserError before any request",
    advice: "Refuse what you report when `request.capabilityMode` is 'strict' (`defineModel` does).",
    idle: needsAnswer,
    run: async (kit) => {
      const each = await inTurn(Object.entries(probes), async ([name, value]) => {
        const settings = { [name]: value };
        if (!reported((await kit.send({ settings })).response, [name])) return [];
        const { error, received } = await kit.send({ settings, capabilityMode: 'strict' });
        const right = error instanceof UserError && error.message.includes(name) && received.length === 0;
        return right
          ? []
          : [`expected a UserError that names ${name}, and no request, got ${nameOf(error)} and ${received.length}`];
      });
      return each.flat();
    },
  },
  {
    id: 'preview',
    title: 'preview tells what a response would report, and sends nothing',
    advice: 'Encode the request and give its adaptations (`defineModel` does).',
    idle: needsAnswer,
    run: async (kit) => {
      const input = damagedLog(seeded(11));
      const settings = { ...probes };
      const { model, response, error, received } = await kit.send({ input, settings });
      if (!response) return [`expected an answer to a request with every setting, got ${nameOf(error)}`];
      const told = model.preview?.({ ...hello, input, settings });
      const [got, wanted] = [canonical(told), canonical(response.adaptations)];
      const sent = received.length === 1 ? [] : [`expected no request for the preview, got ${received.length - 1}`];
      return told === undefined || got === wanted ? sent : [`the preview differs: ${apart(got, wanted)}`, ...sent];
    },
  },
];

type Probe = { name: string; value: unknown; before: string; tools: ModelRequest['tools'] };

async function probe(kit: Kit, { name, value, before, tools }: Probe): Promise<string[]> {
  const { response, error, body } = await kit.send({ tools, settings: { [name]: value } });
  const asked = `settings.${name}: ${JSON.stringify(value)}`;
  if (!response) return [`expected an answer to ${asked}, got ${nameOf(error)}`];
  const told = reported(response, [name]);
  const lacking = lackOf(kit.subject.capabilities, name);
  if (lacking !== undefined && !told)
    return [`expected an adaptation '${name}' for ${asked}, because ${lacking}, got none`];
  return told || canonical(body) !== before
    ? []
    : [`expected ${asked} in the body or an adaptation '${name}', got neither`];
}

/** Why the capabilities rule a setting out. */
function lackOf({ settings, reasoning, forcedToolChoice }: Capabilities, name: string): string | undefined {
  if (settings?.some((each) => each === name) === false) return 'capabilities.settings does not list it';
  if (name === 'reasoning' && reasoning === 'none') return 'capabilities.reasoning is none';
  return name === 'toolChoice' && forcedToolChoice === false ? 'capabilities.forcedToolChoice is false' : undefined;
}
