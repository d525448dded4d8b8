/** Gantry: production MCP servers in TypeScript. */

// Servers
export { MCPServer } from "./server.ts";
export { MCPRouter } from "./router.ts";
export type { IncludeOptions, RouterOptions } from "./router.ts";
export type {
  CacheStoreOptions,
  HttpOptions,
  IdempotencyStoreOptions,
  LimitsOptions,
  MCPServerOptions,
  RunHttpOptions,
  RunStdioOptions,
  SessionOptions,
  ShutdownOptions,
  StateOptions,
} from "./options.ts";
export type { Notifier } from "./announcer.ts";
export type { CacheHint } from "./cache-hint.ts";
export { memoryEventBus, memoryEventStore } from "./events.ts";
export type { EventBus, EventReplay, EventStore, ServerEvent } from "./ports.ts";
export type { MetricsOptions } from "./metrics.ts";
export type { ListeningServer, NodeHandler, RunningServer } from "./runtime.ts";
export type { Hook, Probe } from "./lifecycle.ts";

// Components
export type { Completer } from "./completers.ts";
export type {
  ComponentOptions,
  PromptHandler,
  PromptOptions,
  ResourceHandler,
  ResourceOptions,
  ToolHandler,
  ToolOptions,
  UnknownArguments,
} from "./components.ts";
export type { ComponentRef } from "./registry.ts";
export type { ToolAnnotations } from "./tool-annotations.ts";
export type { TemplateParams } from "./uri-template.ts";

// Schemas
export { jsonSchema } from "./schema.ts";
export type { Parsed, Returned, Schema, StandardSchema, TypedJsonSchema } from "./schema.ts";
export type { JsonSchema } from "./ports.ts";
export type { Duration } from "./duration.ts";

// Logs
export { createLogger } from "./observe/log.ts";
export type { LoggerOptions, ServerLogger } from "./observe/log.ts";
export type { CallLogger } from "./logger.ts";
export type { Logger, Severity } from "./ports.ts";

// Requests
export type { RequestContext } from "./context.ts";
export type { TraceContext } from "./trace.ts";
export type { ClientInfo, RequestState } from "./call.ts";
export type { Operation, OperationKind } from "./operation.ts";
export type { Middleware, MiddlewareFunction, MiddlewareLayer, Next, PassiveLayer } from "./compose.ts";

// Dependencies
export { dependency } from "./dependencies.ts";
export type {
  Dependencies,
  Dependency,
  DependencyScope,
  Injectable,
  Injected,
  ServerContext,
} from "./dependencies.ts";

// Middleware
export { circuitBreaker } from "./middleware/circuit-breaker.ts";
export type { CircuitBreaker, CircuitBreakerOptions, CircuitRef } from "./middleware/circuit-breaker.ts";
export { concurrency } from "./middleware/concurrency.ts";
export type { ConcurrencyLayerOptions } from "./middleware/concurrency.ts";
export { idempotency } from "./middleware/idempotency.ts";
export { audit } from "./audit/audit.ts";
export type { AuditCheckpoints, AuditOptions, AuditRotation } from "./audit/audit.ts";
export { verifyAudit } from "./audit/verify.ts";
export type { AuditProblem, AuditVerification, VerifyAuditOptions } from "./audit/verify.ts";
export type { AuditFields } from "./auditable.ts";
export { logging } from "./middleware/logging.ts";
export type { LoggingOptions } from "./middleware/logging.ts";
export { rateLimit } from "./middleware/rate-limit.ts";
export type { RateLimitLayerOptions } from "./middleware/rate-limit.ts";
export { timeout } from "./middleware/timeout.ts";
export type { TimeoutOptions } from "./middleware/timeout.ts";
export type { TimeLimitLayer } from "./time-limit.ts";
export type {
  ConcurrencyOptions,
  CountedBy,
  DeclaredRateLimit,
  LimitOptions,
  LimitingLayer,
  QueueOptions,
  Rate,
  RateLimitOptions,
} from "./limits.ts";
export { memoryLimitStore } from "./limits/memory.ts";
export type { MemoryLimitOptions } from "./limits/memory.ts";
export type { Limit, LimitCharge, LimitState, LimitStore, LimitVerdict } from "./ports.ts";

