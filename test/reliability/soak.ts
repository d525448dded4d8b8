/** A server under moderate load of every kind for long: what it keeps of it, and what is left when all are gone. */

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "./random.ts";
import { ServerProcess } from "./server-process.ts";
import { type Slope, fitted } from "./slope.ts";
import { DOINGS, SoakClients } from "./soak-load.ts";
import type { Answers } from "./soak-server.ts";

export interface SoakPlan {
  readonly minutes: number;
  /** How often something is done each second. */
  readonly rate: number;
  /** Whether callers come who were never there: then more must come first than tokens are kept verified. Default: `false`. */
  readonly newcomers?: boolean;
  /** Keeps the context of every call in the server, so that it can be seen that this is noticed. Default: `false`. */
  readonly leak?: boolean;
}

export interface SoakReport {
  readonly minutes: number;
  /** How often something was done, by what it was. */
  readonly done: Readonly<Record<string, number>>;
  /** Answers that were not what they had to be. */
  readonly wrong: readonly string[];
  /** How often something was not done in its turn, because too much was under way. */
  readonly late: number;
  readonly heap: HeapReport;
  readonly faults: { readonly rejections: number; readonly exceptions: number; readonly warnings: number };
  readonly complaints: readonly string[];
  /** What there is in the server when nobody calls: before the load, and after it. */
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  /** The 99th percentile of the plainest call in the first and last tenth of the measured time, in milliseconds. */
  readonly p99: { readonly first: number; readonly last: number };
}

/** The heap after collection, once all that has bounds is full. */
export interface HeapReport {
  /** What it was, in MiB. */
  readonly samples: readonly number[];
  /** How much it grows in ten minutes, by least squares, and the standard error of that. */
  readonly slopeMiB: number;
  readonly errorMiB: number;
  /** The same of all memory that the system gave the process, and of buffers, for who reads the report. */
  readonly rssSlopeMiB: number;
  readonly buffersSlopeMiB: number;
}

const MIB = 1_048_576;
const TEN_MINUTES = 600;
/** So many come first, that all the room is taken that there is for callers: with newcomers that for verified tokens too. */
const FILLING = { regulars: 400, newcomers: 10_500 };
const AT_ONCE = 24;
/** So long a client waits for whatever it does, in milliseconds. */
const PATIENCE = 90_000;

interface Sample {
  readonly at: number;
  readonly heap: number;
  readonly rss: number;
  readonly buffers: number;
}

