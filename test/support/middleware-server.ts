/** A server behind all built-in layers, whose tools find their limits quickly. */

import {
  MCPRouter,
  MCPServer,
  type MCPServerOptions,
  circuitBreaker,
  concurrency,
  logging,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { setTimeout as sleep } from "node:timers/promises";

export function middlewareServer(options: Partial<MCPServerOptions> = {}): MCPServer {
  const broken = new MCPRouter({ middleware: [circuitBreaker({ failures: 2, perTool: false })] });
  for (const name of ["read_upstream", "write_upstream"])
    broken.tool(name, { description: "Asks what is down." }, () => {
      throw new Error("ECONNREFUSED");
    });
  return new MCPServer({ name: "layered", version: "1.0.0", ...options })
    .use(logging())
    .use(timeout({ default: 1_500 }))
    .use(rateLimit({ perHour: 3, perTool: true }))
    .use(concurrency({ max: 2 }))
    .include(broken)
    .tool("search", { description: "Searches." }, () => "found")
    .tool("hang", { description: "Never ends." }, () => new Promise(() => {}))
    .tool("wait", { description: "Takes a while." }, () => sleep(400).then(() => "waited"))
    .prompt("plan", { description: "Plan." }, () => "Plan it.");
}
