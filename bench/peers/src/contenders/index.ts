import type { Contender } from '../contender.ts';
import { ai } from './ai.ts';
import { byHand } from './by-hand.ts';
import { mastra } from './mastra.ts';
import { openaiAgents } from './openai-agents.ts';
import { pi } from './pi.ts';
import { polyrun } from './polyrun.ts';

export const floor: Contender = byHand;
export const ours: Contender = polyrun;
export const peers: readonly Contender[] = [openaiAgents, ai, pi, mastra];
export const contenders: readonly Contender[] = [floor, ours, ...peers];
