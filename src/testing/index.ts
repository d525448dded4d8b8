/** Tools for testing servers: `gantry-mcp/testing`. */

export { RequestError, TestClient, ToolCallError } from "./client.ts";
export type { TestClientOptions, TestEra, TestListItem, TestToolResult } from "./client.ts";
