/** Gantry: production MCP servers in TypeScript. */

// Servers
export { MCPServer } from "./core/server.ts";
export { MCPRouter } from "./core/registration/router.ts";
export type { IncludeOptions, RouterOptions } from "./core/registration/router.ts";
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
} from "./core/server-options.ts";
export type { Notifier } from "./core/sealed/announcer.ts";
export type { CacheHint } from "./core/results/cache-hint.ts";
export { memoryEventBus, memoryEventStore } from "./core/sharing/events.ts";
export type { EventBus, EventReplay, EventStore, ServerEvent } from "./core/ports.ts";
export type { MetricsOptions } from "./core/operations/metrics.ts";
export type { ListeningServer, NodeHandler, RunningServer } from "./core/runtime.ts";
export type { Hook, Probe } from "./core/operations/lifecycle.ts";

// Components
export type { Completer } from "./core/components/completers.ts";
export type {
  ComponentOptions,
  PromptHandler,
  PromptOptions,
  ResourceHandler,
  ResourceOptions,
  ToolHandler,
  ToolOptions,
  UnknownArguments,
} from "./core/components/components.ts";
export type { ComponentRef } from "./core/registration/registry.ts";
export type { ToolAnnotations } from "./core/components/tool-annotations.ts";
export type { TemplateParams } from "./core/schemas/uri-template.ts";

// Schemas
export { jsonSchema } from "./core/schemas/schema.ts";
export type { Parsed, Returned, Schema, StandardSchema, TypedJsonSchema } from "./core/schemas/schema.ts";
export type { JsonSchema } from "./core/ports.ts";
export type { Duration } from "./core/options/duration.ts";

// Logs
export { createLogger } from "./observe/log.ts";
export type { LoggerOptions, ServerLogger } from "./observe/log.ts";
export type { CallLogger } from "./core/calls/logger.ts";
export type { Logger, Severity } from "./core/ports.ts";

// Requests
export type { RequestContext } from "./core/calls/context.ts";
export type { TraceContext } from "./core/calls/trace.ts";
export type { ClientInfo, RequestState } from "./core/calls/call.ts";
export type { Operation, OperationKind } from "./core/calls/operation.ts";
export type {
  Middleware,
  MiddlewareFunction,
  MiddlewareLayer,
  Next,
  PassiveLayer,
} from "./core/calls/compose.ts";

// Dependencies
export { dependency } from "./core/dependencies/dependencies.ts";
export type {
  Dependencies,
  Dependency,
  DependencyScope,
  Injectable,
  Injected,
  ServerContext,
} from "./core/dependencies/dependencies.ts";

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
export type { AuditFields } from "./core/components/auditable.ts";
export { logging } from "./middleware/logging.ts";
export type { LoggingOptions } from "./middleware/logging.ts";
export { rateLimit } from "./middleware/rate-limit.ts";
export type { RateLimitLayerOptions } from "./middleware/rate-limit.ts";
export { timeout } from "./middleware/timeout.ts";
export type { TimeoutOptions } from "./middleware/timeout.ts";
export type { TimeLimitLayer } from "./core/calls/time-limit.ts";
export type {
  ConcurrencyOptions,
  CountedBy,
  DeclaredRateLimit,
  LimitOptions,
  LimitingLayer,
  QueueOptions,
  Rate,
  RateLimitOptions,
} from "./core/components/limits.ts";
export { memoryLimitStore } from "./limits/memory.ts";
export type { MemoryLimitOptions } from "./limits/memory.ts";
export type { Limit, LimitCharge, LimitState, LimitStore, LimitVerdict } from "./core/ports.ts";

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
} from "./core/components/caching.ts";
export type { CacheEntry, CacheRead, CacheStore, IdempotencyStore } from "./core/ports.ts";

// What processes share
export { memoryPlaceStore } from "./core/sharing/places.ts";
export { memoryCircuitStore } from "./core/sharing/circuits.ts";
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
} from "./core/ports.ts";

// Background work
export type { BackgroundTasks } from "./core/calls/background.ts";

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
export type { Authentication, AuthenticationLayer, Route } from "./core/identity/authentication.ts";
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
} from "./core/calls/client.ts";
export type { IssueOptions, JwtIssuer, TokenClient, TokenEndpointOptions } from "./core/identity/tokens.ts";

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
} from "./core/access/guards.ts";
export type { AuthenticatedContext, Denial, Guard, Need } from "./core/access/guards.ts";
export type { AccessOptions, ClientOf } from "./core/access/policy.ts";

// Asking the client
export { ClientCapabilityError } from "./core/dialogue/inquiry.ts";
export type { AskOptions } from "./core/dialogue/inquiry.ts";
export type { AsJson } from "./core/values/json.ts";
export type {
  Elicited,
  LinkElicited,
  Root,
  SamplingRequest,
  SamplingResult,
} from "./core/dialogue/elicitation.ts";
export type { LogLevel } from "./core/dialogue/voice.ts";

// Results
export { audio, embed, image, link, text } from "./core/results/content.ts";
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
} from "./core/results/content.ts";
export { ToolResponse, assistant, user } from "./core/results/result.ts";
export type { PromptMessage, PromptResult, ResourceResult, ToolResult } from "./core/results/result.ts";

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
} from "./core/errors.ts";
export type { CodeEntry, ErrorBody, ErrorCode, MCPErrorOptions } from "./core/errors.ts";
