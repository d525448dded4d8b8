/** Strangers who guess the handles of others: session ids, event ids, sealed states, ids of requests under way. */

import { once, setMaxListeners } from "node:events";
import { MCPServer, authenticate } from "gantry-mcp";
import { z } from "zod";
import { capturedLog } from "../support/captured-log.ts";
import { issue, tokens } from "../support/tokens.ts";
import { META, modern, modernHeaders } from "../support/wire.ts";
import type { Random } from "./random.ts";

const KINDS = ["session", "event", "state", "cancellation"] as const;
type Kind = (typeof KINDS)[number];

export interface GuessesReport {
  readonly guesses: Readonly<Record<Kind, number>>;
  /** Guesses that were the very handle, tried by somebody else. */
  readonly exact: number;
  /** Guesses that were answered otherwise than by a refusal. */
  readonly found: readonly string[];
  /** Calls under way that a guess ended. */
  readonly cancelled: number;
  /** How often the owner's handles were used by others. */
  readonly opened: number;
  /** The owner's handles that no longer worked in the end. */
  readonly lost: number;
}

const HANDLES = 20;
const AT_ONCE = 32;
const OWNER = issue({ sub: "owner" });
const STRANGERS = [issue({ sub: "mallory" }), undefined] as const;

interface Handles {
  readonly sessions: readonly string[];
  readonly events: readonly string[];
  readonly states: readonly string[];
}

class Vault {
  /** Who got it open. */
  readonly opened: string[] = [];
  cancelled = 0;
  readonly server: MCPServer;
  readonly #ends = new AbortController();

