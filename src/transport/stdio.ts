/** Serving one client over standard input and output. */

import { Writable } from "node:stream";
import type { RunningServer, Runtime } from "../core/runtime.ts";
import type { RunStdioOptions } from "../core/server-options.ts";
import { ended, shutdownLimits, within } from "./ending/shutdown.ts";
import { leave, onSignal } from "./ending/signals.ts";
import { onUncaught } from "./ending/uncaught.ts";

/** How long calls may go on after a signal, in milliseconds: clients that send one kill soon after. */
const AFTER_SIGNAL = 1_000;

/** Starts the server on stdio. Ends when the client closes the input, or by signal. */
export async function serveStdio(
  runtime: Runtime,
  { signals = true, uncaught, shutdown, token }: RunStdioOptions,
): Promise<RunningServer> {
  const { limit } = shutdownLimits(shutdown);
  const output = claimStdout();
  const { connectStdio } = await import("../sdk/stdio.ts");
  let connection: ReturnType<typeof connectStdio> | undefined;

  const shutDown = async () => {
    const deadline = performance.now() + limit;
    runtime.lifecycle.drain();
    if (connection) {
      await within(limit, connection.idle());
      await connection.close();
    }
    await ended(runtime, deadline);
    ignoreSignals();
    ignoreUncaught();
  };
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= shutDown());
  const ignoreSignals = signals
    ? onSignal(() => {
        setTimeout(() => void connection?.close(), AFTER_SIGNAL);
        return close();
      }, runtime.logger)
    : () => {};
  let ignoreUncaught = () => {};

  try {
    await runtime.lifecycle.start();
    // A signal that comes while the server starts ends the process as soon as its hooks have run.
    if (closing) await closing;
    warnOfRoutes(runtime);
    connection = connectStdio(runtime, await runtime.sealed(), token, process.stdin, output);
    if (signals) ignoreUncaught = onUncaught(runtime.logger, uncaught === "end" ? close : undefined);
  } catch (error) {
    ignoreSignals();
    // What the start-up hooks opened is closed again.
    await runtime.lifecycle.stop(runtime.logger);
    throw error;
  }
  // The end of the input is the client's way to say goodbye (2026-07-28, "stdio › Shutdown"), and whatever else
  // keeps the process awake must not make it outlive its client.
  void connection.ended.then(() => (signals ? leave(close(), runtime.logger) : close()));
  return { close };
}

/** A server that is developed on stdio keeps what it is deployed with; that nobody reaches what it asks for is not to go unseen. */
function warnOfRoutes({ routes, logger }: Runtime): void {
  for (const { path, missedOnStdio } of routes) if (missedOnStdio) logger.warn({ path }, missedOnStdio);
}

/** Keeps stdout for the protocol: what handlers and libraries print goes to stderr. */
function claimStdout(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  // A client that is gone ends the server in good order: what cannot be written is told to whoever wrote it.
  process.stdout.on("error", () => {});
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, encoding, done) => {
      write(chunk, encoding === ("buffer" as BufferEncoding) ? "utf8" : encoding, done);
    },
  });
}
