export { conventionsVersion } from './attributes.ts';
export { openTelemetry, type OpenTelemetryOptions } from './processor.ts';
