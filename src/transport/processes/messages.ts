/** What the workers of a server and the process that watches over them tell each other. */

import type { ServerEvent } from "../../core/ports.ts";

/** What a worker says. */
export type FromWorker =
  | {
      readonly gantry: "ask";
      readonly id: number;
      readonly what: Question;
      readonly args: readonly unknown[];
    }
  /** It no longer waits for an answer. */
  | { readonly gantry: "withdraw"; readonly id: number }
  | { readonly gantry: "publish"; readonly event: ServerEvent }
  /** Its metrics, which were asked for. */
  | { readonly gantry: "page"; readonly id: number; readonly page: string }
  | { readonly gantry: "listening"; readonly url: string; readonly port: number }
  /** Its own program closes it: it is not to be started again. */
  | { readonly gantry: "leaving" };

/** What a worker is told. */
export type ToWorker =
  | { readonly gantry: "answer"; readonly id: number; readonly value?: unknown; readonly failed?: string }
  | { readonly gantry: "event"; readonly event: ServerEvent }
  /** To tell its metrics. */
  | { readonly gantry: "page"; readonly id: number }
  /** To end, after so many milliseconds in which it still accepts connections. */
  | { readonly gantry: "end"; readonly notice: number };

/** What a worker asks of the stores that it shares with the others, and of what it has been lent from them. */
export type Question =
  | "stateKey"
  | "pages"
  | "limits.charge"
  | "cache.read"
  | "cache.write"
  | "cache.invalidate"
  | "cache.claim"
  | "cache.ended"
  | "idempotency.claim"
  | "idempotency.replace"
  | "idempotency.release"
  | "places.take"
  | "circuits.enter"
  | "circuits.settle"
  | "circuits.state"
  | "circuits.reset"
  | "giveBack";

/** By this variable of its environment a process knows that it is a worker, and where to listen. */
export const WORKER = "GANTRY_WORKER";
