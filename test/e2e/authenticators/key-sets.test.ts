import type { ServerResponse } from "node:http";
import { type Authenticator, jwtAuth } from "gantry-mcp";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Authority } from "../../support/authority.ts";
import { Door } from "../../support/door.ts";
import {
  type SigningKey,
  ecKey,
  edKey,
  publicJwk,
  rsaKey,
  secretKey,
  signed,
} from "../../support/signing.ts";

const JWKS = "/jwks";
const A_DAY = 86_400;

let authority: Authority;
let open: { close(): Promise<void> }[];

beforeEach(async () => {
  // The clock is the tests'; timers are not.
  vi.useFakeTimers({ toFake: ["Date"] });
  authority = await Authority.start();
  open = [authority];
});
afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  vi.useRealTimers();
});

/** The clock goes on. */
function pass(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1_000);
}

/** Waits, at most a few seconds, until it holds. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500 && !(await holds()); tries++)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(await holds()).toBe(true);
}

function publish(...keys: readonly SigningKey[]): void {
  authority.serve(JWKS, { keys: keys.map((key) => publicJwk(key)) });
}

async function doorOf(authenticator: Authenticator): Promise<Door> {
  const door = await Door.open(authenticator);
  open.push(door);
  return door;
}

/** A server that trusts the keys at the authority's JWKS. */
function trusting(options: object = {}): Promise<Door> {
  return doorOf(jwtAuth({ jwksUri: `${authority.issuer}${JWKS}`, ...options }));
}

/** A token of its own for each request, for no audience, that lasts for days. */
function tokenOf(key: SigningKey, header: object = {}): string {
  return signed(key, { aud: undefined, exp: Date.now() / 1_000 + 30 * A_DAY }, header);
}

const fetches = () => authority.count(JWKS);

const cannotTell = {
  status: 200,
  message: "Credentials cannot be verified at the moment",
  suggestion: "Try again in a few seconds.",
  retryable: true,
};

const old = ecKey("ES256", "2026");
const current = ecKey("ES256", "2027");

