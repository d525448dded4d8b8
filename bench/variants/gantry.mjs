// Gantry from dist/, with the defaults an author gets.
import {
  MCPServer,
  ToolResponse,
  authenticate,
  circuitBreaker,
  concurrency,
  jwtAuth,
  logging,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { audience, issuer, secret } from "../token.mjs";

const nowhere = { debug() {}, info() {}, warn() {}, error() {} };

/** The built-in layers, with limits that the load does not reach. */
const layersByName = {
  timeout: () => timeout({ default: "20s" }),
  rateLimit: () => rateLimit({ perMinute: 1e9, perTool: true }),
  concurrency: () => concurrency({ max: 1_000 }),
  circuitBreaker: () => circuitBreaker(),
  logging: () => logging({ logger: nowhere }),
};

export async function start({ tools, identified, layers = [] }) {
  const server = new MCPServer({ name: "bench", version: "1.0.0" });
  if (identified) server.use(authenticate(jwtAuth({ secret, issuer, audience })));
  for (const name of layers) if (name in layersByName) server.use(layersByName[name]());
  for (const { name, description, input, output, run } of tools) {
    const handler = layers.includes("metadata")
      ? (args) => new ToolResponse(run(args), { metadata: { action: name } })
      : run;
    server.tool(name, { description, input, ...(output === undefined ? {} : { output }) }, handler);
  }
  return server.run({ transport: "http", port: 0 });
}
