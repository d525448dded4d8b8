/** Tools for testing servers: `gantry-mcp/testing`. */

export { TestClient } from "./client.ts";
export type { TestListItem } from "./client.ts";
export type { TestCallOptions, TestClientOptions, TestEra, TestLogMessage, TestProgress } from "./options.ts";
export type { TestAnswers, TestElicitation, TestElicitationAnswer } from "./answers.ts";
export type { TestToolResult } from "./tool-result.ts";
export { testTokens } from "./tokens.ts";
export type { TestTokens, TestTokensOptions } from "./tokens.ts";
export { RequestError, ToolCallError } from "./errors.ts";
export type { TestChange, TestFilter, TestSubscription } from "./subscription.ts";
