/** Serving one client over standard input and output. */

import { Writable } from "node:stream";
import type { RunningServer, Runtime } from "../runtime.ts";
import type { RunStdioOptions } from "../server.ts";
import { onSignal } from "./signals.ts";

/** Starts the server on stdio. Ends when the client closes the input, or by signal. */
export async function serveStdio(
  runtime: Runtime,
  { signals = true }: RunStdioOptions,
): Promise<RunningServer> {
  const output = claimStdout();
  await runtime.lifecycle.start();
  const { connectStdio } = await import("../sdk/stdio.ts");

  let closing: Promise<void> | undefined;
  const connection = connectStdio(runtime, await runtime.sealed(), process.stdin, output);
  const ignoreSignals = signals ? onSignal(() => close(), runtime.logger) : () => {};
  const close = () => {
    closing ??= (async () => {
      runtime.lifecycle.drain();
      await connection.close();
      await runtime.lifecycle.stop(runtime.logger);
      ignoreSignals();
    })();
    return closing;
  };
  // The end of the input is the client's way to say goodbye (2026-07-28, "stdio › Shutdown").
  process.stdin.once("end", () => void close());
  return { close };
}

/** Keeps stdout for the protocol: what handlers and libraries print goes to stderr. */
function claimStdout(): Writable {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  return new Writable({
    decodeStrings: false,
    write: (chunk: string | Uint8Array, encoding, done) => {
      write(chunk, encoding === ("buffer" as BufferEncoding) ? "utf8" : encoding, done);
    },
  });
}