export async function soak({
  minutes,
  rate,
  newcomers = false,
  leak = false,
}: SoakPlan): Promise<SoakReport> {
  const folder = await mkdtemp(join(tmpdir(), "gantry-soak-"));
  const auditFile = join(folder, "audit.jsonl");
  const options = { secret: secret(), metricsToken: secret(), auditFile, leak };
  const program = new URL("./soak-server.ts", import.meta.url);
  const server = await ServerProcess.start<Answers>(options, program);
  const random = new Random(1);
  const clients = () => new SoakClients(server.port, options, random, newcomers);
  try {
    const first = clients();
    const load = new Load(first);
    await load.each();
    const before = await settled(server, first);

    const second = clients();
    load.clients = second;
    await load.fill(FILLING[newcomers ? "newcomers" : "regulars"]);
    const seconds = minutes * 60;
    const end = performance.now() + seconds * 1_000;
    await load.run(rate, Math.min(180, seconds / 4));
    // The first collection finds what later ones do not.
    await sample(server);
    load.timings.length = 0;
    const samples: Sample[] = [];
    const pause = seconds / 120;
    while (performance.now() < end) {
      await load.run(rate, pause);
      samples.push(await sample(server));
    }
    const after = await settled(server, second, before);
    const { complaints, ...faults } = await server.ask("faults");
    return {
      minutes,
      done: load.done,
      wrong: load.wrong,
      late: load.late,
      heap: heapOf(samples),
      faults,
      complaints,
      before,
      after,
      p99: tenths(load.timings),
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

/** Does what clients do, in random order. */
class Load {
  clients: SoakClients;
  readonly done: Record<string, number> = {};
  readonly wrong: string[] = [];
  /** How long the plainest calls took. */
  readonly timings: number[] = [];
  late = 0;
  readonly #under = new Set<Promise<void>>();
  readonly #names: readonly string[];

  constructor(clients: SoakClients) {
    this.clients = clients;
    this.#names = Object.entries(DOINGS).flatMap(([name, [share]]) => Array<string>(share).fill(name));
  }

  /** Does everything a few times, one after the other. */
  async each(): Promise<void> {
    for (let round = 0; round < 3; round++) for (const name of Object.keys(DOINGS)) await this.#do(name);
  }

  /** Takes all the room that the server has: comes as so many callers, and asks for more than is kept. */
  async fill(callers: number): Promise<void> {
    let left = callers;
    const one = async () => {
      for (let n = --left; n >= 0; n = --left) {
        const caller = { authorization: `Bearer ${this.clients.newcomer()}` };
        await this.clients.call("whoami", {}, {}, caller);
        if (n >= FILLING.regulars || n % 4 > 0) continue;
        for (const name of ["limited", "lookup", "pay"]) await this.#do(name);
      }
    };
    await Promise.all(Array.from({ length: 8 }, one));
  }

  /** Begins so many things each second, and waits for them at the end. */
  async run(rate: number, seconds: number): Promise<void> {
    const begun = performance.now();
    for (let turn = 0; ; turn++) {
      const wait = begun + (turn / rate) * 1_000 - performance.now();
      if (turn / rate >= seconds) break;
      if (wait > 5) await sleep(wait);
      if (this.#under.size >= AT_ONCE) {
        this.late++;
        continue;
      }
      const doing = this.#do(this.clients.random.pick(this.#names));
      this.#under.add(doing);
      void doing.then(() => this.#under.delete(doing));
    }
    await Promise.all(this.#under);
  }

  async #do(name: string): Promise<void> {
    const [, doing] = DOINGS[name] as (typeof DOINGS)[string];
    this.done[name] = (this.done[name] ?? 0) + 1;
    const begun = performance.now();
    const patience = new AbortController();
    const { signal } = patience;
    let complaint: string | undefined;
    try {
      complaint = await Promise.race([
        doing(this.clients),
        sleep(PATIENCE, `nothing came in ${PATIENCE} ms`, { signal }),
      ]);
    } catch (error) {
      complaint = error instanceof Error ? String(error.stack) : String(error);
    } finally {
      patience.abort();
    }
    if (name === "add") this.timings.push(performance.now() - begun);
    if (complaint !== undefined && this.wrong.length < 20) this.wrong.push(`${name}: ${complaint}`);
  }
}

/** Memory, when nothing is under way. */
async function sample(server: ServerProcess<Answers>): Promise<Sample> {
  const { heap, rss, external } = await server.ask("memory");
  // Its log would be kept whole.
  server.stderr = "";
  return { at: performance.now() / 1_000, heap, rss, buffers: external };
}

/** What is left when all are gone and sessions had their time; waits for `before`, within reason. */
async function settled(
  server: ServerProcess<Answers>,
  clients: SoakClients,
  before?: Readonly<Record<string, number>>,
): Promise<Record<string, number>> {
  clients.close();
  const deadline = performance.now() + (before ? 40_000 : 14_000);
  for (;;) {
    await sleep(2_000);
    const { descriptors } = server;
    const left: Record<string, number> = { descriptors, ...(await server.ask("left")) };
    const isBack = before && Object.entries(left).every(([what, count]) => count <= (before[what] ?? 0));
    if (isBack || performance.now() > deadline) return left;
  }
}

function heapOf(samples: readonly Sample[]): HeapReport {
  const grows = (what: Exclude<keyof Sample, "at">): Slope => {
    const { slope, error } = fitted(samples.map((each) => [each.at, each[what]]));
    return { slope: mebibytes(slope * TEN_MINUTES), error: mebibytes(error * TEN_MINUTES) };
  };
  const { slope: slopeMiB, error: errorMiB } = grows("heap");
  return {
    samples: samples.map(({ heap }) => mebibytes(heap)),
    slopeMiB,
    errorMiB,
    rssSlopeMiB: grows("rss").slope,
    buffersSlopeMiB: grows("buffers").slope,
  };
}

function mebibytes(bytes: number): number {
  return Math.round((bytes / MIB) * 100) / 100;
}

function tenths(timings: readonly number[]): SoakReport["p99"] {
  const tenth = Math.ceil(timings.length / 10);
  const p99 = (some: readonly number[]) =>
    Math.round((some.toSorted((a, b) => a - b)[Math.floor(some.length * 0.99)] ?? -1) * 10) / 10;
  return { first: p99(timings.slice(0, tenth)), last: p99(timings.slice(-tenth)) };
}

function secret(): string {
  return randomBytes(32).toString("base64url");
}

/**
 * What is not as it must be.
 *
 * @param heapMiB - How much the heap may grow in ten minutes.
 * @param errors - By how many standard errors it may seem to grow more.
 */
export function problemsOf(report: SoakReport, heapMiB: number, errors = 0): readonly string[] {
  const { wrong, heap, faults, complaints, before, after } = report;
  const grown = heap.slopeMiB - errors * heap.errorMiB;
  return [
    ...wrong,
    ...complaints,
    ...Object.entries(faults).flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : [])),
    ...(grown > heapMiB ? [`the heap grows by ${heap.slopeMiB} MiB in ten minutes`] : []),
    ...Object.entries(after).flatMap(([what, count]) =>
      count > (before[what] ?? 0) ? [`${what}: ${before[what] ?? 0} before, ${count} after`] : [],
    ),
  ];
}
