/** Sends cases to both sides, and holds what they disagree in against the table of differences. */

import { type Disagreement, compare } from "./comparison.ts";
import { DIFFERENCES } from "./differences.ts";
import { type Case, type Side, exchange } from "./exchange.ts";
import type { Difference } from "./matchers.ts";

/** The two sides of a comparison, and what came of it so far. */
export class Differential {
  readonly #gantry: Side;
  readonly #official: Side;
  readonly #listed: ReadonlyMap<Difference, { cases: number; alone: number }>;

  cases = 0;
  /** Cases that both sides answered with the same status, kind and code. */
  same = 0;
  /** Those of them that were alike in every member, too. */
  alike = 0;
  readonly unlisted: Disagreement[] = [];

  constructor(gantry: Side, official: Side, differences: readonly Difference[] = DIFFERENCES) {
    this.#gantry = gantry;
    this.#official = official;
    this.#listed = new Map(differences.map((each) => [each, { cases: 0, alone: 0 }]));
  }

  async send(cases: Iterable<Case>): Promise<void> {
    for (const each of cases) await this.sendPair(each, each);
  }

  /** Sends one case as it is for Gantry, and as it is for the SDK. */
  async sendPair(ours: Case, theirs: Case): Promise<void> {
    const found = compare(ours, await exchange(this.#gantry, ours), await exchange(this.#official, theirs));
    this.cases++;
    if (found.length === 0) this.alike++;
    if (found.every(({ where }) => where !== "answer")) this.same++;
    const seen = new Set<Difference>();
    for (const disagreement of found) {
      const fitting = [...this.#listed.keys()].filter(({ fits }) => fits(disagreement));
      const [only] = fitting;
      if (only === undefined) this.unlisted.push(disagreement);
      else if (fitting.length === 1) this.#count(only).alone++;
      for (const each of fitting) seen.add(each);
    }
    for (const each of seen) this.#count(each).cases++;
  }

  #count(difference: Difference): { cases: number; alone: number } {
    return this.#listed.get(difference) as { cases: number; alone: number };
  }

  /** How many cases each listed difference was seen in. */
  get listed(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#listed].map(([{ name }, { cases }]) => [name, cases]));
  }

  /** The differences that are listed and explain nothing, or nothing that another does not explain. */
  get needless(): readonly string[] {
    return [...this.#listed].flatMap(([{ name }, { alone }]) => (alone === 0 ? [name] : []));
  }
}

/** A disagreement in words, with what brings it about again. */
export function described({ of, where, gantry, official }: Disagreement): string {
  const body = typeof of.body === "string" ? of.body : Buffer.from(of.body).toString("latin1");
  return [
    of.what,
    `  ${where}: Gantry ${JSON.stringify(gantry)}, official ${JSON.stringify(official)}`,
    `  ${of.verb ?? "POST"} ${JSON.stringify(of.headers)}`,
    `  ${body}`,
  ]
    .map((line) => line.slice(0, 1_000))
    .join("\n");
}
