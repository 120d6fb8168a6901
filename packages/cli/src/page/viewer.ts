/** Draws the traces of a file as timelines. Runs in the browser; builds everything from text nodes, for traces hold what anybody may have said. */
import type { SpanData } from '@polyrun/core';
import type { StoredTrace } from '../trace-file.ts';

const colors: { readonly [type in SpanData['type']]: string } = {
  agent: '#7c5cff',
  turn: '#9aa3b2',
  model: '#2f9e6e',
  tool: '#e08b2c',
  handoff: '#c2429b',
  guardrail: '#3b8fd4',
  mcp_tools: '#8a7a3c',
  custom: '#5f6b7a',
};

const [nav, main, aside] = ['nav', 'main', 'aside'].map((name) => document.querySelector(name));

try {
  const traces: StoredTrace[] = await (await fetch('/traces.json')).json();
  list(traces);
} catch (error) {
  main?.replaceChildren(element('p', {}, `The traces could not be read: ${String(error)}`));
}

function list(traces: readonly StoredTrace[]): void {
  if (traces.length === 0) return main?.replaceChildren(element('p', {}, 'The file holds no traces yet.'));
  const buttons = traces.map((stored) => {
    const { workflowName = 'unfinished', startMs = stored.spans[0]?.startMs ?? 0 } = stored.trace ?? {};
    const when = element('small', {}, new Date(startMs).toLocaleString());
    const button = element('button', {}, workflowName, element('br', {}), when);
    button.addEventListener('click', () => {
      for (const each of buttons) each.setAttribute('aria-current', String(each === button));
      show(stored);
    });
    return button;
  });
  nav?.replaceChildren(...buttons);
  buttons.at(-1)?.click();
}

function show({ traceId, trace, spans }: StoredTrace): void {
  const from = Math.min(...spans.map(({ startMs }) => startMs));
  const to = Math.max(...spans.map(({ startMs, endMs }) => endMs ?? startMs));
  const rows = [...ordered(spans)].map(([span, depth]) =>
    row(span, { depth, from, length: Math.max(to - from, 0.001) }),
  );
  const title = element('h1', {}, trace?.workflowName ?? 'A trace that has not ended');
  main?.replaceChildren(title, element('small', {}, traceId), facts(spans, to - from), ...rows);
}

/** Parents before their children, with how deep they stand. A span whose parent is not here stands at the top. */
function* ordered(
  spans: readonly SpanData[],
  parentId: string | null = null,
  depth = 0,
): Generator<[SpanData, number]> {
  const known = new Set(spans.map(({ spanId }) => spanId));
  for (const span of spans) {
    const parent = span.parentId !== null && known.has(span.parentId) ? span.parentId : null;
    if (parent !== parentId) continue;
    yield [span, depth];
    yield* ordered(spans, span.spanId, depth + 1);
  }
}

function facts(spans: readonly SpanData[], ms: number): HTMLElement {
  const models = spans.filter(({ type }) => type === 'model');
  const told: [string, string][] = [
    [duration(ms), 'in all'],
    [String(models.length), 'model calls'],
    [String(sum(models, 'inputTokens')), 'tokens in'],
    [String(sum(models, 'outputTokens')), 'tokens out'],
    [String(spans.filter(({ type }) => type === 'tool').length), 'tool calls'],
    [String(spans.filter(({ error }) => error !== null).length), 'failed'],
  ];
  return element(
    'p',
    { class: 'facts' },
    ...told.map(([value, what]) => element('span', {}, element('b', {}, value), ` ${what}`)),
  );
}

function sum(models: readonly SpanData[], count: string): number {
  return models.reduce((total, { data: { usage } }) => {
    const value: unknown = typeof usage === 'object' && usage !== null ? Reflect.get(usage, count) : 0;
    return total + (typeof value === 'number' ? value : 0);
  }, 0);
}

function row(span: SpanData, at: { depth: number; from: number; length: number }): HTMLElement {
  const { type, name, startMs, endMs, error } = span;
  const ms = (endMs ?? startMs) - startMs;
  const dot = element('span', { class: 'dot', style: `--color: ${colors[type]}` });
  const label = element(
    'span',
    { class: 'name', style: `padding-left: ${at.depth}rem`, title: `${type} ${name}` },
    dot,
    type === 'turn' ? name : `${type} ${name}`,
  );
  const left = ((startMs - at.from) / at.length) * 100;
  const bar = element('span', {
    class: 'bar',
    style: `--color: ${colors[type]}; left: ${left}%; width: ${(ms / at.length) * 100}%`,
  });
  const made = element(
    'div',
    { class: error ? 'row failed' : 'row', tabindex: '0' },
    label,
    element('span', { class: 'track' }, bar),
    element('span', { class: 'time' }, duration(ms)),
  );
  made.addEventListener('click', () => {
    for (const each of document.querySelectorAll('.row')) each.setAttribute('aria-selected', String(each === made));
    details(span);
  });
  made.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') made.click();
  });
  return made;
}

function details({ type, name, spanId, startMs, endMs, data, error }: SpanData): void {
  const failure = error && (error.message === null ? error.name : `${error.name}: ${error.message}`);
  const entries: [string, unknown][] = [
    ['span', spanId],
    ['began', new Date(startMs).toISOString()],
    ['took', duration((endMs ?? startMs) - startMs)],
    ['error', failure],
    ...Object.entries(data),
  ];
  const shown = entries.filter(([, value]) => value !== null);
  const list = shown.flatMap(([key, value]) => [
    element('dt', {}, key),
    element('dd', {}, typeof value === 'string' ? value : element('pre', {}, JSON.stringify(value, null, 2))),
  ]);
  aside?.replaceChildren(element('h1', {}, `${type} ${name}`), element('dl', {}, ...list));
}

function duration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  return ms < 1000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function element(name: string, attributes: { [name: string]: string }, ...children: (string | Node)[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
