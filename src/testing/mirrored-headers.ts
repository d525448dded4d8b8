/** The headers in which a client mirrors what its request says (2026-07-28, "Request Metadata"). */

import { type ParamHeader, paramHeaders } from "../core/components/param-headers.ts";
import type { JsonSchema } from "../core/ports.ts";

type Named = Readonly<Record<string, unknown>>;

const SENTINEL = "=?base64?";

/** The headers of a modern request, but for those of a tool's parameters. */
export function requestHeaders(version: string, method: string, params: Named): Record<string, string> {
  const name = params[method === "resources/read" ? "uri" : "name"];
  return {
    "mcp-protocol-version": version,
    "mcp-method": method,
    ...(typeof name === "string" && { "mcp-name": encoded(name) }),
  };
}

/** Which parameters of a tool are mirrored, read from its entry in the list. */
export function mirroredBy(tool: Named | undefined): readonly ParamHeader[] {
  return tool ? paramHeaders(tool["inputSchema"] as JsonSchema, String(tool["name"])) : [];
}

/** The headers that mirror a tool's arguments. */
export function argumentHeaders(mirrored: readonly ParamHeader[], args: unknown): Record<string, string> {
  return Object.fromEntries(
    mirrored.flatMap(({ header, path }) => {
      const value = path.reduce<unknown>((inner, key) => (inner as Named | undefined | null)?.[key], args);
      return value === undefined || value === null
        ? []
        : [[header, encoded(typeof value === "string" ? value : JSON.stringify(value))]];
    }),
  );
}

/** A value as a header carries it ("Value Encoding"). */
function encoded(value: string): string {
  if (/^(?:[\u0021-\u007e](?:[\u0020-\u007e]*[\u0021-\u007e])?)?$/.test(value) && !value.startsWith(SENTINEL))
    return value;
  return `${SENTINEL}${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}?=`;
}
