import { addUsage, type ModelResponse, type Usage } from '@polyrun/core';
import type { Price } from './config/define-config.ts';

/** What one answer took. */
export type Spent = { readonly usage: Usage; readonly responses: readonly ModelResponse[]; readonly ms: number };
type Prices = { readonly prices: { readonly [model: string]: Price }; readonly currency: string };

/** Counts tokens and money of this conversation, by model. */
export class Spending {
  readonly #prices: Prices;
  readonly #models = new Map<string, { usage: Usage; cost: number | undefined }>();
  #total: Usage | undefined;

  constructor(prices: Prices) {
    this.#prices = prices;
  }

  /** Counts an answer in and gives the line about it. */
  add({ usage, responses, ms }: Spent): string {
    this.#total = this.#total ? addUsage(this.#total, usage) : usage;
    for (const response of responses) this.#count(response);
    const cost = sum(responses.map((response) => this.#costOf(response)));
    return [...tokens(usage), this.#money(cost), `${(ms / 1000).toFixed(1)} s`].filter(Boolean).join(' · ');
  }

  /** Lines for `/usage`. */
  report(): readonly string[] {
    if (!this.#total) return ['Nothing was asked yet.'];
    const lines = [...this.#models].map(([model, { usage, cost }]) =>
      [model, requests(usage), ...tokens(usage), this.#money(cost)].filter(Boolean).join(' · '),
    );
    const cost = sum([...this.#models.values()].map((each) => each.cost));
    const total = ['total', requests(this.#total), ...tokens(this.#total), this.#money(cost)];
    return [...lines, total.filter(Boolean).join(' · ')];
  }

  #count(response: ModelResponse): void {
    const name = `${response.output[0]?.origin?.provider ?? '?'}/${response.model}`;
    const known = this.#models.get(name);
    const cost = sum([known ? known.cost : 0, this.#costOf(response)]);
    this.#models.set(name, { usage: known ? addUsage(known.usage, response.usage) : response.usage, cost });
  }

  /** `undefined` without a price. */
  #costOf({ model, output, usage }: ModelResponse): number | undefined {
    const provider = output[0]?.origin?.provider;
    const price = this.#priceOf(`${provider}/${model}`) ?? this.#priceOf(model);
    if (!price) return undefined;
    const { cachedTokens, cacheWriteTokens } = usage.inputTokensDetails;
    const { input, output: written, cachedInput = input, cacheWrite = input } = price;
    const plain = usage.inputTokens - cachedTokens - cacheWriteTokens;
    const perMillion =
      plain * input + cachedTokens * cachedInput + cacheWriteTokens * cacheWrite + usage.outputTokens * written;
    return perMillion / 1_000_000;
  }

  /** A model that answers by its dated name (`…-2025-04-14`) costs what the undated one does. */
  #priceOf(name: string): Price | undefined {
    const { prices } = this.#prices;
    return prices[name] ?? prices[name.replace(/-(\d{4}-\d\d-\d\d|\d{8}|\d{4})$/, '')];
  }

  #money(cost: number | undefined): string {
    if (cost === undefined) return '';
    const digits = cost > 0 && cost < 0.01 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 };
    return new Intl.NumberFormat('en', { style: 'currency', currency: this.#prices.currency, ...digits }).format(cost);
  }
}

function requests({ requests: count }: Usage): string {
  return count === 1 ? '1 request' : `${count} requests`;
}

function tokens({ inputTokens, outputTokens, inputTokensDetails, source }: Usage): string[] {
  const about = source === 'reported' ? '' : '~';
  const count = (value: number) => about + value.toLocaleString('en');
  const cached = inputTokensDetails.cachedTokens;
  return [`${count(inputTokens)} in${cached > 0 ? ` (${count(cached)} cached)` : ''}`, `${count(outputTokens)} out`];
}

/** Unknown as soon as one of them is. */
function sum(costs: readonly (number | undefined)[]): number | undefined {
  return costs.reduce((total, cost) => (total === undefined || cost === undefined ? undefined : total + cost), 0);
}
