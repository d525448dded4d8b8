/** The official clients as callers with an identity: one connection each, whose token may be changed where it travels. */

import { strict as assert } from "node:assert";
import { fileURLToPath } from "node:url";
import type { ListeningServer, MCPServer } from "gantry-mcp";
import { type CapturedLog, capturedLog } from "./captured-log.ts";
import { type CallResult, type Driver, Refused, WAYS, type Way, overProcess, overUrl } from "./clients.ts";
import { type IdentityOptions, identityServer } from "./identity-server.ts";
import { listen } from "./listening.ts";
import { type Claims, issue } from "./tokens.ts";

/** Which client, over what: `sessions` are those of 2025-era clients over HTTP. */
export interface CallerWay extends Way {
  readonly over: "http" | "sessions" | "stdio";
}

export const CALLER_WAYS: readonly CallerWay[] = WAYS.flatMap((way): CallerWay[] => {
  if (way.transport === "stdio") return [{ ...way, over: "stdio" }];
  return way.era === "modern"
    ? [{ ...way, over: "http" }]
    : [
        { ...way, over: "http" },
        { ...way, over: "sessions" },
      ];
});

/** The error object of a refusal, and the HTTP answer that it came with where that was no 200. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
  readonly suggestion?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly status: number | undefined;
  readonly challenge: string | undefined;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly challenge: string | undefined;
}

/** What a caller's requests carry, and how the last one was answered. */
interface Line {
  token: string | undefined;
  last: Answered | undefined;
}

export class Caller {
  readonly driver: Driver;
  readonly #line: Line;

  private constructor(driver: Driver, line: Line) {
    this.driver = driver;
    this.#line = line;
  }

  /** What its next requests carry; over HTTP alone. */
  set token(token: string | undefined) {
    this.#line.token = token;
  }

  static async connect(
    way: CallerWay,
    url: string | undefined,
    token: string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Caller> {
    const line: Line = { token, last: undefined };
    if (url === undefined) {
      const env = token === undefined ? {} : { MCP_TOKEN: token };
      return new Caller(await overProcess(way, [FIXTURE], env), line);
    }
    const asCaller = async (input: string | URL, init: RequestInit = {}) => {
      const sent = new Headers(init.headers);
      if (line.token !== undefined) sent.set("authorization", `Bearer ${line.token}`);
      for (const [name, value] of Object.entries(headers)) sent.set(name, value);
      const response = await fetch(input, { ...init, headers: sent });
      if (init.method === "POST" && response.status !== 202) {
        const challenge = response.headers.get("www-authenticate") ?? undefined;
        const text = response.ok ? "" : await response.clone().text();
        line.last = { status: response.status, text, challenge };
      }
      return response;
    };
    return new Caller(await overUrl(way, url, { fetch: asCaller }), line);
  }

  /** The JSON of a result's one block of text, or the text. */
  async call(name: string, args?: Record<string, unknown>): Promise<unknown> {
    const result = await this.driver.callTool(name, args);
    const text = textOf(result);
    assert.ok(!result.isError, text);
    return /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text;
  }

  /** The refusal that a tool call ends in. */
  refused(name: string, args?: Record<string, unknown>): Promise<Refusal> {
    return this.refusal(() => this.driver.callTool(name, args));
  }

  /** The refusal that an operation ends in, whatever form it takes. */
  async refusal(operation: () => Promise<unknown>): Promise<Refusal> {
    this.#line.last = undefined;
    let result: unknown;
    try {
      result = await operation();
    } catch (error) {
      return this.#refusalOf(error);
    }
    const text = textOf(result as CallResult);
    assert.equal((result as CallResult).isError, true, text);
    return asRefusal((JSON.parse(text) as { error: object }).error, undefined);
  }

  close(): Promise<void> {
    return this.driver.close();
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof Refused && error.data) return asRefusal(error.data, undefined);
    const answered = this.#line.last;
    if (!answered || answered.status < 400) throw error;
    const { error: rpc } = JSON.parse(answered.text) as { error: { data?: object; message: string } };
    return asRefusal({ message: rpc.message, ...rpc.data }, answered);
  }
}

const FIXTURE = fileURLToPath(new URL("../fixtures/identity-server.ts", import.meta.url));

function textOf(result: CallResult): string {
  assert.deepEqual(
    result.content.map(({ type }) => type),
    ["text"],
  );
  return result.content[0]?.text ?? "";
}

function asRefusal(body: object, answered: Answered | undefined): Refusal {
  const { requestId: _requestId, ...rest } = body as Refusal & { readonly requestId?: string };
  return { ...rest, status: answered?.status, challenge: answered?.challenge };
}

/** Callers of one server, each connected once; on stdio each has a process of its own. */
export class Callers {
  readonly way: CallerWay;
  readonly log: CapturedLog;
  readonly #running: ListeningServer | undefined;
  readonly #connected = new Map<string, Promise<Caller>>();

  static async start(
    way: CallerWay,
    options: IdentityOptions = {},
    make: (options: IdentityOptions) => MCPServer = identityServer,
  ): Promise<Callers> {
    const log = capturedLog();
    const http = { ...options.http, sessions: way.over === "sessions" };
    const running =
      way.over === "stdio" ? undefined : await listen(make({ logger: log.logger, ...options, http }));
    return new Callers(way, log, running);
  }

  private constructor(way: CallerWay, log: CapturedLog, running: ListeningServer | undefined) {
    this.way = way;
    this.log = log;
    this.#running = running;
  }

  get url(): string {
    return this.#running?.url ?? "";
  }

  /** The caller with these claims; without claims nobody known. */
  as(claims?: Claims): Promise<Caller> {
    const name = JSON.stringify(claims ?? null);
    let caller = this.#connected.get(name);
    if (!caller) {
      caller = this.connect(claims && issue(claims));
      this.#connected.set(name, caller);
    }
    return caller;
  }

  /** A connection of its own. */
  connect(token?: string, headers?: Readonly<Record<string, string>>): Promise<Caller> {
    return Caller.connect(this.way, this.#running?.url, token, headers);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#connected.values()].map(async (caller) => (await caller).close()));
    await this.#running?.close();
  }
}
