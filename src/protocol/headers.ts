/** The headers that mirror a modern request's body (2026-07-28, "Request Metadata"). */

import type { Exchange } from "./exchange.ts";
import type { ParamHeader } from "../core/components/param-headers.ts";
import { isObject } from "../core/values/json.ts";
import { RPC, type RpcError, type RpcRequest } from "./jsonrpc.ts";

type Header = (name: string) => string | undefined;

/** Where the value of `Mcp-Name` stands in the params of a method. */
const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ["tools/call", "name"],
  ["prompts/get", "name"],
  ["resources/read", "uri"],
]);

/** Headers that contradict the body: told before anything else about the request. */
export function contradiction(
  { method }: Pick<RpcRequest, "method">,
  version: string,
  header: Header,
): RpcError | undefined {
  const headerVersion = header("mcp-protocol-version");
  if (headerVersion !== undefined && headerVersion !== version) {
    return mismatch(
      `MCP-Protocol-Version is '${shown(headerVersion)}' and the body says '${shown(version)}'`,
    );
  }
  const headerMethod = header("mcp-method");
  if (headerMethod !== undefined && headerMethod !== method) {
    return mismatch(`Mcp-Method is '${shown(headerMethod)}' and the body says '${shown(method)}'`);
  }
  return undefined;
}

/** Headers that are missing, and a name that is not the body's. */
export function missing({ method, params }: RpcRequest, header: Exchange["header"]): RpcError | undefined {
  if (header("mcp-protocol-version") === undefined) return mismatch("MCP-Protocol-Version is missing");
  if (header("mcp-method") === undefined) return mismatch("Mcp-Method is missing");
  const source = NAME_SOURCE.get(method);
  if (source === undefined) return undefined;
  const name = params?.[source];
  const raw = header("mcp-name");
  if (raw === undefined) return typeof name === "string" ? mismatch("Mcp-Name is missing") : undefined;
  if (!PLAIN.test(raw)) return mismatch("Mcp-Name has characters that must be written in Base64");
  if (raw === name && !raw.startsWith(SENTINEL)) return undefined;
  const decoded = decodeHeader(raw);
  if (decoded === undefined) return mismatch("Mcp-Name is not valid Base64 of UTF-8 text");
  // What is wrong with a name that is no text is told of the params.
  return decoded === name || typeof name !== "string"
    ? undefined
    : mismatch(`Mcp-Name is '${shown(decoded)}' and the body says '${shown(name)}'`);
}

/** `Mcp-Param-*` headers that are not what the arguments say (2026-07-28, "Server Behavior for Custom Headers"). */
export function paramMismatch(
  declared: readonly ParamHeader[],
  args: Readonly<Record<string, unknown>>,
  header: Header,
): RpcError | undefined {
  for (const { header: name, path, type } of declared) {
    const value = path.reduce<unknown>(
      (inner, key) => (isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined),
      args,
    );
    const raw = header(name);
    // What no header can say is refused by the schema (2026-07-28, "Value Encoding").
    if (value === undefined || typeof value === "object") {
      if (raw !== undefined)
        return mismatch(`${name} is set and the arguments have no such ${path.join(".")}`);
      continue;
    }
    if (raw === undefined) return mismatch(`${name} is missing`);
    if (!PLAIN.test(raw)) return mismatch(`${name} has characters that must be written in Base64`);
    const decoded = decodeHeader(raw);
    if (decoded === undefined) return mismatch(`${name} is not valid Base64 of UTF-8 text`);
    // Whether a value is of the declared type is for the schema to say.
    const equal =
      type === "integer" && typeof value === "number"
        ? /^-?\d+(?:\.0+)?$/.test(decoded) && Number(decoded) === value
        : decoded === (typeof value === "string" ? value : JSON.stringify(value));
    if (!equal) return mismatch(`${name} is not what the arguments say`);
  }
  return undefined;
}

const SENTINEL = "=?base64?";

/** What a header may carry as it is (2026-07-28, "Value Encoding"). */
const PLAIN = /^[\t\u0020-\u007e]*$/;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A header's value, decoded where it is written as `=?base64?…?=`. `undefined` where that is malformed. */
export function decodeHeader(raw: string): string | undefined {
  if (!raw.startsWith(SENTINEL) || !raw.endsWith("?=")) return raw;
  const encoded = raw.slice(SENTINEL.length, -2);
  if (encoded.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(encoded)) return undefined;
  try {
    return utf8.decode(Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}

function mismatch(problem: string): RpcError {
  return { code: RPC.headerMismatch, message: `Header mismatch: ${problem}.` };
}

function shown(value: string): string {
  return value.length > 128 ? `${value.slice(0, 128)}…` : value;
}
