/** What dependencies give, and to whom. Checked by the compiler; never run. */

import { type Dependency, type RequestContext, type ServerContext, MCPServer, dependency } from "gantry-mcp";
import { z } from "zod";
import { exactly } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";

// ── what is provided ──

class Connection {
  query(sql: string): string[] {
    return [sql];
  }
}

const value = dependency(() => 1);
const later = dependency(async () => new Connection());
const generated = dependency(function* () {
  yield "text" as const;
});
const generatedLater = dependency(async function* () {
  const connection = await Promise.resolve(new Connection());
  try {
    yield connection;
  } finally {
    await Promise.resolve();
  }
});

exactly<Dependency<number, "call">>()(value);
exactly<Dependency<Connection, "call">>()(later);
exactly<Dependency<"text", "call">>()(generated);
exactly<Dependency<Connection, "call">>()(generatedLater);

// ── what they take ──

const pool = dependency({ scope: "server" }, (ctx) => {
  exactly<ServerContext>()(ctx);
  return new Connection();
});
exactly<Dependency<Connection, "server">>()(pool);

const nested = dependency({ inject: { pool, later } }, async function* (ctx, injected) {
  exactly<RequestContext>()(ctx);
  exactly<{ readonly pool: Connection; readonly later: Connection }>()(injected);
  yield injected.pool.query(ctx.requestId);
});
exactly<Dependency<string[], "call">>()(nested);

const transient = dependency({ scope: "transient" }, ({ signal }) => signal.aborted);
exactly<Dependency<boolean, "transient">>()(transient);

const settings = dependency({ scope: "server", inject: { pool } }, (_ctx, injected) => {
  exactly<{ readonly pool: Connection }>()(injected);
  return { verbose: true };
});

// @ts-expect-error -- what all calls share takes nothing of one call
dependency({ scope: "server", inject: { later } }, () => 1);
// @ts-expect-error -- no such scope
dependency({ scope: "session" }, () => 1);
// @ts-expect-error -- no dependency
dependency({ inject: { pool: new Connection() } }, () => 1);
// @ts-expect-error -- nothing of that name is injected
dependency({ inject: { pool } }, (_ctx, { nope }) => nope);

// ── what handlers get ──

server.tool(
  "query",
  {
    description,
    input: z.object({ sql: z.string() }),
    inject: { db: generatedLater, settings, rows: nested },
  },
  ({ sql }, { db, settings: { verbose }, rows, requestId }) => {
    exactly<string>()(sql);
    exactly<Connection>()(db);
    exactly<boolean>()(verbose);
    exactly<string[]>()(rows);
    exactly<string>()(requestId);
    return db.query(sql);
  },
);

server.tool("known", { description, auth: true, inject: { value } }, (_args, { client, value: one }) => {
  exactly<true>()(client.authenticated);
  exactly<number>()(one);
});

server.tool(
  "declared",
  { description, inject: { value }, output: z.object({ n: z.number() }) },
  (_args, ctx) => ({ n: ctx.value }),
);

// @ts-expect-error -- nothing of that name is injected
server.tool("nothing", { description, inject: { value } }, (_args, { nope }) => nope);
// @ts-expect-error -- nothing is injected
server.tool("none", { description }, (_args, { value: one }) => one);
// @ts-expect-error -- every context has a signal
server.tool("taken", { description, inject: { signal: value } }, () => "");
// @ts-expect-error -- no dependency
server.tool("raw", { description, inject: { db: new Connection() } }, () => "");

server.resource("tasks://{id}", { name: "task", description, inject: { db: later } }, ({ id }, { db }) => {
  exactly<Connection>()(db);
  return db.query(id);
});

server.prompt("plan", { description, inject: { db: later } }, (_args, { db }) => {
  exactly<Connection>()(db);
  return "";
});

// ── in tests ──

exactly<MCPServer>()(server.override(later, generatedLater));
// @ts-expect-error -- another type
server.override(later, value);
