import { mergeCapabilities, type Capabilities } from '@polyrun/core';
import { settingsBut } from '@polyrun/core/http';
import { dialectOf, rowsFor } from './dialects.ts';

/** What a model can do as far as this package knows; the user's facts win. */
export function capabilitiesOf(provider: string, model: string, user?: Capabilities): Capabilities {
  const { lacks, hostedTools } = dialectOf(provider, model);
  const wire: Capabilities = {
    // Engines such as vLLM's hold the model to the format from the first token on, so that it cannot call a tool:
    // https://github.com/vllm-project/vllm/issues/39929. Without tools every endpoint can be asked for it.
    structuredOutput: 'without_tools',
    jsonMode: true,
    serverState: [],
    toolOutputMedia: false,
    hostedTools: Object.keys(hostedTools),
    settings: settingsBut(lacks),
  };
  return mergeCapabilities(wire, ...rowsFor(provider, model).map(({ facts }) => facts), user);
}
