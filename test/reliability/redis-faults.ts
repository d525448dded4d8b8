/** What becomes of two servers under load while their Redis is in trouble, and once it is back. */

import { Fleet } from "../support/fleet.ts";
import { wire } from "../support/proxies.ts";
import { RedisServer } from "../support/redis.ts";

type Proxy = Awaited<ReturnType<typeof wire>>;

interface Fault {
  /** Whether Redis cannot be used meanwhile. */
  readonly stops: boolean;
  readonly begin: (redis: RedisServer, proxy: Proxy, seconds: number) => unknown;
  readonly end: (redis: RedisServer, proxy: Proxy) => unknown;
}

const nothing = () => {};

/** Each trouble, how it begins and how it ends. */
export const FAULTS = {
  restarted: {
    stops: true,
    begin: (redis) => redis.kill("SIGTERM"),
    end: (redis) => redis.start(),
  },
  killed: { stops: true, begin: (redis) => redis.kill(), end: (redis) => redis.start() },
  slow: {
    stops: true,
    // It answers when it has slept.
    begin: (redis, _proxy, seconds) => void redis.client.call("DEBUG", "SLEEP", seconds).catch(nothing),
    end: (redis) => redis.client.ping(),
  },
  full: {
    stops: true,
    begin: (redis) => redis.client.config("SET", "maxmemory", 1),
    end: (redis) => redis.client.config("SET", "maxmemory", 0),
  },
  flushed: {
    stops: false,
    begin: (redis) => redis.client.multi().flushall().script("FLUSH").exec(),
    end: nothing,
  },
  misconfigured: {
    stops: true,
    begin: (redis) => redis.client.config("SET", "maxmemory-policy", "allkeys-lru"),
    end: (redis) => redis.client.config("SET", "maxmemory-policy", "noeviction"),
  },
  demoted: {
    stops: true,
    begin: (redis) => redis.client.replicaof("127.0.0.1", 1),
    end: (redis) => redis.client.replicaof("NO", "ONE"),
  },
  partitioned: {
    stops: true,
    begin: (_redis, proxy) => void (proxy.passes = false),
    end: (_redis, proxy) => void (proxy.passes = true),
  },
} satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;

export interface FaultReport {
  readonly fault: FaultName;
  readonly seconds: number;
  readonly calls: number;
  /** Calls that were refused because Redis was not there. */
  readonly refused: number;
  /** Calls that had another answer than they may, by what they had; and effects that happened twice. */
  readonly wrong: readonly string[];
  /** From its beginning to the last server that said it was not ready, in milliseconds; 0 where that is not called for. */
  readonly notReadyMs: number;
  /** From its end to the last server that said it was ready again. */
  readonly readyMs: number;
  /** Of the tool that needs no Redis, before and meanwhile. */
  readonly p99BeforeMs: number;
  readonly p99MeanwhileMs: number;
  /** Of all other tools, meanwhile. */
  readonly slowestMs: number;
  readonly alive: boolean;
  /** Lines of the logs that no server should write. */
  readonly outcries: readonly string[];
}

/** How long each caller waits between two calls, in milliseconds. */
const PACE = 30;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A Redis, what leads to it, two servers and their callers. */
export class Stage {
  readonly #redis: RedisServer;
  readonly #proxy: Proxy;
  readonly #fleet: Fleet;
  readonly #load: Load;

  static async open(): Promise<Stage> {
    const redis = await RedisServer.start();
    const proxy = await wire(redis.port);
    const fleet = await Fleet.start(`redis://127.0.0.1:${proxy.port}`, { busy: 1 });
    return new Stage(redis, proxy, fleet);
  }

  private constructor(redis: RedisServer, proxy: Proxy, fleet: Fleet) {
    this.#redis = redis;
    this.#proxy = proxy;
    this.#fleet = fleet;
    this.#load = new Load(fleet);
  }

  async close(): Promise<void> {
    await this.#fleet.stop();
    await this.#proxy.close();
    await this.#redis.stop();
  }

