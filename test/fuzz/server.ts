/** A server with every kind of component, whose handlers hold what they are given against what they were promised. */

import { type HttpOptions, type Logger, MCPError, MCPServer, text, user } from "gantry-mcp";
import { z } from "zod";
import { CANARY, type Given, Sure, addTalkers, addTools } from "./tools.ts";

export interface FuzzServer {
  readonly server: MCPServer;
  /** What went wrong inside: handlers that got what they should not, errors that nobody meant to throw. */
  readonly faults: string[];
  /** How many handlers ran, and how many run now. */
  readonly handlers: { ran: number; running: number };
}

export function fuzzServer(http: HttpOptions = {}): FuzzServer {
  const faults: string[] = [];
  const handlers = { ran: 0, running: 0 };
  const server = new MCPServer({
    name: "fuzz",
    version: "1.0.0",
    instructions: "Take whatever comes.",
    pageSize: 4,
    requestState: { keys: [`${CANARY}-the-key-that-seals-the-state`], ttl: "5s" },
    logger: watching(faults),
    http,
  });
  /** Runs in each handler: notes where what it was given is not what its schema promises. */
  const given = (what: string, args: unknown, fits: boolean) => {
    handlers.ran++;
    if (!fits) faults.push(`${what} was given ${JSON.stringify(args)?.slice(0, 300)}`);
  };
  addTools(server, given);
  addTalkers(server, given, handlers);
  addTheRest(server, given);
  return { server, faults, handlers };
}

/** Limits are low enough that some cases meet them. */
export const STATELESS: HttpOptions = { maxStreams: 3 };
export const WITH_SESSIONS: HttpOptions = {
  sessions: { max: 20, idle: "30s", retry: "1s" },
};

/** A log in which only the errors that handlers throw on purpose may stand. */
function watching(faults: string[]): Logger {
  const silent = () => {};
  const error = (fields: object, message: string) => {
    const { err } = fields as { readonly err?: unknown };
    if (!(err instanceof Error && err.message.includes(CANARY)))
      faults.push(`${message}: ${err instanceof Error ? err.stack : JSON.stringify(fields)}`);
  };
  return { debug: silent, info: silent, warn: silent, error };
}

function addTheRest(server: MCPServer, given: Given): void {
  const complete = ["alpha", "beta", "gamma"];
  server
    .resource("fuzz://text", { name: "text", description: "Text.", cacheHint: { ttl: "1m" } }, () => "text")
    .resource("fuzz://bytes", { name: "bytes", description: "Bytes." }, () => Uint8Array.of(0, 255))
    .resource("fuzz://broken", { name: "broken", description: "Fails." }, () => {
      throw new Error(`The token is ${CANARY}`);
    })
    .resource(
      "fuzz://item/{id}",
      { name: "item", description: "One.", complete: { id: complete } },
      (params) => {
        given("item", params, typeof params.id === "string" && !params.id.includes("/"));
        if (params.id === "none") throw new MCPError("There is none.", { code: "RESOURCE_NOT_FOUND" });
        return params;
      },
    )
    .resource("fuzz://file/{+path}", { name: "file", description: "A file." }, (params) => {
      given("file", params, typeof params.path === "string" && !params.path.split("/").includes(".."));
      return params.path;
    })
    .resource("fuzz://asked/{id}", { name: "asked", description: "Asks." }, async ({ id }, ctx) => {
      given("asked", id, typeof id === "string");
      return (await ctx.elicit("Sure?", Sure)).action;
    })
    .prompt("plain", { description: "Takes nothing." }, () => "Hello.")
    .prompt(
      "brief",
      {
        description: "Takes two.",
        input: z.object({ topic: z.string().max(60), tone: z.enum(["dry", "warm"]).default("dry") }),
        complete: { topic: (value) => [value.slice(0, 10), ...complete] },
      },
      (args) => {
        given("brief", args, Array.from(args.topic).length <= 60 && ["dry", "warm"].includes(args.tone));
        return [user(`On ${args.topic}, ${args.tone}.`), user(text("Thanks."))];
      },
    )
    .prompt("broken", { description: "Fails." }, () => {
      throw new Error(`The secret is ${CANARY}`);
    });
}
