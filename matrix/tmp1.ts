import { wires } from './src/wires.ts';
import { recordingsOf } from './src/recorded.ts';
for (const w of wires) { const t=performance.now(); const r = await recordingsOf(w); console.log(w.api, r.logs.length, r.replies.length, r.logs.reduce((n,l)=>n+l.items.length,0), performance.now()-t|0); }
