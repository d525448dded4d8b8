/** Fuzzing through the web-standard face: the whole way of a request but for sockets, in one process. */

import { memory } from "../reliability/own-process.ts";
import type { Random } from "../reliability/random.ts";
import type { Case } from "./case.ts";
import { makeCase } from "./cases.ts";
import { type Client, type Fuzzing, type Tier, fuzz } from "./fuzz.ts";
import { type MemoryUse, type Report, shown } from "./report.ts";
import { type FuzzServer, STATELESS, WITH_SESSIONS, fuzzServer } from "./server.ts";
import { type Answer, LATE, QUIET, faultsOf, isSatisfied } from "./verdict.ts";

/** Fuzzes a server without sessions and one with them. */
export function fuzzInProcess(fuzzing: Fuzzing): Promise<Report> {
  return fuzz("in-process", (report) => new InProcess(report), fuzzing);
}

class InProcess implements Tier {
  readonly #report: Report;
  readonly #stateless: FuzzServer = fuzzServer(STATELESS);
  readonly #withSessions: FuzzServer = fuzzServer(WITH_SESSIONS);

  constructor(report: Report) {
    this.#report = report;
    process.on("unhandledRejection", this.#unhandled).on("uncaughtException", this.#unhandled);
  }

  async send(client: Client): Promise<number> {
    await this.sendWhole(client, makeCase(client.random, client.memory, client.hasSessions));
    return 1;
  }

  async sendWhole(client: Client, sent: Case): Promise<void> {
    const report = this.#report;
    const { random, number, hasSessions } = client;
    const { server, faults } = hasSessions ? this.#withSessions : this.#stateless;
    const leaving = random.chance(0.03) ? AbortSignal.timeout(random.int(0, 3)) : undefined;
    let answer: Answer;
    try {
      answer = await read(await server.fetch(request(sent, random, leaving)), sent.sound);
    } catch (error) {
      return report.fault(`server.fetch rejected: ${(error as Error).stack}`, shown(sent), number);
    }
    const found = leaving?.aborted === true ? [] : faultsOf(sent, answer);
    for (const fault of [...found, ...faults.splice(0)]) report.fault(fault, shown(sent), number, answer);
    report.cases++;
    report.count(answer, sent.sound);
    client.memory.learn(sent, answer);
  }

  async settle(): Promise<MemoryUse> {
    const used = await memory();
    for (const { handlers, faults } of [this.#stateless, this.#withSessions]) {
      this.#report.handled += handlers.ran;
      handlers.ran = 0;
      if (handlers.running > 0) this.#report.fault("handlers run on", String(handlers.running));
      for (const fault of faults.splice(0)) this.#report.fault(fault, "after all clients are gone");
    }
    return used;
  }

  async close(): Promise<void> {
    await Promise.all([this.#stateless.server.close(), this.#withSessions.server.close()]);
    process.off("unhandledRejection", this.#unhandled).off("uncaughtException", this.#unhandled);
  }

  readonly #unhandled = (error: unknown): void =>
    this.#report.fault("an unhandled rejection or exception", String(error));
}

/** Reads an answer until it ends or nothing comes any more; what is `needed` is waited for. */
async function read(response: Response, needed: boolean): Promise<Answer> {
  const { status, headers, body } = response;
  const header = (name: string) => headers.get(name) ?? undefined;
  if (header("content-type") !== "text/event-stream")
    return { status, header, text: await response.text(), ended: true };
  const decoder = new TextDecoder();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  let text = "";
  for (;;) {
    const piece = await within(needed && !isSatisfied(text) ? LATE : QUIET, reader.read());
    if (!piece) await reader.cancel();
    if (!piece || piece.done) return { status, header, text, ended: piece !== undefined };
    text += decoder.decode(piece.value, { stream: true });
  }
}

/** What comes of `promise`, or nothing where it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The case as a web-standard request. */
function request(
  { method, path, fields, body }: Case,
  random: Random,
  signal: AbortSignal | undefined,
): Request {
  const init: RequestInit = {
    method,
    headers: fields.map(([name, value]): [string, string] => [name, value]),
  };
  if (signal) init.signal = signal;
  if (method !== "GET" && method !== "HEAD" && body.length > 0)
    Object.assign(init, random.chance(0.8) ? { body } : { body: inPieces(body, random), duplex: "half" });
  return new Request(`http://localhost${path}`, init);
}

function inPieces(body: Buffer, random: Random): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const end = at + random.int(1, Math.max(1, Math.ceil(body.length / 3)));
      controller.enqueue(new Uint8Array(body.subarray(at, end)));
      at = end;
      if (at >= body.length) controller.close();
    },
  });
}
