/** What a test client is given, once and for each call. */

import type { LogLevel } from "../core/dialogue/voice.ts";
import type { TestAnswers } from "./answers.ts";

/** The protocol revisions a test can speak. */
export type TestEra = "2026-07-28" | "2025-11-25" | "2025-06-18" | "2025-03-26";

export interface TestClientOptions extends TestAnswers {
  /** Default: `2026-07-28`. In the others this client cannot be asked anything: the server keeps no session for it. */
  readonly era?: TestEra;
  /** The bearer token sent with every request: who calls. */
  readonly token?: string;
  /** Headers sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The path of the MCP endpoint. Default: `/mcp`. */
  readonly path?: string;
  readonly clientInfo?: { readonly name: string; readonly version: string };
  /** Default: what there are answers for. */
  readonly clientCapabilities?: Readonly<Record<string, unknown>>;
}

/** What a test wants of one call besides its result. */
export interface TestCallOptions {
  /** Called with each report of progress. */
  readonly onProgress?: (progress: TestProgress) => void;
  /** Called with each log message. */
  readonly onLog?: (message: TestLogMessage) => void;
  /** The least severe messages that {@link TestCallOptions.onLog} gets, on 2026-07-28. Default: `debug`, which is all. */
  readonly logLevel?: LogLevel;
  /** Cancels the call, as a client does that goes away. */
  readonly signal?: AbortSignal;
}

/** How far a call is. */
export interface TestProgress {
  readonly progress: number;
  readonly total?: number;
  readonly message?: string;
}

/** What a call says to its client. */
export interface TestLogMessage {
  readonly level: LogLevel;
  readonly logger?: string;
  readonly data: unknown;
}
