export { callError, errorInReply, headerReader, notAReply, requestIdIn, type CallFacts } from './errors.ts';
export { fieldsOf, given, isList, listOf, numberOf, stringOf } from './fields.ts';
export { redactor, type Redact } from './redact.ts';
export { addressIn, keyIn, type KeyOptions } from './keys.ts';
export { dataIn, isTextType, mediaTypeByName, textInBase64 } from './media.ts';
export { environment, repliesIn, type ReplyPiece } from './replies.ts';
export { knownSettings, refuseServerState, type Report } from './requests.ts';
export { eventData } from './sse.ts';
export { replyTransport, type ReplyWire } from './transport.ts';
