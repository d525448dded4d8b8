/** The server within another's HTTP server: as a web-standard handler and as a `node:http` one. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mounted, Runtime } from "../runtime.ts";
import { clientAddress } from "./client-address.ts";
import { Endpoint } from "./endpoint.ts";
import { fetchListener } from "./fetch.ts";
import { checkHttpOptions } from "./http-options.ts";
import { nodeRoutes } from "./node-routes.ts";
import { nodeListener } from "./node.ts";
import { createRoutes } from "./routes.ts";
import { ended, shutdownLimits } from "./shutdown.ts";

/** Both faces of one endpoint: what is under way through one counts for the other. */
export function mount(runtime: Runtime): Mounted {
  checkHttpOptions(runtime);
  const endpoint = new Endpoint(runtime);
  const routes = createRoutes(runtime, endpoint.path);
  const listener = nodeListener(runtime, endpoint, nodeRoutes(routes.fetch));
  return {
    fetch: fetchListener(
      endpoint,
      (request, incoming) => routes.fetch(request, { incoming }),
      clientAddress(runtime.http.trustedProxies),
    ),
    node: (request, response) => listener(request as IncomingMessage, response as ServerResponse),
    close: async () => {
      endpoint.endStreams();
      await endpoint.close();
      await ended(runtime, performance.now() + shutdownLimits().limit);
    },
  };
}
