import { MultiProvider, UserError, type Model, type ModelProvider } from '@polyrun/core';
import type { Reference } from './messages.ts';
import type { ModelThread } from './model-thread.ts';

/** A provider whose models answer a thread that stands still: by themselves where they can, else through another thread. */
export function threaded(provider: ModelProvider, thread: ModelThread): ModelProvider {
  if (provider instanceof MultiProvider) return provider.map((each) => threaded(each, thread));
  const { name, reference } = provider;
  return {
    name,
    getModel: (modelName) => {
      const model = provider.getModel(modelName);
      if (model.sync) return model;
      if (reference) return threadedModel(model, { reference, modelName, thread });
      if (model.reference) return standInFor(model, thread);
      throw new UserError(
        `runConfig.modelProvider: '${name}' has no reference by which another thread could rebuild it. Make it without client, fetch or a function for a key; a provider of your own gives reference: { module, export, options }.`,
      );
    },
  };
}

/** A model that answers a thread that stands still, in place of one that another thread can make; else the model itself. */
export function standInFor(model: Model, thread: ModelThread): Model {
  if (model.reference === undefined) return model;
  const { modelName, ...reference } = model.reference;
  return threadedModel(model, { reference, modelName, thread });
}

type Travel = { readonly reference: Reference; readonly modelName: string | undefined; readonly thread: ModelThread };

function threadedModel(model: Model, { reference, modelName, thread }: Travel): Model {
  const { provider, name, capabilities } = model;
  return {
    provider,
    name,
    capabilities,
    getResponse: (request, call) => model.getResponse(request, call),
    streamResponse: (request, call) => model.streamResponse(request, call),
    sync: {
      getResponse: ({ input, ...request }, { timeouts, idempotencyKey }) => {
        // Only a stream shows that it is alive before it is over.
        const streamed = typeof (timeouts.firstByteMs ?? timeouts.idleMs) === 'number';
        return thread.call({ reference, modelName, request, idempotencyKey, streamed }, { input, timeouts, name });
      },
    },
  };
}
