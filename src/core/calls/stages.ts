/** The parts that a call is made of, for whoever follows calls part by part: traces do. */

import type { RequestContext } from "./context.ts";

/** A part of a call that may take its time. */
export type Stage = "guards" | "validation" | "cache" | "idempotency" | "dependencies" | "handler";

/** Follows calls through their parts. Absent where nobody does. */
export interface Stages {
  /** Does a part of a call. Gives what `work` gives, or throws what it throws. */
  within(stage: Stage, ctx: RequestContext, work: () => unknown): unknown;
  /** Does what outlives the call that is the first to need it, such as a connection that all calls share. */
  apart<T>(work: () => T): T;
  /** `work` for after the answer, as part of the call in which this is called. */
  later(name: string, work: () => unknown): () => unknown;
}
