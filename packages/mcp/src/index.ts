export { McpError, type McpErrorKind } from './errors.ts';
export type {
  HttpOptions,
  McpServerOptions,
  McpTimeouts,
  McpTransport,
  NeedsApproval,
  ToolFilter,
  ToolNames,
} from './options.ts';
export { mcpServer, type McpServer, type McpServerDescription } from './server.ts';
export { isDestructive } from './tools.ts';