describe("a server that trusts a key set", () => {
  it("fetches it with the first token, and once for many", async () => {
    publish(old, current);
    const door = await trusting();
    expect((await door.ask()).status).toBe(401);
    expect(fetches()).toBe(0);
    for (const key of [old, current, old]) expect((await door.ask(tokenOf(key))).status).toBe(200);
    expect(fetches()).toBe(1);
  });

  it("fetches it once for a thousand tokens that arrive together", async () => {
    const waiting: ServerResponse[] = [];
    authority.serve(JWKS, (_, response) => void waiting.push(response));
    const jwt = jwtAuth({ jwksUri: `${authority.issuer}${JWKS}` });
    const tokens = Array.from({ length: 1_000 }, () => tokenOf(current));
    const found = tokens.map(async (token) =>
      jwt.authenticate({ token, address: undefined, header: () => undefined }),
    );
    await until(() => waiting.length === 1);
    waiting[0]?.end(JSON.stringify({ keys: [publicJwk(current)] }));
    const clients = await Promise.all(found);
    expect(clients.every((client) => client?.clientId === "agent-prod")).toBe(true);
    expect(fetches()).toBe(1);
  });

  it("knows a new key at once, and an old one until it is taken away", async () => {
    publish(old);
    const door = await trusting();
    const asOf = async (key: SigningKey) => (await door.ask(tokenOf(key))).status;
    expect(await asOf(old)).toBe(200);
    publish(old, current);
    expect([await asOf(current), await asOf(old), await asOf(current)]).toEqual([200, 200, 200]);
    expect(fetches()).toBe(2);
    publish(current);
    expect(await asOf(old)).toBe(200);
    pass(301);
    // This one is answered with the keys that are there, while they are fetched again.
    expect(await asOf(current)).toBe(200);
    await until(() => fetches() === 3);
    await until(async () => (await asOf(old)) === 401);
    expect(await asOf(current)).toBe(200);
  });

  it("refuses no good token while keys rotate under load", async () => {
    let keys = [old];
    authority.serve(JWKS, (_, response) => {
      setTimeout(() => response.end(JSON.stringify({ keys: keys.map((key) => publicJwk(key)) })), 5);
    });
    const door = await trusting();
    const statuses: number[] = [];
    for (let round = 0; round < 8; round++) {
      const next = ecKey("ES256", `round-${round}`);
      keys = [...keys.slice(-1), next];
      const asked = Array.from({ length: 20 }, (_, i) => door.ask(tokenOf(keys[i % 2] ?? next)));
      statuses.push(...(await Promise.all(asked)).map(({ status }) => status));
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(fetches()).toBeLessThan(20);
  });

  it("is not made to fetch by key ids that are made up", async () => {
    publish(current);
    const door = await trusting();
    const guess = (kid: string) => door.ask(tokenOf(ecKey("ES256", kid)));
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    for (let i = 0; i < 30; i++) expect((await guess(`made-up-${i}`)).status).toBe(401);
    expect(fetches()).toBe(3);
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    pass(16);
    for (let i = 0; i < 30; i++) await guess(`made-up-${i}`);
    expect(fetches()).toBe(4);
    pass(20);
    for (let i = 0; i < 30; i++) await guess("made-up-0");
    expect(fetches()).toBe(4);
    pass(60);
    for (let i = 0; i < 30; i++) await guess("made-up-0");
    expect(fetches()).toBe(5);
  });
});

describe("where the keys cannot be fetched", () => {
  const failures: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ["an error", (response) => response.writeHead(500).end("{}")],
    ["no such page", (response) => response.writeHead(404).end("{}")],
    ["a page for people", (response) => response.end("<!doctype html>")],
    ["an empty answer", (response) => response.end()],
    ["a list", (response) => response.end("[]")],
    ["no keys", (response) => response.end('{"jwks":[]}')],
    ["keys that are none", (response) => response.end('{"keys":[null]}')],
    ["a redirect", (response) => response.writeHead(302, { location: "/elsewhere" }).end()],
    ["a megabyte", (response) => response.end(JSON.stringify({ keys: [], x: "x".repeat(1_048_576) }))],
    ["half an answer", (response) => response.write('{"keys":[') && setTimeout(() => response.destroy(), 20)],
    ["a closed connection", (response) => response.destroy()],
  ];

  it.each(failures)("says so, rather than guess: %s", async (_, fail) => {
    authority.serve(JWKS, (__, response) => fail(response));
    authority.serve("/elsewhere", { keys: [publicJwk(current)] });
    const door = await trusting();
    expect(await door.ask(tokenOf(current))).toMatchObject(cannotTell);
    // It waits a second before it asks again.
    for (let i = 0; i < 5; i++) expect(await door.ask(tokenOf(current))).toMatchObject(cannotTell);
    expect(authority.asked.map(({ path }) => path)).toEqual([JWKS]);
    publish(current);
    pass(1.1);
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    expect((await door.ask(tokenOf(current))).client?.clientId).toBe("agent-prod");
  });

  it("gives up after five seconds of silence, and asks no more often for that", async () => {
    vi.useRealTimers();
    authority.serve(JWKS, () => {});
    const door = await trusting();
    const asked = await Promise.all([1, 2, 3].map(() => door.ask(tokenOf(current))));
    expect(asked).toMatchObject([cannotTell, cannotTell, cannotTell]);
    expect(fetches()).toBe(1);
  });

  it("waits longer each time, up to half a minute", async () => {
    authority.serve(JWKS, (_, response) => response.destroy());
    const door = await trusting();
    const waits: number[] = [];
    for (let waited = 0, seconds = 0; seconds < 150; seconds++, waited++) {
      const before = fetches();
      await door.ask(tokenOf(current));
      if (fetches() > before) {
        waits.push(waited);
        waited = 0;
      }
      pass(1);
    }
    expect(waits).toEqual([0, 1, 2, 4, 8, 16, 30, 30, 30]);
  });

  it("makes no token wait whose key it has", async () => {
    publish(current);
    const door = await trusting();
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    authority.serve(JWKS, () => {}); // Never answers.
    pass(600);
    const begun = performance.now();
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    expect(performance.now() - begun).toBeLessThan(3_000);
  });

  it("uses those that it has for a day, and no longer", async () => {
    publish(current);
    const door = await trusting();
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    authority.serve(JWKS, (_, response) => response.destroy());
    pass(A_DAY - 60);
    expect((await door.ask(tokenOf(current))).status).toBe(200);
    pass(120);
    expect(await door.ask(tokenOf(current))).toMatchObject(cannotTell);
  });
});

