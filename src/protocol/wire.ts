/** How requests travel, for those who watch calls: by transport and era. */

import type { Wire } from "../core/calls/call.ts";
import { challengeOf } from "../core/calls/client.ts";
import { type Era, isToolFailure, rpcCode } from "./outcome.ts";

/** Requests that stand alone: refusals that ask for credentials are errors, whatever was asked. */
const alone = (era: Era): Wire => ({
  transport: "http",
  codeOf: (kind, error) =>
    isToolFailure({ kind }, error, era) && !challengeOf(error) ? undefined : rpcCode(error, era),
});

/** Requests of a connection that stays. */
const connected = (transport: Wire["transport"], era: Era): Wire => ({
  transport,
  codeOf: (kind, error) => (isToolFailure({ kind }, error, era) ? undefined : rpcCode(error, era)),
});

export const HTTP_WIRES: Readonly<Record<Era, Wire>> = { modern: alone("modern"), legacy: alone("legacy") };

export const SESSION_WIRES: Readonly<Record<Era, Wire>> = {
  modern: connected("http", "modern"),
  legacy: connected("http", "legacy"),
};

export const STDIO_WIRES: Readonly<Record<Era, Wire>> = {
  modern: connected("stdio", "modern"),
  legacy: connected("stdio", "legacy"),
};
