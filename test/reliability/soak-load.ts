/** What the clients of a soak do, and how they can tell that they were served. */

import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type SigningKey, secretKey, signed } from "../support/signing.ts";
import { type Answer, META, modern, modernHeaders, send } from "../support/wire.ts";
import { MOMENTS, abandon } from "./abandon.ts";
import type { Random } from "./random.ts";
import { RawStream, post } from "./raw-stream.ts";
import type { SoakOptions } from "./soak-server.ts";

/** What was wrong, if anything. */
type Complaint = string | undefined;
type Doing = (clients: SoakClients) => Promise<Complaint>;

/** As large as a body may be. */
const MEBIBYTE = 1_048_576;

/** So many callers have tokens; where there are newcomers, so many of them come back. */
const REGULARS = 400;

const ASKABLE = {
  ...META,
  "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } },
};

export class SoakClients {
  readonly random: Random;
  readonly port: number;
  readonly #options: SoakOptions;
  readonly #key: SigningKey;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #newcomers: boolean;
  readonly #tokens: string[] = [];
  #ids = 0;
  #callers = 0;

  /** @param newcomers - Whether a third of those with tokens come for the first time. */
  constructor(port: number, options: SoakOptions, random: Random, newcomers: boolean) {
    this.#newcomers = newcomers;
    this.port = port;
    this.random = random;
    this.#options = options;
    this.#key = secretKey(options.secret);
  }

  /** A number that nobody has had. */
  next(): number {
    return ++this.#ids;
  }

  /** The headers of a caller: one who was here before, a new one, or one who is known by an address alone. */
  caller(): Record<string, string> {
    if (this.random.chance(0.2)) {
      const [b, c, d] = [1, 2, 3].map(() => this.random.int(1, 250));
      return { "x-forwarded-for": `203.${b}.${c}.${d}` };
    }
    return this.known();
  }