  constructor() {
    setMaxListeners(0, this.#ends.signal);
    const { logger } = capturedLog();
    this.server = new MCPServer({
      name: "vault",
      version: "1.0.0",
      logger,
      timeout: "1h",
      http: { sessions: { idle: "24h" }, maxInFlight: 10_000 },
      requestState: { ttl: "24h" },
    })
      .use(authenticate(tokens))
      .tool("whoami", { description: "Who calls.", auth: true }, (_args, { client }) => client.clientId)
      .tool("open", { description: "Opens, when told to.", auth: true }, async (_args, ctx) => {
        const answer = await ctx.elicit("Open?", z.object({ yes: z.boolean() }), { key: "open" });
        if (answer.action === "accept") this.opened.push(ctx.client.clientId);
        return `opened for ${ctx.client.clientId}`;
      })
      .tool("wait", { description: "Waits until all is over.", auth: true }, async (_args, { signal }) => {
        const over = once(this.#ends.signal, "abort");
        await Promise.race([once(signal, "abort"), over]);
        if (!this.#ends.signal.aborted) this.cancelled++;
        return "waited";
      })
      .resource("vault://log", { name: "log", description: "Its log.", auth: true }, () => "empty");
  }

  /** Ends the calls that wait. */
  end(): void {
    this.#ends.abort();
  }

  send(method: string, headers: Record<string, string>, body?: object): Promise<Response> {
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return this.server.fetch(new Request("http://localhost/mcp", init));
  }
}

/** Makes so many guesses, and tells what they found. */
export async function guesses(count: number, random: Random): Promise<GuessesReport> {
  const vault = new Vault();
  const handles = await hold(vault);
  const waiting = await wait(vault, handles);
  const own = await session(vault, STRANGERS[0]);
  const made: Record<Kind, number> = { session: 0, event: 0, state: 0, cancellation: 0 };
  const found: string[] = [];
  let exact = 0;
  let next = 0;
  const guessOn = async () => {
    while (next < count) {
      // Sessions and states are what there is most to win with.
      const kind = KINDS[[0, 2, 0, 2, 0, 2, 0, 2, 1, 3][next++ % 10] as number] as Kind;
      made[kind]++;
      const real = random.pick(realOnes(kind, handles));
      const guess = guessAt(real, random);
      if (guess === real) exact++;
      const answer = await tryOut(vault, kind, guess, own, random);
      if (answer !== undefined) found.push(`${kind} ${guess.slice(0, 80)}: ${answer}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, guessOn));
  const { cancelled } = vault;
  const opened = vault.opened.length;
  const lost = await unusable(vault, handles);
  vault.end();
  await Promise.all(waiting);
  await vault.server.close();
  return { guesses: made, exact, found: found.slice(0, 20), cancelled, opened, lost };
}

function realOnes(kind: Kind, { sessions, events, states }: Handles): readonly string[] {
  return kind === "session" ? sessions : kind === "event" ? events : kind === "state" ? states : ["7"];
}

const ALPHABET = "0123456789abcdefABCDEFxyz-_/";

/** The handle of somebody else to the letter, one that is nearly it, or one of its form. */
function guessAt(real: string, random: Random): string {
  const at = random.int(0, real.length - 1);
  const letter = ALPHABET[random.int(0, ALPHABET.length - 1)] as string;
  switch (random.int(0, 9)) {
    case 0:
      return real;
    case 1:
      return real.slice(0, at);
    case 2:
      return real + letter;
    case 3:
      return real.toUpperCase();
    case 4:
      return real.slice(0, at) + real.slice(at + 1);
    case 5:
    case 6:
      return real.slice(0, at) + letter + real.slice(at + 1);
    default:
      return real.replaceAll(/[0-9A-Za-z]/g, () => ALPHABET[random.int(0, 15)] as string);
  }
}

/** What came of a guess, where it was no refusal. */
async function tryOut(
  vault: Vault,
  kind: Kind,
  guess: string,
  own: string,
  random: Random,
): Promise<string | undefined> {
  const token = random.pick(STRANGERS);
  switch (kind) {
    case "session": {
      const ask = random.chance(0.5) ? call("whoami") : undefined;
      const method = ask ? "POST" : random.pick(["GET", "DELETE"]);
      return unlessRefused(await vault.send(method, legacy(token, guess), ask), [400, 401, 404]);
    }
    case "event": {
      const headers = { ...legacy(token, own), accept: "text/event-stream", "last-event-id": guess };
      return unlessRefused(await vault.send("GET", headers), [400, 401, 404]);
    }
    case "state": {
      const response = await vault.send("POST", current("tools/call", "open", token), retry(guess));
      const text = await response.text();
      return response.status === 401 || text.includes('"code":-32602') ? undefined : text.slice(0, 200);
    }
    case "cancellation": {
      const requestId = /^\d+$/.test(guess) ? Number(guess) : guess;
      const notification = { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } };
      const inSession = random.chance(0.5);
      const headers = inSession ? legacy(token, own) : current("notifications/cancelled", undefined, token);
      const { status } = await vault.send("POST", headers, notification);
      return [202, 400, 401, 404].includes(status) ? undefined : String(status);
    }
  }
}

async function unlessRefused(response: Response, refusals: readonly number[]): Promise<string | undefined> {
  if (!refusals.includes(response.status)) {
    await response.body?.cancel();
    return String(response.status);
  }
  await response.text();
  return undefined;
}

/** What the owner holds: sessions, events that were sent in them, and states of questions. */
async function hold(vault: Vault): Promise<Handles> {
  const sessions: string[] = [];
  const events: string[] = [];
  const states: string[] = [];
  for (let n = 0; n < HANDLES; n++) {
    const id = await session(vault, OWNER);
    sessions.push(id);
    const stream = await (await vault.send("POST", legacy(OWNER, id), call("whoami"))).text();
    events.push(...[...stream.matchAll(/^id: (.+)$/gm)].map(([, event = ""]) => event));
    const asked = await vault.send("POST", current("tools/call", "open", OWNER), modern("tools/call", OPEN));
    const { result } = (await asked.json()) as { result: { requestState: string } };
    states.push(result.requestState);
  }
  return { sessions, events, states };
}

/** Calls of the owner's that are under way, with and without a session, all with the id that is guessed at. */
async function wait(vault: Vault, { sessions }: Handles): Promise<readonly Promise<unknown>[]> {
  const message = { ...call("wait"), id: 7 };
  const calls = sessions.map((id) => vault.send("POST", legacy(OWNER, id), message));
  calls.push(
    vault.send("POST", current("tools/call", "wait", OWNER), modern("tools/call", { name: "wait" }, 7)),
  );
  // The streams of sessions open before their calls are over.
  return calls.map(async (response) => (await response).text());
}

/** How many handles no longer do for their owner what they did. */
async function unusable(vault: Vault, { sessions, states }: Handles): Promise<number> {
  let lost = 0;
  for (const id of sessions) {
    const response = await vault.send("POST", legacy(OWNER, id), call("whoami"));
    if (!(await response.text()).includes("owner")) lost++;
  }
  for (const state of states) {
    const response = await vault.send("POST", current("tools/call", "open", OWNER), retry(state));
    if (!(await response.text()).includes("opened for owner")) lost++;
  }
  return lost;
}

const OPEN = {
  name: "open",
  arguments: {},
  _meta: { ...META, "io.modelcontextprotocol/clientCapabilities": { elicitation: { form: {} } } },
};

function retry(requestState: string): object {
  const inputResponses = { open: { action: "accept", content: { yes: true } } };
  return modern("tools/call", { ...OPEN, requestState, inputResponses });
}

function call(name: string): object {
  return { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } };
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

function current(
  method: string,
  name: string | undefined,
  token: string | undefined,
): Record<string, string> {
  return { ...modernHeaders(method, name), ...bearer(token) };
}

function legacy(token: string | undefined, id?: string): Record<string, string> {
  return {
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    "mcp-protocol-version": "2025-11-25",
    ...(id !== undefined && { "mcp-session-id": id }),
    ...bearer(token),
  };
}

async function session(vault: Vault, token: string): Promise<string> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "guessing", version: "1.0.0" },
  };
  const opened = await vault.send("POST", legacy(token), {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params,
  });
  await opened.text();
  const id = opened.headers.get("mcp-session-id") as string;
  await vault.send("POST", legacy(token, id), { jsonrpc: "2.0", method: "notifications/initialized" });
  return id;
}
