/** The revisions of the protocol that are served. */

export const MODERN = "2026-07-28";

/** 2025-era revisions, newest first. */
export const LEGACY: readonly string[] = ["2025-11-25", "2025-06-18", "2025-03-26"];

export const LATEST_LEGACY = "2025-11-25";

/** What a 2025-era request without the version header speaks (2025-11-25, "Protocol Version Header"). */
export const UNSTATED_LEGACY = "2025-03-26";

/** Reserved keys of a modern request's `_meta`. */
export const META = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;
