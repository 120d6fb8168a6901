import type { Json } from '../protocol/json.ts';

/** Outcomes of one run, append-only. The first entry holds a hash of agent and input; a mismatch on reading is a UserError. */
export interface Journal {
  read(runId: string): Promise<readonly { effectId: string; outcome: Json }[]>;
  append(runId: string, entry: { effectId: string; outcome: Json }): Promise<void>;
}