  /** @param before - How long the load runs before, in seconds. */
  async strike(name: FaultName, seconds: number, before: number): Promise<FaultReport> {
    const [fault, redis, proxy, fleet, load]: [Fault, RedisServer, Proxy, Fleet, Load] = [
      FAULTS[name],
      this.#redis,
      this.#proxy,
      this.#fleet,
      this.#load,
    ];
    load.reset();
    await load.run(before);
    const p99BeforeMs = p99(load.plain);
    load.plain = [];
    const began = performance.now();
    await fault.begin(redis, proxy, seconds);
    const stopped = fault.stops ? became(fleet, false, began) : Promise.resolve(0);
    await load.run(seconds);
    const [notReadyMs, p99MeanwhileMs, { slowest }] = [await stopped, p99(load.plain), load];
    await fault.end(redis, proxy);
    const readyMs = await became(fleet, true, performance.now());
    const refusedSoFar = load.refused;
    await load.run(1);
    const late = load.refused - refusedSoFar;
    return {
      fault: name,
      seconds,
      calls: load.calls,
      refused: load.refused,
      wrong: [
        ...load.wrong,
        ...repeated(fleet.journal()),
        ...(late > 0 ? [`${late} refused after its return`] : []),
      ],
      notReadyMs: Math.round(notReadyMs),
      readyMs: Math.round(readyMs),
      p99BeforeMs,
      p99MeanwhileMs,
      slowestMs: Math.round(slowest),
      alive: fleet.members.every(({ process }) => process.exitCode === null && process.signalCode === null),
      outcries: fleet.members.flatMap(({ log }) =>
        log()
          .split("\n")
          .filter((line) => /unhandled|uncaught|warning/i.test(line)),
      ),
    };
  }
}

/** Waits until all members say so, and tells how long that took. */
async function became(fleet: Fleet, ready: boolean, since: number): Promise<number> {
  for (;;) {
    const all = await Promise.all(fleet.members.map((_member, index) => fleet.ready(index)));
    if (all.every((each) => each === ready)) return performance.now() - since;
    if (performance.now() - since > 60_000) return Infinity;
    await pause(20);
  }
}

/** Bills are never sent twice, so that none is to be paid twice. */
function repeated(journal: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return journal.filter((line) => line.startsWith("pay ") && (seen.has(line) || !seen.add(line)));
}

function p99(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length * 0.99)] ?? 0) * 10) / 10;
}

/** Callers of all tools, at a steady pace. */
class Load {
  readonly #fleet: Fleet;
  wrong: string[] = [];
  calls = 0;
  refused = 0;
  slowest = 0;
  /** How long calls of the tool that needs no Redis took, in milliseconds. */
  plain: number[] = [];
  #last = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  reset(): void {
    [this.wrong, this.plain, this.calls, this.refused, this.slowest] = [[], [], 0, 0, 0];
  }

  async run(seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1_000;
    const caller = async (index: number) => {
      while (performance.now() < until) {
        await this.#plain(index % 2);
        await pause(PACE);
      }
    };
    const other = async (index: number) => {
      while (performance.now() < until) {
        await this.#other(index % 2, ++this.#last);
        await pause(PACE);
      }
    };
    await Promise.all([0, 1, 2, 3].flatMap((index) => [caller(index), other(index)]));
  }

  async #plain(member: number): Promise<void> {
    const started = performance.now();
    const called = await this.#fleet.call("plain", {}, member);
    this.plain.push(performance.now() - started);
    this.calls++;
    if (!("text" in called)) this.wrong.push(`plain: ${called.code}`);
  }

  async #other(member: number, number: number): Promise<void> {
    const ways = [
      { tool: "quick", args: {}, text: "quick", needs: true },
      { tool: "report", args: { of: String(number) }, text: `report ${number}`, needs: false },
      { tool: "pay", args: { bill: String(number) }, text: `paid ${number}`, needs: true },
      { tool: "placed", args: {}, text: "placed", needs: true },
    ] as const;
    const { tool, args, text, needs } = ways[number % ways.length] as (typeof ways)[number];
    const started = performance.now();
    const called = await this.#fleet.call(tool, args, member);
    this.slowest = Math.max(this.slowest, performance.now() - started);
    this.calls++;
    if ("text" in called ? called.text === text : false) return;
    if (needs && "code" in called && called.code === "BACKEND_UNAVAILABLE") this.refused++;
    else this.wrong.push(`${tool}: ${JSON.stringify(called)}`);
  }
}
