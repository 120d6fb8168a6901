export { FileTraceProcessor } from './file-trace-processor.ts';
export { loadProviders, type ProvidersFile } from './load-providers.ts';
export { SQLiteJournal, type JournaledRun } from './sqlite/journal.ts';
export { SQLiteSession } from './sqlite/session.ts';
export { SQLiteStore, type Conversation } from './sqlite/store.ts';
export { runSync } from './sync/run-sync.ts';
export { runDemoLoop, type DemoLoopOptions } from './terminal/demo-loop.ts';
