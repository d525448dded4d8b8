/** A server that bad input is thrown at: it counts what reaches its handlers. */

import { MCPServer, type MCPServerOptions } from "gantry-mcp";
import { type CapturedLog, capturedLog } from "./captured-log.ts";
import { listen } from "./listening.ts";
import {
  type Answer,
  type RawHeaders,
  type Sending,
  encodeHeader,
  modern,
  modernHeaders,
  send,
} from "./wire.ts";

/** What came of throwing something at the server. */
export interface Outcome {
  readonly status: number;
  /** The JSON-RPC error's code. */
  readonly code: number | undefined;
  /** How many handlers ran. */
  readonly handled: number;
  /** What a valid request was answered right after. */
  readonly next: number;
}

/** The outcome that every refusal has: nothing ran, and the next request is served. */
export function refused(status: number, code?: number): Outcome {
  return { status, code, handled: 0, next: 200 };
}

export class Target {
  readonly url: string;
  readonly log: CapturedLog;
  /** What handlers got, in order. */
  readonly handled: unknown[];
  readonly close: () => Promise<void>;

  static async start(options: Partial<MCPServerOptions> = {}): Promise<Target> {
    const log = capturedLog();
    const handled: unknown[] = [];
    const note = (args: unknown) => {
      handled.push(args);
      return args;
    };
    const server = new MCPServer({ name: "target", version: "1.0.0", logger: log.logger, ...options })
      .tool("echo", { description: "Gives back its arguments.", input: { type: "object" } }, note)
      .tool("other", { description: "Another tool." }, note)
      .resource("fixed://one", { name: "fixed", description: "A resource." }, () => note("fixed://one"))
      .resource("docs://{name}", { name: "doc", description: "One segment." }, ({ name }) => note(name))
      .resource("files://root/{+path}", { name: "file", description: "A path." }, ({ path }) => note(path))
      .resource("tree://root{/path*}", { name: "tree", description: "A path." }, ({ path }) => note(path))
      .resource("pairs://{a}/x/{b}-end", { name: "pair", description: "Two." }, ({ a, b }) => note([a, b]))
      .prompt("greet", { description: "A prompt." }, () => String(note("greet")));
    const running = await listen(server);
    return new Target(running.url, log, handled, () => running.close());
  }

  private constructor(url: string, log: CapturedLog, handled: unknown[], close: () => Promise<void>) {
    this.url = url;
    this.log = log;
    this.handled = handled;
    this.close = close;
  }

  /** Sends what `sending` says, with the headers of a modern tool call where it says none. */
  send(sending: Sending): Promise<Answer> {
    return send(this.url, { headers: modernHeaders("tools/call", "echo"), ...sending });
  }

  /** A modern message, with the headers that belong to it, but for those that `headers` replaces. */
  message(method: string, params: object = {}, headers: RawHeaders = {}): Promise<Answer> {
    const { name, uri = name } = params as { name?: unknown; uri?: unknown };
    const header = typeof uri === "string" ? encodeHeader(uri) : undefined;
    return this.send({
      headers: { ...modernHeaders(method, header), ...headers },
      body: JSON.stringify(modern(method, params)),
    });
  }

  /** What came of `attempt`, and of a valid request after it. */
  async outcome(attempt: () => Promise<Pick<Answer, "status" | "code">>): Promise<Outcome> {
    const before = this.handled.length;
    const { status, code } = await attempt();
    const handled = this.handled.length - before;
    const next = await this.message("tools/call", { name: "echo", arguments: { next: true } });
    return { status, code, handled, next: next.status === 200 && next.code === undefined ? 200 : 0 };
  }

  /** Throws every case at the server, and gives those whose outcome is not as expected. */
  async deviations<T>(
    cases: Iterable<readonly [what: string, value: T]>,
    expected: Outcome,
    attempt: (value: T) => Promise<Pick<Answer, "status" | "code">>,
  ): Promise<readonly object[]> {
    const found: object[] = [];
    for (const [what, value] of cases) {
      const outcome = await this.outcome(() => attempt(value));
      if (JSON.stringify(outcome) !== JSON.stringify(expected)) found.push({ what, ...outcome });
    }
    return found;
  }
}
