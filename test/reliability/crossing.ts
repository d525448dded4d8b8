/** Two callers who ask at once, with the same JSON-RPC ids: whose answer comes to whom. */

import { setTimeout as sleep } from "node:timers/promises";
import { Agent, request } from "node:http";
import { MCPServer, authenticate } from "gantry-mcp";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { issue, tokens } from "../support/tokens.ts";
import { META, modern, modernHeaders } from "../support/wire.ts";

const WAYS = ["modern", "legacy", "session", "stream"] as const;
type Way = (typeof WAYS)[number];

export interface CrossingReport {
  readonly calls: Readonly<Record<Way, number>>;
  /** The most calls whose handlers ran at the same time. */
  readonly atOnce: number;
  /** Answers, or messages before them, that were another call's or another caller's. */
  readonly crossed: readonly string[];
  /** Calls that were not answered, or not as calls of that kind are. */
  readonly failed: readonly string[];
}

const CALLERS = ["olga", "timo"] as const;
type Caller = (typeof CALLERS)[number];

const TOKENS: Readonly<Record<Caller, string>> = {
  olga: issue({ sub: "olga", roles: ["o"] }),
  timo: issue({ sub: "timo", roles: ["t"] }),
};

/** How many calls of a caller are under way at most: of both, so many connections are shared. */
const EACH = 400;

/** So many calls wait for each other, and go on in any order. */
const TOGETHER = 200;

/** Holds calls back until many are under way. */
class Crowd {
  most = 0;
  #waiting: (() => void)[] = [];
  #idle: ReturnType<typeof setTimeout> | undefined;

  join(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.splice(Math.floor(Math.random() * (this.#waiting.length + 1)), 0, resolve);
      this.most = Math.max(this.most, this.#waiting.length);
      clearTimeout(this.#idle);
      if (this.#waiting.length >= TOGETHER) this.#release();
      else this.#idle = setTimeout(() => this.#release(), 500);
    });
  }

  #release(): void {
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** Makes so many calls, half of them each caller's, over connections that both share. */
export async function crossing(calls: number): Promise<CrossingReport> {
  const crowd = new Crowd();
  const server = new MCPServer({
    name: "crossing",
    version: "1.0.0",
    logger: capturedLog().logger,
    http: { sessions: true, maxInFlight: 10_000, maxStreams: 10_000 },
  })
    .use(
      authenticate(tokens, {
        onAuthenticate: async (client) => {
          if (Math.random() < 0.5) await sleep(0);
          client.extra["whose"] = client.clientId;
        },
      }),
    )
    .tool(
      "echo",
      { description: "Says who calls, and with what.", auth: true, input: z.object({ nonce: z.string() }) },
      async ({ nonce }, ctx) => {
        ctx.progress(1, 2, `${ctx.client.clientId} ${nonce}`);
        await crowd.join();
        const { clientId, roles, extra } = ctx.client;
        return { clientId, roles: [...roles], whose: extra["whose"], nonce };
      },
    );
  const running = await server.run({ transport: "http", port: 0, signals: false });
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS.length * EACH });
  const made: Record<Way, number> = { modern: 0, legacy: 0, session: 0, stream: 0 };
  const crossed: string[] = [];
  const failed: string[] = [];

  const caller = async (who: Caller) => {
    const session = await openSession(running.url, agent, TOKENS[who]);
    let next = 0;
    const one = async () => {
      while (next < calls / CALLERS.length) {
        const id = next++;
        const way = WAYS[id % WAYS.length] as Way;
        made[way]++;
        const nonce = `${who}-${id}`;
        const { headers, body } = asking(way, id, nonce, session);
        const answer = await post(running.url, agent, { ...headers, ...bearer(TOKENS[who]) }, body);
        const other = who === "olga" ? "timo" : "olga";
        if (answer.text.includes(other)) crossed.push(`${way} ${nonce}: ${answer.text.slice(0, 300)}`);
        const problem = answered(answer, way, id, who, nonce);
        if (problem) failed.push(`${way} ${nonce}: ${problem}`);
      }
    };
    await Promise.all(Array.from({ length: EACH }, one));
  };
  await Promise.all(CALLERS.map(caller));
  agent.destroy();
  await running.close();
  return { calls: made, atOnce: crowd.most, crossed: crossed.slice(0, 20), failed: failed.slice(0, 20) };
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What is wrong with an answer: the one result has the id that was sent, and says who sent it. */
function answered(
  { status, text }: Answer,
  way: Way,
  id: number,
  who: Caller,
  nonce: string,
): string | undefined {
  const messages = text.startsWith("{")
    ? [JSON.parse(text) as object]
    : [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data = ""]) => JSON.parse(data) as object);
  const value = { clientId: who, roles: [who[0]], whose: who, nonce };
  const expected = JSON.stringify(value);
  const results = messages.filter((message) => "id" in message) as { id: number; result?: Result }[];
  const [only] = results;
  if (status !== 200 || results.length !== 1 || only?.id !== id || only.result?.content[0]?.text !== expected)
    return `${status} ${text.slice(0, 300)}`;
  const reports = messages.flatMap((message) =>
    "params" in message ? [JSON.stringify(message.params)] : [],
  );
  const own = reports.every((report) => report.includes(`"${who} ${nonce}"`) && report.includes(`:${id},`));
  return reports.length === (way === "stream" || way === "session" ? 1 : 0) && own
    ? undefined
    : reports.join().slice(0, 300);
}

interface Result {
  readonly content: readonly { readonly text: string }[];
}

function asking(
  way: Way,
  id: number,
  nonce: string,
  session: string,
): { headers: Record<string, string>; body: object } {
  const params = { name: "echo", arguments: { nonce } };
  if (way === "modern")
    return { headers: modernHeaders("tools/call", "echo"), body: modern("tools/call", params, id) };
  // Both callers choose the same progress tokens too.
  const _meta = { progressToken: id };
  if (way === "stream") {
    const body = modern("tools/call", { ...params, _meta: { ...META, ..._meta } }, id);
    return { headers: modernHeaders("tools/call", "echo"), body };
  }
  const body = { jsonrpc: "2.0", id, method: "tools/call", params };
  return way === "session"
    ? { headers: legacy(session), body: { ...body, params: { ...params, _meta } } }
    : { headers: legacy(), body };
}

function legacy(session?: string): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-11-25",
    ...(session !== undefined && { "mcp-session-id": session }),
  };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

async function openSession(url: string, agent: Agent, token: string): Promise<string> {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } };
  const headers = { ...legacy(), ...bearer(token) };
  const { session } = await post(url, agent, headers, {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params,
  });
  return session;
}

function post(
  url: string,
  agent: Agent,
  headers: Record<string, string>,
  body: object,
): Promise<Answer & { readonly session: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: "POST", headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.once("error", reject);
      response.once("end", () => {
        const { statusCode: status = 0, headers: got } = response;
        resolve({ status, text, session: String(got["mcp-session-id"]) });
      });
    });
    outgoing.once("error", reject).end(JSON.stringify(body));
  });
}
