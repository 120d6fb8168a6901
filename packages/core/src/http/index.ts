export { partsIn, stopIn } from './answers.ts';
export { overlaid, toObject, without } from './bodies.ts';
export { contentOf, type ContentPlace, type MediaPart } from './content.ts';
export { callError, errorInReply, headerReader, notAReply, requestIdIn, streamCut, type CallFacts } from './errors.ts';
export { fieldsOf, given, isList, listOf, numberOf, said, stringOf } from './fields.ts';
export { redactor, type Redact } from './redact.ts';
export {
  addressIn,
  connectorOf,
  hostOf,
  keyIn,
  type Access,
  type Connected,
  type Endpoint,
  type KeyOptions,
} from './keys.ts';
export { mediaOf, textOfMedia, type Media } from './media.ts';
export { pause } from './pause.ts';
export { answered, environment, eventOf, repliesIn, type ReplyPiece } from './replies.ts';
export {
  closedArguments,
  isFunctionTool,
  knownSettings,
  legalName,
  noSuchTool,
  refuseServerState,
  refuseTools,
  reporter,
  settingsBut,
  type Report,
} from './requests.ts';
export { serverEvents, type ServerEvent } from './sse.ts';
export { noDeadline, replyTransport, type ReplyWire } from './transport.ts';
