/** The page; what it shows is drawn by `viewer.ts`. */
export const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Polyrun traces</title>
<style>
  :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 15%, transparent); --faint: color-mix(in srgb, currentColor 60%, transparent); }
  * { box-sizing: border-box; }
  body { margin: 0; font: 14px/1.4 system-ui, sans-serif; display: grid; grid-template-columns: 15rem 1fr 24rem; height: 100vh; }
  nav, main, aside { overflow: auto; padding: 1rem; }
  nav, main { border-right: 1px solid var(--line); }
  nav button { display: block; width: 100%; text-align: left; padding: .5rem; border: 0; border-radius: .4rem; background: none; color: inherit; font: inherit; cursor: pointer; }
  nav button[aria-current=true], .row[aria-selected=true] { background: color-mix(in srgb, #4f7cff 20%, transparent); }
  small, .time { color: var(--faint); }
  h1 { font-size: 1.1rem; margin: 0 0 .25rem; }
  .facts { display: flex; flex-wrap: wrap; gap: 0 1.5rem; margin: 0 0 1rem; }
  .facts b { font-variant-numeric: tabular-nums; }
  .row { display: grid; grid-template-columns: minmax(12rem, 2fr) 3fr 5rem; gap: .75rem; align-items: center; padding: .15rem .25rem; border-radius: .3rem; cursor: pointer; }
  .row:hover { background: var(--line); }
  .name { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .track { position: relative; height: .8rem; }
  .bar { position: absolute; height: 100%; min-width: 3px; border-radius: .2rem; background: var(--color); }
  .dot { display: inline-block; width: .6rem; height: .6rem; border-radius: 50%; background: var(--color); margin-right: .4rem; }
  .failed .name { color: #d33; }
  .time { text-align: right; font-variant-numeric: tabular-nums; }
  dt { color: var(--faint); margin-top: .6rem; }
  dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; }
  pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; }
</style>
<nav aria-label="Traces"></nav>
<main><p>Reading …</p></main>
<aside aria-label="Details"><p>Choose a span to see what it holds.</p></aside>
<script type="module" src="/viewer.js"></script>
</html>
`;
