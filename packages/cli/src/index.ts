export { readTraces, type StoredTrace } from './trace-file.ts';
export { serveTraces, type TraceServer } from './server.ts';