describe("keys of a set that sign no tokens", () => {
  const secret = secretKey("of-thirty-two-bytes-and-a-few-more");
  const rsa = rsaKey("RS256", "rsa");
  const short = rsaKey("RS256", "short", 1_024);
  const encrypting = ecKey("ES256", "encrypting");
  const narrow = rsaKey("RS512", "narrow");
  const operating = ecKey("ES256", "operating");
  const ed = edKey("EdDSA", "ed");

  const set = [
    {},
    { kty: "RSA", kid: "broken", n: "AQAB" },
    { kty: "unknown", kid: "unknown" },
    { ...secret.key.export({ format: "jwk" }), kid: "secret", alg: "HS256" },
    publicJwk(rsa),
    publicJwk(short),
    publicJwk(encrypting, { use: "enc" }),
    publicJwk(narrow),
    publicJwk(operating, { key_ops: ["encrypt"] }),
    publicJwk(ed),
  ];

  it("are passed over, and the others are not", async () => {
    authority.serve(JWKS, { keys: set });
    const door = await trusting();
    expect((await door.ask(tokenOf(rsa))).status).toBe(200);
    expect((await door.ask(tokenOf(narrow))).status).toBe(200);
    expect((await door.ask(tokenOf(ed))).status).toBe(200);
    // Without a key id every key of the kind is tried.
    expect((await door.ask(tokenOf(rsa, { kid: undefined }))).status).toBe(200);
    const refused = {
      "a secret in the set": tokenOf(secret, { kid: "secret" }),
      "an RSA key that is too short": tokenOf(short),
      "a key for encryption": tokenOf(encrypting),
      "a key for other operations": tokenOf(operating),
      "a key for another algorithm": tokenOf({ ...narrow, alg: "RS256" }),
      "the key id of another key": tokenOf(rsa, { kid: "narrow" }),
      "the key id of a key of another kind": tokenOf(rsa, { kid: "ed" }),
      "the key id of a broken key": tokenOf(rsa, { kid: "broken" }),
      "a key id that is not there": tokenOf(rsa, { kid: "nowhere" }),
    };
    for (const [what, token] of Object.entries(refused))
      expect({ what, status: (await door.ask(token)).status }).toEqual({ what, status: 401 });
  });

  it("are those of other algorithms than the author names", async () => {
    authority.serve(JWKS, { keys: set });
    const door = await trusting({ algorithms: ["EdDSA"] });
    expect((await door.ask(tokenOf(ed))).status).toBe(200);
    expect(await door.ask(tokenOf(rsa))).toMatchObject({
      status: 401,
      message: "Unsupported JWT algorithm: 'RS256'. Only EdDSA is accepted.",
    });
  });
});

describe("an issuer's metadata", () => {
  const tokenBy = (issuer: string) => signed(current, { iss: issuer, aud: undefined });

  it.each([
    ["", "/.well-known/oauth-authorization-server"],
    ["", "/.well-known/openid-configuration"],
    ["/realms/main", "/.well-known/oauth-authorization-server/realms/main"],
    ["/realms/main", "/.well-known/openid-configuration/realms/main"],
    ["/realms/main", "/realms/main/.well-known/openid-configuration"],
  ])("say where its keys are: issuer %j, at %s", async (path, place) => {
    const issuer = `${authority.issuer}${path}`;
    publish(current);
    authority.serve(place, { issuer, jwks_uri: `${authority.issuer}${JWKS}` });
    const door = await doorOf(jwtAuth({ discovery: issuer }));
    expect((await door.ask(tokenBy(issuer))).client).toMatchObject({ clientId: "agent-prod", issuer });
    expect(await door.ask(tokenBy(`${issuer}/`))).toMatchObject({
      status: 401,
      message: "Token issuer not accepted",
    });
    expect(fetches()).toBe(1);
  });

  it.each([
    ["name another issuer", { issuer: "https://evil.example" }],
    ["name the issuer with a slash", { issuer: "/" }],
    ["name none", { issuer: undefined }],
    ["have no key set", { jwks_uri: undefined }],
    ["have a key set that anybody could answer for", { jwks_uri: "http://keys.example.com/jwks" }],
    ["have a key set in a file", { jwks_uri: "file:///etc/jwks.json" }],
    ["have a key set that is no text", { jwks_uri: ["https://id.example.com/jwks"] }],
  ])("are not believed where they %s", async (_, wrong: object) => {
    const { issuer } = authority;
    publish(current);
    const metadata = { issuer, jwks_uri: `${issuer}${JWKS}`, ...wrong };
    if (metadata.issuer === "/") metadata.issuer = `${issuer}/`;
    authority.serve("/.well-known/oauth-authorization-server", metadata);
    const door = await doorOf(jwtAuth({ discovery: issuer }));
    expect(await door.ask(tokenBy(issuer))).toMatchObject(cannotTell);
    expect(fetches()).toBe(0);
  });

  it("are asked for again with the keys, which may have moved", async () => {
    const { issuer } = authority;
    const place = "/.well-known/oauth-authorization-server";
    publish(old);
    authority.serve(place, { issuer, jwks_uri: `${issuer}${JWKS}` });
    const door = await doorOf(jwtAuth({ discovery: issuer }));
    expect((await door.ask(signed(old, { iss: issuer, aud: undefined }))).status).toBe(200);
    authority.serve("/moved", { keys: [publicJwk(current)] });
    authority.serve(place, { issuer, jwks_uri: `${issuer}/moved` });
    expect((await door.ask(tokenBy(issuer))).status).toBe(200);
  });
});
