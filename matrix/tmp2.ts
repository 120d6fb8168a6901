import { wires } from './src/wires.ts';
import { recordingsOf } from './src/recorded.ts';
import { journey, newTally, send } from './src/journey.ts';
import { damaged } from '@polyrun/wires/logs';
const recs = new Map(); for (const w of wires) recs.set(w.api, await recordingsOf(w));
for (const from of wires) for (const to of wires) {
  const t0=performance.now(); const tally = newTally(); let n=0;
  const { logs } = recs.get(from.api); const { replies } = recs.get(to.api);
  for (const log of logs) for (const place of to.places) for (const settings of [{}, { reasoning: { effort: 'high' } }]) {
    await journey({ ...log, settings }, { home: { wire: from, place: log.home }, away: { wire: to, place }, reply: pool(replies, place.provider)[n++ % pool(replies, place.provider).length] }, tally);
  }
  const t1=performance.now(); const r1=tally.requests; const v1=tally.violations.length;
  for (const log of logs) for (const { name, items } of damaged(log.items)) for (const place of to.places) await send({ input: items, tools: log.tools, settings: n++ % 2 ? {} : { reasoning: { effort: 'high' } } }, { wire: to, place, name: `${log.name} ${name}` }, tally);
  console.log(from.api, '->', to.api, r1, v1, (t1-t0)|0, 'damaged', tally.requests-r1, tally.violations.length-v1, (performance.now()-t1)|0, JSON.stringify(tally.adaptations));
  const kinds = new Map(); for (const v of tally.violations) { const k = v.replace(/^.*?: /,'').replace(/\d+/g,'#').slice(0,90); kinds.set(k, [...(kinds.get(k)??[]), v]); }
  for (const [k, vs] of [...kinds].sort((a,b)=>b[1].length-a[1].length).slice(0,6)) console.log('    ', vs.length, vs[0].slice(0,600));
}

function pool(replies: readonly any[], provider: string): any[] { const own = replies.filter((r) => r.provider === provider); return own.length ? own : replies.filter(r => r.provider==='openai'); }