// Cache
export { cached } from "./cache/cached.ts";
export type { CachedFunctionOptions } from "./cache/cached.ts";
export { memoryCache, memoryIdempotencyStore } from "./cache/memory.ts";
export type { MemoryCacheOptions } from "./cache/bounded.ts";
export type {
  CacheOptions,
  CacheScope,
  CachedOptions,
  ChangingOptions,
  IdempotencyOptions,
} from "./caching.ts";
export type { CacheEntry, CacheRead, CacheStore, IdempotencyStore } from "./ports.ts";

// What processes share
export { memoryPlaceStore } from "./places.ts";
export { memoryCircuitStore } from "./circuits.ts";
export type {
  Backend,
  BackendOwner,
  CacheClaim,
  CircuitAttempt,
  CircuitChange,
  CircuitPlan,
  CircuitRefusal,
  CircuitState,
  CircuitStore,
  CircuitVerdict,
  Place,
  PlaceLimit,
  PlaceStore,
} from "./ports.ts";

// Background work
export type { BackgroundTasks } from "./background.ts";

// Identity
export { authenticate } from "./auth/authenticate.ts";
export type { AuthenticateOptions } from "./auth/authenticate.ts";
export { apiKeyAuth } from "./auth/api-key.ts";
export type { ApiKey, ApiKeyOptions, ApiKeyOwner } from "./auth/api-key.ts";
export { firstOf } from "./auth/first-of.ts";
export { introspectionAuth } from "./auth/introspection.ts";
export type { IntrospectionOptions } from "./auth/introspection.ts";
export { jwtAuth } from "./auth/jwt.ts";
export type {
  JwksOptions,
  JwtDiscoveryOptions,
  JwtOptions,
  JwtPublicKeyOptions,
  JwtSecretOptions,
} from "./auth/jwt-options.ts";
export type { JwtAlgorithm } from "./auth/jwt-keys.ts";
export type { ClaimOptions } from "./auth/claim-options.ts";
export type { PublicJwk } from "./auth/crypto.ts";
export type { ProtectedResourceOptions } from "./auth/resource-metadata.ts";
export type { Authentication, AuthenticationLayer, Route } from "./authentication.ts";
export type {
  AnonymousClient,
  AuthenticatedClient,
  Authenticator,
  ClientContext,
  ClientExtra,
  Credentials,
  Deployment,
  Grants,
  Identity,
} from "./client.ts";
export type { IssueOptions, JwtIssuer, TokenClient, TokenEndpointOptions } from "./tokens.ts";

// Guards
export {
  allOf,
  anyOf,
  guard,
  hasAllRoles,
  hasAllScopes,
  hasRole,
  hasScope,
  requireClientId,
  requireTenant,
} from "./guards.ts";
export type { AuthenticatedContext, Denial, Guard, Need } from "./guards.ts";
export type { AccessOptions, ClientOf } from "./policy.ts";

// Asking the client
export { ClientCapabilityError } from "./inquiry.ts";
export type { AskOptions } from "./inquiry.ts";
export type { AsJson } from "./json.ts";
export type { Elicited, LinkElicited, Root, SamplingRequest, SamplingResult } from "./elicitation.ts";
export type { LogLevel } from "./voice.ts";

// Results
export { audio, embed, image, link, text } from "./content.ts";
export type {
  AudioContent,
  ContentAnnotations,
  ContentBlock,
  ContentOptions,
  EmbeddedResource,
  Icon,
  ImageContent,
  ResourceContents,
  ResourceLink,
  TextContent,
} from "./content.ts";
export { ToolResponse, assistant, user } from "./result.ts";
export type { PromptMessage, PromptResult, ResourceResult, ToolResult } from "./result.ts";

// Errors
export {
  AuthenticationError,
  ConfigurationError,
  ERROR_CODES,
  MCPError,
  PromptError,
  ResourceError,
  ToolError,
  ValidationError,
} from "./errors.ts";
export type { CodeEntry, ErrorBody, ErrorCode, MCPErrorOptions } from "./errors.ts";
