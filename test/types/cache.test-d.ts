/** What may be kept for whom, and what `cached()` makes of a function. Checked by the compiler; never run. */

import { MCPServer, cached, hasRole, idempotency } from "gantry-mcp";
import { z } from "zod";
import { exactly } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";
const input = z.object({ query: z.string() });

server.tool(
  "kept",
  { description, input, cache: { ttl: "5m", staleWhileRevalidate: 60_000 } },
  ({ query }) => {
    exactly<string>()(query);
  },
);
server.tool("shared", { description, cache: { ttl: "5m", scope: "shared" } }, () => "");
server.tool("known", { description, auth: true, cache: { ttl: "5m", scope: "shared" } }, () => "");
server.tool("tenant", { description, guards: [hasRole("a")], cache: { ttl: 1, scope: "tenant" } }, () => "");
server.tool("changes", { description, invalidates: ["tasks"] }, () => "");
server.resource("config://app", { name: "n", description, cache: { ttl: "1h", scope: "shared" } }, () => "");
server.prompt("prompt", { description, cache: { ttl: "1h" } }, () => "");

cached((query: string) => query.length, { ttl: "5m", staleWhileRevalidate: "1h" });

server.tool("once", { description, idempotent: true }, () => "");
server.tool("once", { description, idempotent: { ttl: "1h", key: "client" } }, () => "");
server.tool("once", { description, idempotent: false }, () => "");
// @ts-expect-error -- no way to tell calls apart
server.tool("once", { description, idempotent: { key: "header" } }, () => "");
server.use(idempotency()).use(idempotency({ ttl: "1h", key: "arguments" }));
// @ts-expect-error -- no way to tell calls apart
idempotency({ key: "header" });

// @ts-expect-error -- guards might have told callers apart
server.tool("g", { description, guards: [hasRole("a")], cache: { ttl: 1, scope: "shared" } }, () => "");
const shared = { ttl: 1, scope: "shared" } as const;
// @ts-expect-error -- roles are guards
server.resource("a://b", { name: "n", description, roles: ["a"], cache: shared }, () => "");
// @ts-expect-error -- scopes are guards
server.prompt("p", { description, scopes: ["a"], cache: { ttl: 1, scope: "shared" } }, () => "");
// @ts-expect-error -- no duration
server.tool("ttl", { description, cache: { ttl: "5 minutes" } }, () => "");
// @ts-expect-error -- nothing says for how long
server.tool("ttl", { description, cache: {} }, () => "");
// @ts-expect-error -- only tools change what others keep
server.resource("a://b", { name: "n", description, invalidates: ["a"] }, () => "");

const search = cached(async (query: string, page?: number) => ({ query, page }), { ttl: "5m" });
exactly<Promise<{ query: string; page: number | undefined }>>()(search("a"));
// @ts-expect-error -- no number
void search(1);
cached((a: number) => a, {
  ttl: 1,
  key: (a) => {
    exactly<number>()(a);
  },
});
exactly<Promise<number>>()(cached((a: number) => a, { ttl: 1 })(1));

server.tool(
  "handler",
  { description, input },
  cached(
    ({ query }, ctx) => {
      exactly<string>()(query);
      return `${query} ${ctx.client.clientId}`;
    },
    { ttl: "5m" },
  ),
);
