import type { ListeningServer, MCPServer, RunHttpOptions } from "gantry-mcp";
import { vi } from "vitest";
import { hasGreeting } from "./greetings.ts";

/** Runs a server on a free port, without the signal handlers of a process of its own. */
export function listen(server: MCPServer, options: Partial<RunHttpOptions> = {}): Promise<ListeningServer> {
  const { stderr } = process;
  if (!vi.isMockFunction(Reflect.get(stderr, "write"))) {
    const write = stderr.write.bind(stderr);
    vi.spyOn(stderr, "write").mockImplementation((text) => hasGreeting(String(text)) || write(text));
  }
  return server.run({ port: 0, signals: false, ...options, transport: "http" });
}
