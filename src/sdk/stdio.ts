/** stdio through the official SDK. */

import { serveStdio } from "@modelcontextprotocol/server/stdio";
import type { Origin } from "../core/calls/client.ts";
import { StateCodec } from "../protocol/request-state.ts";
import { LEGACY } from "../protocol/versions.ts";
import { STDIO_WIRES } from "../protocol/wire.ts";
import type { Runtime } from "../core/runtime.ts";
import type { Sealed } from "../core/sealed/sealed.ts";
import { bridge } from "./bridge.ts";
import { StdioWire } from "./stdio-wire.ts";

/** Over stdio a revision more is served than over HTTP, which works otherwise there. */
const VERSIONS = [...LEGACY, "2024-11-05"];

/** One client on two streams. */
export interface StdioConnection {
  /** Resolves when the client has ended the input, or is gone. */
  readonly ended: Promise<void>;
  /** Resolves when every request that came is answered. */
  idle(): Promise<void>;
  /** Ends the connection: what is still under way is cancelled. */
  close(): Promise<void>;
}

export function connectStdio(
  runtime: Runtime,
  sealed: Sealed,
  token: string | undefined,
  ...streams: ConstructorParameters<typeof StdioWire>
): StdioConnection {
  const wire = new StdioWire(...streams);
  const codec = new StateCodec(runtime.stateKeys);
  const origin: Origin = { header: () => undefined, token };
  const options = { versions: VERSIONS, wires: STDIO_WIRES, originOf: () => origin };
  const connection = serveStdio(() => bridge(runtime, sealed, codec, options), {
    transport: wire,
    onerror: (error) => runtime.logger.warn({ err: error }, "stdio"),
  });
  return { ended: wire.ended, idle: () => wire.idle(), close: () => connection.close() };
}
