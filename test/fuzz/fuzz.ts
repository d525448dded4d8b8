/** Runs of fuzzing clients: each has its own seed and memory, and can be had again alone. */

import { Random } from "../reliability/random.ts";
import type { Case } from "./case.ts";
import { goodbye } from "./cases.ts";
import { Memory } from "./memory.ts";
import { type MemoryUse, Report } from "./report.ts";

/** A client sends so many cases, and so many clients are there at once. */
const CASES = 50;
const AT_ONCE = 16;

/** Memory is measured after so many equal parts of a run. After the first it has the size that it is to keep. */
const PARTS = 5;

export interface Fuzzing {
  readonly cases: number;
  readonly seed: number;
  /** Runs this client alone. */
  readonly client?: number | undefined;
}

export class Client {
  readonly number: number;
  readonly random: Random;
  readonly memory: Memory = new Memory();

  constructor(seed: number, number: number) {
    this.number = number;
    this.random = new Random(seed + Math.imul(number + 1, 2_654_435_761));
  }

  /** Every other client talks to a server with sessions. */
  get hasSessions(): boolean {
    return this.number % 2 === 1;
  }
}

/** How cases come to a server, and what it shows of itself. */
export interface Tier {
  /** Sends what a client makes next, and judges the answers. Gives how many cases it was. */
  readonly send: (client: Client) => Promise<number>;
  /** Sends one case as it is. */
  readonly sendWhole: (client: Client, one: Case) => Promise<unknown>;
  /** Reports what is left when all clients are gone, and tells the memory that is used. */
  readonly settle: () => Promise<MemoryUse>;
  readonly close: () => Promise<void>;
}

/** Opens a tier and runs clients against it. */
export async function fuzz(
  name: Report["tier"],
  open: (report: Report) => Tier | Promise<Tier>,
  { cases, seed, client }: Fuzzing,
): Promise<Report> {
  const report = new Report(name, seed);
  const tier = await open(report);
  let next = client ?? 0;
  const until = async (end: number) => {
    const work = async () => {
      while (next < end && !report.isHopeless) await live(new Client(seed, next++), tier);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return tier.settle();
  };
  const clients = client === undefined ? Math.ceil(cases / CASES) : 1;
  const first = next;
  try {
    for (let part = 1; part <= PARTS; part++)
      report.memory.push(await until(first + Math.ceil((clients * part) / PARTS)));
  } finally {
    await tier.close();
  }
  return report;
}

async function live(client: Client, tier: Tier): Promise<void> {
  for (let sent = 0; sent < CASES;) sent += await tier.send(client);
  for (const one of client.memory.sessions.map(goodbye)) await tier.sendWhole(client, one);
}
