/** Fuzzing over sockets: a server in its own process, broken framing, and clients that leave. */

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { HttpOptions } from "gantry-mcp";
import { ServerProcess } from "../reliability/server-process.ts";
import type { Case } from "./case.ts";
import { makeCase } from "./cases.ts";
import type { FuzzAnswers } from "./child.ts";
import { type Transmission, alone, transmission } from "./framing.ts";
import { type Client, type Fuzzing, type Tier, fuzz } from "./fuzz.ts";
import type { MemoryUse, Report } from "./report.ts";
import { STATELESS, WITH_SESSIONS } from "./server.ts";
import { LATE, QUIET, faultsOf, isSatisfied, traitsOf } from "./verdict.ts";
import { WireAnswers } from "./wire-answers.ts";

/** Fuzzes a server without sessions and one with them. Each request on a connection is a case. */
export function fuzzSockets(fuzzing: Fuzzing): Promise<Report> {
  return fuzz("sockets", (report) => Sockets.open(report), fuzzing);
}

type Child = ServerProcess<FuzzAnswers>;

class Sockets implements Tier {
  readonly #report: Report;
  readonly #children: readonly [stateless: Child, withSessions: Child];

  static async open(report: Report): Promise<Sockets> {
    const program = new URL("./child.ts", import.meta.url);
    const start = (http: HttpOptions) => ServerProcess.start<FuzzAnswers>(http, program);
    return new Sockets(report, await Promise.all([start(STATELESS), start(WITH_SESSIONS)]));
  }

  private constructor(report: Report, children: readonly [Child, Child]) {
    this.#report = report;
    this.#children = children;
  }

  send(client: Client): Promise<number> {
    const { random, memory, hasSessions } = client;
    return this.#transmit(
      client,
      transmission(random, () => makeCase(random, memory, hasSessions)),
    );
  }

  sendWhole(client: Client, one: Case): Promise<number> {
    return this.#transmit(client, alone(one));
  }

  async #transmit({ number, memory, hasSessions }: Client, sent: Transmission): Promise<number> {
    const report = this.#report;
    const child = this.#children[hasSessions ? 1 : 0];
    const { cases, intact, pieces } = sent;
    const connection = await exchange(child.port, sent);
    if (!child.alive) throw new Error(`The server has crashed.\n${child.stderr}\n${report.again(number)}`);
    const answers = connection.begun ? [...connection.answers, connection.begun] : connection.answers;
    const about = `${intact ? "intact" : "broken"}:\n${Buffer.concat(pieces).toString("latin1").slice(0, 3_000)}`;
    report.cases += cases.length;
    for (const [i, answer] of answers.entries()) {
      const one = intact ? cases[i] : undefined;
      for (const fault of one ? faultsOf(one, answer) : traitsOf(answer))
        report.fault(fault, about, number, answer);
      if (one) memory.learn(one, answer);
      report.count(answer, one?.sound);
    }
    for (const fault of connection.faults(intact ? cases.length : 0))
      report.fault(fault, about, number, answers.at(-1));
    return cases.length;
  }

  async settle(): Promise<MemoryUse> {
    const used = await Promise.all(this.#children.map((child) => this.#settled(child)));
    const sum = (kind: keyof MemoryUse) => used.reduce((all, one) => all + one[kind], 0);
    return { rss: sum("rss"), heap: sum("heap") };
  }

  /** Waits, up to ten seconds, until nothing is left of the clients. */
  async #settled(child: Child): Promise<MemoryUse> {
    const report = this.#report;
    let left = 1;
    for (let i = 0; i < 200 && left > 0; i++) {
      await sleep(50);
      const [{ TCPSocketWrap = 0 }, inside] = await Promise.all([
        child.ask("resources"),
        child.ask("inside"),
      ]);
      left = TCPSocketWrap + inside.running;
      report.handled += inside.ran;
      for (const fault of inside.faults) report.fault(fault, "inside the server");
    }
    if (left > 0) report.fault("sockets are open or handlers run when all clients are gone", String(left));
    return child.ask("memory");
  }

  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop()));
  }
}

/** One connection, until all is answered, nothing comes any more, or it is closed. */
async function exchange(port: number, sent: Transmission): Promise<WireAnswers> {
  const { cases, pieces, intact, leaves } = sent;
  const came = new WireAnswers(cases.map(({ method }) => method));
  let heard = performance.now();
  const socket = connect({ host: "127.0.0.1", port })
    .on("error", () => {})
    .on("close", () => came.closed())
    .on("data", (bytes: Buffer) => {
      heard = performance.now();
      came.add(bytes);
    });
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(setImmediate);
  }
  if (leaves === "end") socket.end();
  else if (leaves === "destroy") socket.destroy();
  else if (leaves === "reset") socket.resetAndDestroy();
  const isNeeded = () => {
    const { begun, answers } = came;
    return (
      intact && (begun === undefined || (cases[answers.length]?.sound === true && !isSatisfied(begun.text)))
    );
  };
  const started = performance.now();
  while (!came.isClosed && came.answers.length < (intact ? cases.length : Infinity)) {
    const now = performance.now();
    if (now - Math.max(heard, started) > (isNeeded() ? LATE : QUIET)) break;
    await sleep(3);
  }
  came.left();
  socket.destroy();
  return came;
}