  /** The headers of a caller who has a token. */
  known(): Record<string, string> {
    const isNew = this.#tokens.length < REGULARS || (this.#newcomers && this.random.chance(1 / 3));
    return bearer(isNew ? this.newcomer() : this.random.pick(this.#tokens));
  }

  /** The token of somebody who was never here. */
  newcomer(): string {
    const n = this.#callers++;
    const token = signed(this.#key, { iss: undefined, aud: undefined, sub: `agent-${n}`, roles: ["agent"] });
    this.#tokens[n % REGULARS] = token;
    return token;
  }

  send(headers: Record<string, string>, body: string | object, method = "POST"): Promise<Answer> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return send(this.url, { agent: this.#agent, method, headers, body: text });
  }

  /** A call of revision 2026-07-28. */
  call(name: string, args: object = {}, params: object = {}, caller = this.caller()): Promise<Answer> {
    return this.ask("tools/call", { name, arguments: args, ...params }, caller);
  }

  ask(method: string, params: object, caller = this.caller()): Promise<Answer> {
    const { name, uri = name } = params as { readonly name?: string; readonly uri?: string };
    return this.send({ ...modernHeaders(method, uri), ...caller }, modern(method, params, this.next()));
  }

  /** A request of revision 2025-11-25. */
  legacy(method: string, params: object, headers: Record<string, string> = this.caller()): Promise<Answer> {
    const isNotification = method.startsWith("notifications/");
    const id = isNotification ? {} : { id: this.next() };
    return this.send({ ...LEGACY, ...headers }, { jsonrpc: "2.0", ...id, method, params });
  }

  /** Opens the stream of a session; gives what leaves it. */
  follow(headers: Record<string, string>): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const options = {
        agent: false as const,
        headers: { ...LEGACY, ...headers, accept: "text/event-stream" },
      };
      const outgoing = request(this.url, options, (response) => {
        response.on("error", () => {}).resume();
        if (response.statusCode === 200) resolve(() => outgoing.destroy());
        else reject(new Error(`a stream of a session: ${response.statusCode}`));
      });
      outgoing.on("error", reject).end();
    });
  }

  async scrape(): Promise<Answer> {
    return send(this.url, {
      agent: this.#agent,
      method: "GET",
      path: "/metrics",
      headers: bearer(this.#options.metricsToken),
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#agent.destroy();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/mcp`;
  }
}

/** What is done, and how often among 1,000. */
export const DOINGS: Readonly<Record<string, readonly [share: number, doing: Doing]>> = {
  add: [140, async (c) => says(await c.call("add", { a: c.random.int(0, 99), b: 1 }), '"sum":')],
  later: [80, async (c) => says(await c.legacy("tools/call", { name: "later" }), "later")],
  lookup: [120, async (c) => says(await c.call("lookup", { key: `key-${c.random.int(0, 1_000)}` }), "stock")],
  pay: [50, async (c) => says(await c.call("pay", { order: `order-${c.random.int(0, 1e6)}` }), "paid")],
  limited: [
    50,
    async (c) => says(await c.call("limited", {}, {}, c.known()), /within the limit|RATE_LIMIT_EXCEEDED/),
  ],
  queued: [40, async (c) => says(await c.call("queued"), "had a place")],
  work: [60, async (c) => says(await c.legacy("tools/call", { name: "work", arguments: {} }), "worked")],
  whoami: [50, async (c) => says(await c.call("whoami", {}, {}, c.known()), "agent-")],
  anonymous: [5, async (c) => says(await c.call("whoami", {}, {}, {}), "401")],
  forged: [5, async (c) => says(await c.call("add", { a: 1, b: 2 }, {}, bearer(forged(c))), "401")],
  config: [40, async (c) => says(await c.ask("resources/read", { uri: "soak://config" }), "on")],
  item: [40, async (c) => says(await c.ask("resources/read", { uri: item(c) }), " for ")],
  legacyItem: [20, async (c) => says(await c.legacy("resources/read", { uri: item(c) }), " for ")],
  greet: [
    30,
    async (c) => says(await c.ask("prompts/get", { name: "greet", arguments: { name: "Ada" } }), "Ada"),
  ],
  complete: [20, async (c) => says(await c.ask("completion/complete", COMPLETION), '"values":["a1","a2"]')],
  tools: [20, async (c) => says(await c.ask("tools/list", {}), "nextCursor")],
  resources: [10, async (c) => says(await c.legacy("resources/list", {}), "soak://config")],
  templates: [10, async (c) => says(await c.ask("resources/templates/list", {}), "soak://item/{name}")],
  prompts: [10, async (c) => says(await c.ask("prompts/list", {}), "greet")],
  discover: [10, async (c) => says(await c.ask("server/discover", {}), "2026-07-28")],
  fail: [5, async (c) => says(await c.call("fail"), "It is not there.")],
  crash: [5, async (c) => says(await c.call("crash"), "INTERNAL_ERROR")],
  invalid: [5, async (c) => says(await c.call("add", { a: "one" }), "VALIDATION")],
  unknownTool: [5, async (c) => says(await c.call(`tool-${c.next()}`), "-32602")],
  unknownItem: [5, async (c) => says(await c.ask("resources/read", { uri: `none://${c.next()}` }), "-32602")],
  unknownMethod: [5, async (c) => says(await c.ask(`tools/${c.next()}`, {}), "-32601")],
  malformed: [5, async (c) => says(await c.send({ ...LEGACY, ...c.caller() }, '{"jsonrpc":'), "-32700")],
  slow: [10, async (c) => says(await c.call("slow", { heeds: c.random.chance(0.5) }), "TIMEOUT")],
  talk: [
    20,
    async (c) => says(await c.call("talk", {}, { _meta: { ...META, progressToken: 1 } }), "on the way"),
  ],
  ask: [15, asks],
  large: [10, large],
  tooLarge: [2, async (c) => says(await c.send({ ...LEGACY }, "x".repeat(MEBIBYTE + 1)), "413")],
  leave: [50, leaves],
  subscribe: [20, subscribes],
  session: [15, session],
  stir: [15, async (c) => says(await c.call("stir", { item: String(c.random.int(0, 9)) }), "stirred")],
  season: [5, async (c) => says(await c.call("season"), "changed")],
  scrape: [3, async (c) => says(await c.scrape(), "gantry_calls_total")],
};

const LEGACY = {
  "content-type": "application/json",
  accept: "application/json, text/event-stream",
  "mcp-protocol-version": "2025-11-25",
};

const COMPLETION = {
  ref: { type: "ref/resource", uri: "soak://item/{name}" },
  argument: { name: "name", value: "a" },
};

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

function forged(clients: SoakClients): string {
  return `${clients.newcomer().slice(0, -8)}AAAAAAAA`;
}

function item(clients: SoakClients): string {
  return `soak://item/${clients.random.int(0, 1e6)}`;
}

/** Nothing, where an answer has the status or the text that it must have. */
function says({ status, text }: Answer, what: string | RegExp): Complaint {
  const isThere = typeof what === "string" ? text.includes(what) || String(status) === what : what.test(text);
  return isThere ? undefined : `${status} without ${what}: ${text.slice(0, 300)}`;
}

/** Is asked, and answers in a request of its own; some never do. */
async function asks(clients: SoakClients): Promise<Complaint> {
  const caller = clients.caller();
  const asked = await clients.call("ask", {}, { _meta: ASKABLE }, caller);
  const { requestState } = (asked.json?.result ?? {}) as { readonly requestState?: string };
  if (requestState === undefined) return says(asked, "requestState");
  if (clients.random.chance(0.3)) return undefined;
  const inputResponses = { go: { action: "accept", content: { yes: true } } };
  const params = { _meta: ASKABLE, requestState, inputResponses };
  return says(await clients.call("ask", {}, params, caller), "accept of a draft");
}

/** Sends the largest body that is accepted. */
async function large(clients: SoakClients): Promise<Complaint> {
  const message = (text: string) =>
    JSON.stringify(modern("tools/call", { name: "measure", arguments: { text } }, clients.next()));
  const length = MEBIBYTE - message("").length - 8;
  const headers = { ...modernHeaders("tools/call", "measure"), ...clients.caller() };
  return says(await clients.send(headers, message("x".repeat(length))), String(length));
}

/** Is gone at a random byte. */
async function leaves(clients: SoakClients): Promise<Complaint> {
  const { random, port } = clients;
  const moment = random.pick(MOMENTS);
  const speak = moment === "events";
  const params = { name: "wait", arguments: { speak } };
  const meta = speak ? { progressToken: clients.next() } : {};
  await abandon(port, post("tools/call", params, 1, clients.caller(), meta), moment, random);
  return undefined;
}

/** Listens for a while. */
async function subscribes(clients: SoakClients): Promise<Complaint> {
  const { random, port } = clients;
  const uri = `soak://item/${random.int(0, 9)}`;
  const notifications = { toolsListChanged: true, resourceSubscriptions: [uri] };
  const stream = await RawStream.open(port, clients.next(), notifications, clients.caller());
  await sleep(random.int(0, 2_000));
  if (random.chance(0.5)) stream.close();
  else stream.socket.resetAndDestroy();
  return stream.status === 200 ? undefined : `a subscription: ${stream.status}`;
}

/** Shakes hands, follows what happens, calls, and ends its session or leaves it to time. */
async function session(clients: SoakClients): Promise<Complaint> {
  const { random } = clients;
  const caller = clients.caller();
  const clientInfo = { name: `client-${clients.next()}`, version: "1" };
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  const opened = await clients.legacy("initialize", hello, caller);
  const id = opened.headers["mcp-session-id"];
  if (typeof id !== "string") return says(opened, "a session");
  const headers = { ...caller, "mcp-session-id": id };
  const complaints = [says(await clients.legacy("notifications/initialized", {}, headers), "202")];
  const leave = await clients.follow(headers);
  try {
    const uri = `soak://item/${random.int(0, 9)}`;
    complaints.push(says(await clients.legacy("resources/subscribe", { uri }, headers), "result"));
    const params = { name: "talk", _meta: { progressToken: 1 } };
    complaints.push(says(await clients.legacy("tools/call", params, headers), "talked"));
    complaints.push(says(await clients.legacy("tools/list", {}, headers), "nextCursor"));
    await sleep(random.int(0, 1_000));
  } finally {
    leave();
  }
  if (random.chance(0.5))
    complaints.push(says(await clients.send({ ...LEGACY, ...headers }, "", "DELETE"), "200"));
  return complaints.find((complaint) => complaint !== undefined);
}
