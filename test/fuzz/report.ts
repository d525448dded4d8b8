/** What came of a run of fuzzing. */

import type { Case } from "./case.ts";
import type { Answer } from "./verdict.ts";

/** After so many faults a run is given up. */
const ENOUGH = 10;

/** In bytes. */
export interface MemoryUse {
  readonly rss: number;
  readonly heap: number;
}

export class Report {
  readonly tier: "in-process" | "sockets";
  readonly seed: number;
  cases = 0;
  /** Cases that were in order, and got their result. */
  sound = 0;
  /** Cases that were answered with an event stream. */
  streams = 0;
  /** How many handlers ran. */
  handled = 0;
  /** Memory after each part of the run, when everything that is garbage has been collected. */
  readonly memory: MemoryUse[] = [];
  /** How often each status was answered. */
  readonly statuses: Record<string, number> = {};
  readonly faults: string[] = [];

  constructor(tier: Report["tier"], seed: number) {
    this.tier = tier;
    this.seed = seed;
  }

  get isHopeless(): boolean {
    return this.faults.length >= ENOUGH;
  }

  /** Counts an answer; `sound` where its case had to get a result. */
  count({ status, header }: Answer, sound = false): void {
    if (sound && status === 200) this.sound++;
    if (header("content-type") === "text/event-stream") this.streams++;
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
  }

  /** @param client - Whose case it was, by number; of some faults that cannot be told. */
  fault(what: string, about: string, client?: number, answer?: Answer): void {
    const came = answer ? `\n=> ${answer.status} ${answer.text.slice(0, 1_500)}` : "";
    this.faults.push(`${what}\n${about}${came}\n${this.again(client)}`);
  }

  /** How to have it again: one client alone, or everything. */
  again(client?: number): string {
    const what = client === undefined ? "" : ` ${client}`;
    return `Again: node test/long/fuzz.mjs ${this.tier} ${this.seed}${what}`;
  }
}

/** A case, for who looks into a fault. */
export function shown({ method, path, fields, body }: Case): string {
  const head = fields.slice(0, 20).map(([name, value]) => `${name}: ${value.slice(0, 200)}\n`);
  return `${method} ${path}\n${head.join("")}\n${body.toString().slice(0, 1_500)}`;
}
