import { UserError } from '@polyrun/core';
import type { Opened } from './transports.ts';

/** Stands in the place of `stdio.ts` in a browser. */
export function openStdio(): Opened {
  throw new UserError("mcpServer transport: 'stdio' starts a program, which a browser cannot; use 'http'.");
}
