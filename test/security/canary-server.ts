/** A server that takes every kind of credentials, in a process of its own: `fork(…, [JSON.stringify(Places)])`. */

import { writeHeapSnapshot } from "node:v8";
import {
  MCPServer,
  ToolError,
  apiKeyAuth,
  authenticate,
  firstOf,
  hasRole,
  introspectionAuth,
  jwtAuth,
} from "gantry-mcp";
import { answerParent } from "../reliability/own-process.ts";

/** Where the server asks, and what it knows. */
interface Places {
  readonly jwksUri: string;
  readonly introspection: string;
  readonly keyHash: string;
}

const { jwksUri, introspection, keyHash } = JSON.parse(process.argv[2] ?? "{}") as Places;

const jwt = jwtAuth({ jwksUri });
const apiKeys = apiKeyAuth({ keys: { ci: { hash: keyHash } } });
const asking = introspectionAuth({
  endpoint: introspection,
  clientId: "task-api",
  clientSecret: "of-the-task-api",
});

const server = new MCPServer({ name: "canary", version: "1.0.0", http: { sessions: true } })
  .use(authenticate(firstOf(jwt, apiKeys, asking)))
  .tool("whoami", { description: "Says who calls." }, (_, { client }) => client)
  .tool("refuses", { description: "Refuses." }, () => {
    throw new ToolError("No");
  })
  .tool("breaks", { description: "Breaks." }, () => {
    throw new Error("broken");
  })
  .tool("closed", { description: "For nobody.", guards: [hasRole("nobody")] }, () => "in")
  .resource("notes://one", { name: "note", description: "A note." }, () => "one");

const { port } = await server.run({ transport: "http", port: 0, signals: false });

const answers = { heap: ({ path }: { readonly path: string }) => writeHeapSnapshot(path) };

export type Answers = typeof answers;

answerParent(answers, port);
