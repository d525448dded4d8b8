/** The server within another's HTTP server: as a web-standard handler and as a `node:http` one. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Mounted, Runtime } from "../../core/runtime.ts";
import { clientAddress } from "../requests/client-address.ts";
import { Endpoint } from "../endpoint/endpoint.ts";
import { fetchListener } from "../endpoint/fetch.ts";
import { HEALTH_PATHS, checkHttpOptions } from "./http-options.ts";
import { nodeRoutes } from "./node-routes.ts";
import { nodeListener } from "../endpoint/node.ts";
import { createRoutes } from "./routes.ts";
import { ended, shutdownLimits } from "../ending/shutdown.ts";

/** Starts the server, with both faces of one endpoint: what is under way through one counts for the other. */
export function mount(runtime: Runtime): Mounted {
  checkHttpOptions(runtime);
  const endpoint = new Endpoint(runtime);
  const routes = createRoutes(runtime, endpoint.path);
  const listener = nodeListener(runtime, endpoint, nodeRoutes(routes.fetch));
  const fetch = fetchListener(
    endpoint,
    (request, incoming) => routes.fetch(request, { incoming }),
    clientAddress(runtime.http.trustedProxies),
  );
  let started = false;
  const starting = start(runtime).then(() => void (started = true));
  // It is told to whoever sends a request.
  starting.catch(() => {});
  /** Whether a request is answered already: those that ask whether the server has started are. */
  const answers = (path: string) => started || HEALTH_PATHS.includes(path);
  return {
    fetch: async (request, bindings) => {
      if (!answers(new URL(request.url).pathname)) await starting;
      return fetch(request, bindings);
    },
    node: (request, response) => {
      const serve = () => listener(request as IncomingMessage, response as ServerResponse);
      return answers(request.url?.split("?", 1)[0] ?? "") ? serve() : starting.then(serve);
    },
    close: async () => {
      endpoint.endStreams();
      await endpoint.close();
      await ended(runtime, performance.now() + shutdownLimits().limit);
    },
  };
}

async function start({ lifecycle, logger }: Runtime): Promise<void> {
  try {
    await lifecycle.start();
  } catch (error) {
    // What the start-up hooks opened is closed again.
    await lifecycle.stop(logger);
    throw error;
  }
}
