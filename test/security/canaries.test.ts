import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ServerProcess } from "../reliability/server-process.ts";
import { Authority } from "../support/authority.ts";
import { ecKey, goodClaims, publicJwk, signed } from "../support/signing.ts";
import { META, modern, modernHeaders, send } from "../support/wire.ts";
import type { Answers } from "./canary-server.ts";

/** Not to be found in anything but a request's `Authorization` header: credentials, and what shows where they are. */
interface Canary {
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const random = () => randomBytes(24).toString("base64url");
const current = ecKey("ES256", "current");

function bearer(token: string, text = token): Canary {
  return { headers: { authorization: `Bearer ${token}` }, text };
}

/** What a token says is kept with its caller; what makes it a token is its signature. */
function jwt(key = current): Canary {
  const token = signed(key, { ...goodClaims(), aud: undefined });
  return bearer(token, token.split(".")[2]);
}

const apiKey = `gk_${random()}`;
const opaque = `opaque-${random()}`;

const accepted: Readonly<Record<string, Canary>> = {
  "a JWT": jwt(),
  "a JWT in a session": jwt(),
  "an API key": { headers: { "x-api-key": apiKey }, text: apiKey },
  "an opaque token": bearer(opaque),
};
const refused: Readonly<Record<string, Canary>> = {
  "a JWT of a foreign key": jwt(ecKey("ES256", "foreign")),
  "a broken JWT": bearer(`${random()}.${random()}`),
  "a wrong API key": { headers: { "x-api-key": `gk_${random()}` }, text: "" },
  "an unknown opaque token": bearer(`opaque-${random()}`),
  "one that the authorization server fails over": bearer(`fail-${random()}`),
  "one that is too long": bearer(`${random()}${"x".repeat(9_000)}`),
};

const texts = (canaries: Readonly<Record<string, Canary>>) =>
  Object.entries(canaries).map(([what, { text, headers }]) => {
    const shown = text === "" ? (headers["x-api-key"] ?? "") : text;
    return [what, shown.slice(0, 60)] as const;
  });
const all = [...texts(accepted), ...texts(refused)];

let authority: Authority;
let server: ServerProcess<Answers>;
/** Everything that the server answered: statuses, headers, bodies. */
let answered = "";
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "canaries-"));
  authority = await Authority.start();
  authority.serve("/jwks", { keys: [publicJwk(current)] });
  authority.serve("/introspect", ({ body }, response) => {
    const token = new URLSearchParams(body).get("token") ?? "";
    const fails = token.startsWith("fail");
    response.writeHead(fails ? 500 : 200, { "content-type": "application/json" });
    // One that repeats what it is sent.
    response.end(
      fails
        ? JSON.stringify({ error: "server_error", error_description: `cannot read ${token}` })
        : JSON.stringify({ active: token === opaque, sub: "agent", token }),
    );
  });
  const places = {
    jwksUri: `${authority.issuer}/jwks`,
    introspection: `${authority.issuer}/introspect`,
    keyHash: createHash("sha256").update(apiKey).digest("hex"),
  };
  server = await ServerProcess.start<Answers>(places, new URL("./canary-server.ts", import.meta.url));
});
afterAll(async () => {
  await server.stop();
  await authority.close();
  await rm(folder, { recursive: true });
});

async function ask(headers: Readonly<Record<string, string>>, body: object): Promise<number> {
  const answer = await send(server.url, { headers, body: JSON.stringify(body) });
  answered += `${answer.status} ${JSON.stringify(answer.headers)} ${answer.text}\n`;
  return answer.status;
}

function call(canary: Canary, name: string): Promise<number> {
  const body = modern("tools/call", { name, arguments: {} });
  return ask({ ...modernHeaders("tools/call", name), ...canary.headers }, body);
}

async function inSession({ headers }: Canary): Promise<void> {
  const plain = { "content-type": "application/json", accept: "application/json, text/event-stream" };
  const initialize = {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "by-hand", version: "1.0.0" },
  };
  const { headers: from, status } = await send(server.url, {
    headers: { ...plain, ...headers },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: initialize }),
  });
  expect(status).toBe(200);
  const session = { ...plain, ...headers, "mcp-session-id": String(from["mcp-session-id"]) };
  await ask(session, { jsonrpc: "2.0", method: "notifications/initialized" });
  for (const name of ["whoami", "breaks"])
    await ask(session, { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name, arguments: {} } });
}

describe("credentials", () => {
  it("are accepted or not, on every way", async () => {
    for (const [what, canary] of Object.entries(accepted)) {
      for (const name of ["whoami", "refuses", "breaks", "closed", "not there"])
        expect({ what, status: await call(canary, name) }).toEqual({
          what,
          status: expect.toBeOneOf([200, 404]),
        });
    }
    await inSession(accepted["a JWT in a session"] ?? jwt());
    for (const [what, canary] of Object.entries(refused)) {
      const status = await call(canary, "whoami");
      expect({ what, status }).toEqual({ what, status: what.includes("fails") ? 200 : 401 });
    }
    // Whatever was of the last request is of another one now.
    for (let i = 0; i < 20; i++) await ask(modernHeaders("ping"), modern("ping", { _meta: META }));
  });

  it.each(all)("appear in no answer: %s", (_, text) => {
    expect(answered.includes(text)).toBe(false);
  });

  it.each(all)("appear in no log: %s", (_, text) => {
    expect(server.stderr).toContain("Unexpected error");
    expect(server.stderr.includes(text)).toBe(false);
  });

  it("are not kept: nowhere in the server's memory, be it a cache, a key of one, or a session", async () => {
    const path = await server.ask("heap", { path: join(folder, "server.heapsnapshot") });
    const found = await within(path, [...all.map(([, text]) => text), "Says who calls."]);
    expect(all.filter(([, text]) => found.has(text)).map(([what]) => what)).toEqual([]);
    // What is kept is found.
    expect(found).toEqual(new Set(["Says who calls."]));
  });
});

/** Which of `texts` a file has. */
async function within(path: string, wanted: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  let tail = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: 1_048_576 })) {
    const text = `${tail}${chunk as string}`;
    for (const each of wanted) if (text.includes(each)) found.add(each);
    tail = text.slice(-200);
  }
  return found;
}
