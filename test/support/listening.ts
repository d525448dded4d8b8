import type { ListeningServer, MCPServer, RunHttpOptions } from "gantry-mcp";
import { vi } from "vitest";

const printed: string[] = [];

/** What servers of this test file have printed so far, their greetings. */
export function printedText(): string {
  return printed.join("\n");
}

/** Runs a server on a free port, without the signal handlers of a process of its own. */
export function listen(server: MCPServer, options: Partial<RunHttpOptions> = {}): Promise<ListeningServer> {
  if (!vi.isMockFunction(console.error))
    vi.spyOn(console, "error").mockImplementation((text: unknown) => void printed.push(String(text)));
  return server.run({ port: 0, signals: false, ...options, transport: "http" });
}
