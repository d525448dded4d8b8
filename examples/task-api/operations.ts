import type { Backend, MCPServer } from "gantry-mcp";
import { audit } from "gantry-mcp";
import { redis } from "gantry-mcp/redis";
import type { Options } from "./options.ts";

/** Where several servers share what they count and keep. */
export function backendFor({ redis: url }: Options): Backend | undefined {
  // Why Redis may be spoken to without TLS: it is in the same network of containers, say.
  const { REDIS_ALLOW_PLAINTEXT: reason } = process.env;
  return url === undefined ? undefined : redis({ url, ...(reason && { allowPlaintext: reason }) });
}

/** What those who run the server want to know of it, as far as they ask for it. Before all other layers. */
export function observe(server: MCPServer, { audit: file }: Options): void {
  const { METRICS_TOKEN: token, AUDIT_KEY: key = "" } = process.env;
  if (token) server.enableMetrics({ token });
  if (file !== undefined) server.use(audit({ file, key }));
}
