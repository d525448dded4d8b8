import cluster from "node:cluster";
import { ConfigurationError } from "gantry-mcp";
import { howToConnect, howToSignIn } from "./connect.ts";
import { signInFor } from "./identity.ts";
import { backendFor, observe } from "./operations.ts";
import { readOptions } from "./options.ts";
import { seed } from "./seed.ts";
import { taskServer } from "./server.ts";
import { TaskStore } from "./store.ts";

const options = readOptions();
const store = await TaskStore.open(options.dataDir);

try {
  const signIn = signInFor(options);
  const server = taskServer(store, signIn?.authentication, {
    publicUrl: options.publicUrl,
    trustedProxies: options.trustedProxies,
    backend: backendFor(options),
    observe: (observed) => observe(observed, options),
  });
  if (signIn?.development) {
    const { issuer, clients } = signIn.development;
    server.enableTokenEndpoint(issuer, { clients });
  }
  // Each worker runs all of this once more.
  if (cluster.isPrimary) {
    if (options.seed && store.isNew()) seed(store);
    console.error(`Tasks are kept in ${options.dataDir}`);
  }
  server.onShutdown(() => store.close());
  if (options.stdio) {
    await server.run({ transport: "stdio", token: process.env["MCP_TOKEN"] });
  } else {
    const { host, port, processes, allowUnauthenticated } = options;
    const { url } = await server.run({
      transport: "http",
      host,
      port,
      processes,
      ...(allowUnauthenticated !== undefined && { allowUnauthenticated }),
    });
    if (cluster.isPrimary)
      console.error(signIn?.development ? howToSignIn(url, signIn.development.clients) : howToConnect(url));
  }
} catch (error) {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error(error.message); // such as a port in use: what is wrong, and what to do
  process.exit(1);
}
