/** Requests as no client would send them: bodies, headers and whole sockets written by hand. */

import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { connect as connectSocket } from "node:net";

export const MODERN = "2026-07-28";

export const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** A modern message. */
export function modern(method: string, params: object = {}, id: unknown = 1): object {
  return { jsonrpc: "2.0", id, method, params: { _meta: META, ...params } };
}

/** The headers that belong to a modern message. */
export function modernHeaders(method: string, name?: string): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": MODERN,
    "mcp-method": method,
    ...(name !== undefined && { "mcp-name": name }),
  };
}

/** A modern request for `fetch`. */
export function envelope(
  method: string,
  params: object = {},
  headers: Record<string, string> = {},
): RequestInit {
  const { name, uri = name } = params as { name?: string; uri?: string };
  return {
    method: "POST",
    headers: { ...modernHeaders(method, uri), ...headers },
    body: JSON.stringify(modern(method, params)),
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body's JSON, where it is some. */
  readonly json: { readonly id?: unknown; readonly result?: unknown; readonly error?: RpcError } | undefined;
  /** The JSON-RPC error's code. */
  readonly code: number | undefined;
}

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: Record<string, unknown>;
}

export type RawHeaders = Readonly<Record<string, string | readonly string[]>>;

const AGENT = new Agent({ keepAlive: true, maxSockets: 4 });

export interface Sending {
  readonly method?: string;
  readonly headers?: RawHeaders;
  /** One body, or pieces sent one after the other without a length. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[];
  readonly path?: string;
  /** Default: one of all tests, with four connections. */
  readonly agent?: Agent;
}

/** Sends one request over a kept connection; header values in an array are sent as separate fields. */
export function send(
  url: string,
  { method = "POST", headers = {}, body = "", path, agent = AGENT }: Sending,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunked = Array.isArray(body);
    const length = chunked ? {} : { "content-length": String(Buffer.byteLength(body as string)) };
    const target = new URL(url);
    const outgoing = request(
      target,
      {
        agent,
        method,
        headers: { ...length, ...headers },
        ...(path !== undefined && { path }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () => {
          const text = Buffer.concat(chunks).toString();
          const json = asJson(text);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            json,
            code: json?.error?.code,
          });
        });
        response.once("error", reject);
      },
    );
    outgoing.once("error", reject);
    if (chunked) for (const piece of body) outgoing.write(piece);
    outgoing.end(chunked ? undefined : (body as string));
  });
}

function asJson(text: string): Answer["json"] {
  try {
    return JSON.parse(text) as Answer["json"];
  } catch {
    return undefined;
  }
}

export interface SocketOutcome {
  /** The status of the first response, or undefined where the connection was closed without one. */
  readonly status: number | undefined;
  readonly statuses: readonly number[];
  readonly text: string;
  readonly closed: boolean;
  readonly milliseconds: number;
}

export interface SocketOptions {
  /** How long to wait for the end of the connection, in milliseconds. */
  readonly patience?: number;
  /** How many responses are enough: then it is not waited for more. */
  readonly enough?: number;
}

/**
 * Writes bytes on a socket and waits until it is closed, enough has come, or patience is at its end. Several
 * pieces are written in turn: each after a response to the one before.
 */
export function onSocket(
  url: string,
  bytes: string | Uint8Array | readonly (string | Uint8Array)[],
  { patience = 3_000, enough = Infinity }: SocketOptions = {},
): Promise<SocketOutcome> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const begun = performance.now();
    const socket = connectSocket(Number(port), hostname);
    const pieces = typeof bytes === "string" || bytes instanceof Uint8Array ? [bytes] : [...bytes];
    let text = "";
    const write = () => {
      const piece = pieces.shift();
      if (piece !== undefined) socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    };
    const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
    const finish = (closed: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      const all = statuses();
      resolve({ status: all[0], statuses: all, text, closed, milliseconds: performance.now() - begun });
    };
    const timer = setTimeout(() => finish(false), patience);
    socket.on("data", (chunk: Buffer) => {
      const before = statuses().length;
      text += chunk.toString("latin1");
      const after = statuses().length;
      if (after >= enough) finish(false);
      else if (after > before) write();
    });
    socket.once("close", () => finish(true));
    socket.on("error", () => {});
    write();
  });
}

/** Latin-1 text and UTF-8 text, as bytes one after the other. */
export function joined(head: string, body: string): Buffer {
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]);
}

/** A value as an `Mcp-Name` header carries it. */
export function encodeHeader(value: string): string {
  return /^[\x21-\x7e]*$/.test(value) && !value.startsWith("=?base64?")
    ? value
    : `=?base64?${Buffer.from(value).toString("base64")}?=`;
}
