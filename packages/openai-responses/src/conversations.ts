export { compact, type Compacted, type CompactOptions } from './compact.ts';
export { OpenAIConversationsSession, type ConversationsSessionOptions } from './conversations-session.ts';
