import { type JwtOptions, jwtAuth } from "gantry-mcp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Authority } from "../support/authority.ts";
import { Door } from "../support/door.ts";
import {
  AUDIENCE,
  ISSUER,
  type SigningKey,
  ecKey,
  edKey,
  publicJwk,
  publicPem,
  rsaKey,
  secretKey,
} from "../support/signing.ts";
import { type Vector, accepted, refused } from "../support/token-vectors.ts";

const secret = "of-thirty-two-bytes-and-a-few-more";
const authority = await Authority.start();
afterAll(() => authority.close());

interface Trust {
  readonly key: SigningKey;
  readonly options: JwtOptions;
}

function keySet(key: SigningKey): Trust {
  const others = [rsaKey("RS256", "other-rsa"), ecKey("ES256", "other-ec"), edKey("EdDSA", "other-ed")];
  authority.serve("/jwks", { keys: [...others, key].map((each) => publicJwk(each)) });
  return { key, options: { jwksUri: `${authority.issuer}/jwks` } };
}

const trusts: readonly (readonly [string, () => Trust])[] = [
  ["a secret", () => ({ key: secretKey(secret), options: { secret } })],
  ["an RSA key", () => withPem(rsaKey("RS256"))],
  [
    "a P-256 key",
    () => {
      const key = ecKey("ES256");
      return { key, options: { publicKey: publicJwk(key) as { kty: string } } };
    },
  ],
  ["an Ed25519 key", () => withPem(edKey("EdDSA"))],
  ["a key set", () => keySet(rsaKey("RS256", "2027-01"))],
];

function withPem(key: SigningKey): Trust {
  return { key, options: { publicKey: publicPem(key) } };
}

describe.each(trusts)("a server that trusts %s", (_, trust) => {
  const { key, options } = trust();
  let door: Door;

  beforeAll(async () => {
    door = await Door.open(jwtAuth({ ...options, issuer: ISSUER, audience: AUDIENCE }));
  });
  afterAll(() => door.close());

  /** The tokens of whom anything else is said than `expected`. */
  async function deviations(vectors: readonly Vector[], expected: 200 | 401) {
    const found: object[] = [];
    for (const [what, token] of vectors) {
      const { status, client, message = "", challenge } = await door.ask(token);
      const isAsExpected =
        expected === 200
          ? status === 200 && client
          : // What is said repeats nothing of the token.
            status === 401 && !client && challenge && message.length < 200 && !message.includes("evil");
      if (!isAsExpected) found.push({ what, status, message, token: token.slice(0, 80) });
    }
    return found;
  }

  it("accepts every token that holds", async () => {
    expect(await deviations(accepted(key), 200)).toEqual([]);
  });

  it.each(Object.entries(refused))("refuses all: %s", async (__, vectors) => {
    expect(await deviations(vectors(key), 401)).toEqual([]);
  });

  it("serves the next caller, and has logged no mishap", async () => {
    expect(await deviations(accepted(key).slice(0, 1), 200)).toEqual([]);
    expect(door.log.entries().filter(({ level }) => level === "error")).toEqual([]);
  });
});

it("knows hundreds of ways in which a token does not hold, for each kind of key", () => {
  const ways = Object.values(refused).flatMap((vectors) => vectors(secretKey(secret)));
  expect(ways.length).toBeGreaterThan(300);
});
