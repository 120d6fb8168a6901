export { callError, errorInReply, headerReader, notAReply, requestIdIn, type CallFacts } from './errors.ts';
export { fieldsOf, given, isList, listOf, numberOf, stringOf } from './fields.ts';
export { redactor, type Redact } from './redact.ts';
export { eventData } from './sse.ts';
