/** Where the recorder of `schema-recorder.ts` listens. What passes through is not changed. */

import type { ChildProcess } from "node:child_process";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createRequire, syncBuiltinESMExports } from "node:module";
import { HttpExchange, LineDialogue } from "./schema-recorder.ts";

type AnyFunction = (...args: never[]) => unknown;
type NodeListener = (request: IncomingMessage, response: ServerResponse) => void;
type FetchListener = (request: Request, bindings?: unknown) => Promise<Response>;

/** Calls `before` with the arguments of each call of a method of one object. */
function tap<T extends object>(
  object: T,
  method: keyof T & string,
  before: (...args: unknown[]) => void,
): void {
  const original = object[method] as AnyFunction;
  Object.defineProperty(object, method, {
    configurable: true,
    writable: true,
    value: (...args: unknown[]) => {
      before(...args);
      return Reflect.apply(original, object, args) as unknown;
    },
  });
}

/** Listens to what Gantry's `node` face answers at `path`. */
export function tapNode(listener: NodeListener, path: string): NodeListener {
  return (request, response) => {
    const { originalUrl = request.url } = request as { originalUrl?: string | undefined };
    if (originalUrl?.split("?", 1)[0] === path) listenTo(request, response);
    listener(request, response);
  };
}

function listenTo(request: IncomingMessage & { readonly body?: unknown }, response: ServerResponse): void {
  const exchange = new HttpExchange("HTTP", (name) => request.headers[name] as string | undefined);
  const body: Uint8Array[] = [];
  tap(request, "emit", (event, chunk) => {
    if (event === "data") body.push(chunk as Uint8Array);
  });
  tap(response, "writeHead", (_status, ...more) => {
    const fields = headFields(more.at(-1));
    exchange.began(body.length === 0 ? request.body : Buffer.concat(body), (name) => fields.get(name));
  });
  tap(response, "write", (piece) => exchange.wrote(piece));
  tap(response, "end", (piece) => {
    exchange.wrote(piece);
    exchange.ended();
  });
}

/** The header fields that `writeHead` is given: names and values in turn, or an object. */
function headFields(fields: unknown): ReadonlyMap<string, string> {
  if (typeof fields !== "object" || fields === null) return new Map();
  const flat: readonly unknown[] = Array.isArray(fields) ? fields : Object.entries(fields).flat();
  return new Map(
    flat.flatMap((name, i) =>
      i % 2 === 0 ? [[String(name).toLowerCase(), String(flat[i + 1])] as const] : [],
    ),
  );
}

/** Listens to what Gantry's `fetch` face answers at `path`. */
export function tapFetch(listener: FetchListener, path: string): FetchListener {
  return async (request, bindings) => {
    if (new URL(request.url).pathname !== path) return listener(request, bindings);
    const exchange = new HttpExchange("fetch", (name) => request.headers.get(name));
    const posted: Uint8Array[] = [];
    const show = (body: ReadableStream<Uint8Array> | null) =>
      Object.defineProperty(request, "body", { configurable: true, value: body });
    // Only who reads a body makes frameworks get it ready.
    Object.defineProperty(request, "body", {
      configurable: true,
      get: () => {
        Reflect.deleteProperty(request, "body");
        const { body, bodyUsed } = request;
        show(body && !bodyUsed ? passing(body, (chunk) => posted.push(chunk)) : body);
        return request.body;
      },
    });
    const response = await listener(request, bindings);
    // The endpoint alone gives an id: a target that becomes its path only once it is resolved is not its.
    if (!response.headers.has("x-request-id")) return response;
    return await heard(response, Buffer.concat(posted), exchange);
  };
}

/** The same response, of which the exchange is told. */
async function heard(response: Response, posted: unknown, exchange: HttpExchange): Promise<Response> {
  const { body, headers } = response;
  exchange.began(posted, (name) => headers.get(name));
  if (!body) return response;
  if (!headers.get("content-type")?.startsWith("text/event-stream")) {
    exchange.wrote(await response.clone().text());
    exchange.ended();
    return response;
  }
  const { url } = response;
  const same = new Response(
    passing(body, (chunk) => exchange.wrote(chunk)),
    response,
  );
  return Object.defineProperty(same, "url", { value: url });
}

/** The same stream: nothing is read from it before somebody wants to read it. */
function passing(
  stream: ReadableStream<Uint8Array>,
  see: (chunk: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        reader ??= stream.getReader();
        const { value, done } = await reader.read();
        if (done) return controller.close();
        see(value);
        controller.enqueue(value);
      },
      cancel: (reason) => (reader ?? stream).cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

const BANNER = / serves MCP at (http:[^\s"]+)/;
const childEndpoints = new Set<string>();

/** Listens to child processes, and to what `fetch` gets from those that serve over HTTP. */
export function tapChildren(): void {
  const childProcess = createRequire(import.meta.url)("node:child_process") as { spawn: AnyFunction };
  const { spawn } = childProcess;
  childProcess.spawn = (...args) => {
    const child = spawn(...args) as ChildProcess;
    const lines = new LineDialogue();
    if (child.stdin) {
      tap(child.stdin, "write", (piece) => lines.read(piece));
      tap(child.stdin, "end", (piece) => lines.read(piece));
    }
    if (child.stdout) tap(child.stdout, "emit", (event, piece) => event === "data" && lines.wrote(piece));
    if (child.stderr)
      tap(child.stderr, "emit", (event, piece) => {
        const url = event === "data" ? BANNER.exec(String(piece))?.[1] : undefined;
        if (url !== undefined) childEndpoints.add(url);
      });
    return child;
  };
  syncBuiltinESMExports();

  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const response = await fetch(input, init);
    const url = input instanceof Request ? input.url : input.toString();
    if (!childEndpoints.has(url)) return response;
    const sent = new Headers(init?.headers);
    const exchange = new HttpExchange("HTTP", (name) => sent.get(name));
    return heard(response, init?.body, exchange);
  };
}
