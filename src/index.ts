/** Gantry: production MCP servers in TypeScript. */

// Servers
export { MCPServer } from "./server.ts";
export type { MCPServerOptions, RunHttpOptions, RunStdioOptions, ShutdownOptions } from "./options.ts";
export type { HttpOptions, ListeningServer, NodeHandler, RunningServer } from "./runtime.ts";
export type { Hook, Probe } from "./lifecycle.ts";

// Components
export type {
  Completer,
  ComponentOptions,
  Icon,
  PromptHandler,
  PromptOptions,
  ResourceHandler,
  ResourceOptions,
  ToolAnnotations,
  ToolHandler,
  ToolOptions,
  UnknownArguments,
} from "./components.ts";
export type { ComponentRef } from "./registry.ts";
export type { TemplateParams } from "./uri-template.ts";

// Schemas
export { jsonSchema } from "./schema.ts";
export type { Parsed, Returned, Schema, StandardSchema, TypedJsonSchema } from "./schema.ts";
export type { JsonSchema, Logger } from "./ports.ts";
export type { Duration } from "./duration.ts";

// Requests
export type { RequestContext } from "./context.ts";
export type { ClientInfo, Operation, OperationKind } from "./context.ts";
export type { Middleware, Next } from "./compose.ts";

// Results
export { audio, embed, image, link, text } from "./content.ts";
export type {
  AudioContent,
  ContentAnnotations,
  ContentBlock,
  ContentOptions,
  EmbeddedResource,
  ImageContent,
  ResourceContents,
  ResourceLink,
  TextContent,
} from "./content.ts";
export { assistant, user } from "./result.ts";
export type { PromptMessage, PromptResult, ResourceResult, ToolResult } from "./result.ts";

// Errors
export {
  ConfigurationError,
  ERROR_CODES,
  MCPError,
  PromptError,
  ResourceError,
  ToolError,
  ValidationError,
} from "./errors.ts";
export type { CodeEntry, ErrorBody, ErrorCode, MCPErrorOptions } from "./errors.ts";
