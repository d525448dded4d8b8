/** What jwtAuth refuses before a token is seen: keys that would not protect. */

import { generateKeyPairSync } from "node:crypto";
import { ConfigurationError, type JwtOptions, MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";

const SECRET = "a secret of these tests, which knows no other";
const ISSUER = "https://id.example.com";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (key: typeof rsa.publicKey) => key.export({ type: "spki", format: "pem" }) as string;
const privatePem = rsa.privateKey.export({ type: "pkcs8", format: "pem" }) as string;

/** The options, and what is said of them. */
const REFUSED: Readonly<Record<string, readonly [object, string]>> = {
  "no key": [{}, "needs exactly one of secret, publicKey, jwksUri, discovery"],
  "two keys": [{ secret: SECRET, publicKey: pem(ec.publicKey) }, "needs exactly one of"],
  "a secret that is not set": [{ secret: undefined }, "Is its environment variable set?"],
  "an empty secret": [{ secret: "" }, "has 0 bytes, and HS256 needs at least 32"],
  "a secret of 31 bytes": [{ secret: "x".repeat(31) }, "has 31 bytes"],
  "a public key as secret": [{ secret: pem(rsa.publicKey) }, "A public key belongs to publicKey"],
  "a JSON Web Key as secret": [
    { secret: JSON.stringify(ec.publicKey.export({ format: "jwk" })) },
    "A public key belongs to publicKey",
  ],
  "a private key as public one": [{ publicKey: privatePem }, "Give the server the public half alone"],
  "a private JSON Web Key": [
    { publicKey: ec.privateKey.export({ format: "jwk" }) },
    "Give the server the public half alone",
  ],
  "a shared secret as public key": [
    { publicKey: { kty: "oct", k: "c2VjcmV0" } },
    "Give the server the public half alone",
  ],
  "what is no key": [{ publicKey: "-----BEGIN PUBLIC KEY-----\nnonsense" }, "publicKey cannot be read"],
  "a short RSA key": [
    { publicKey: pem(generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey) },
    "less than 2048 bits",
  ],
  "a key that signs nothing": [
    { publicKey: pem(generateKeyPairSync("x25519").publicKey) },
    "signs no tokens here",
  ],
  "HS256 with a public key": [
    { publicKey: pem(rsa.publicKey), algorithms: ["HS256"] },
    "algorithms can have RS256, RS384, RS512, PS256, PS384, PS512 with this key",
  ],
  "an algorithm of another key": [
    { publicKey: pem(ec.publicKey), algorithms: ["RS256"] },
    "algorithms can have ES256 with this key",
  ],
  "no signature": [{ jwksUri: `${ISSUER}/jwks`, algorithms: ["none"] }, "algorithms can have"],
  "no algorithms": [{ publicKey: pem(ec.publicKey), algorithms: [] }, "needs at least one"],
  "keys over plain http": [{ jwksUri: "http://id.example.com/jwks" }, "needs an https: URL"],
  "an issuer over plain http": [{ discovery: "http://id.example.com" }, "needs an https: URL"],
  "an issuer that is not set": [{ secret: SECRET, issuer: undefined }, "issuer is empty"],
  "an audience that is empty": [{ secret: SECRET, audience: "" }, "audience is empty"],
  "no audiences": [{ secret: SECRET, audience: [] }, "audience is empty"],
  "an issuer beside discovery": [{ discovery: ISSUER, issuer: ISSUER }, "names the issuer already"],
  "a typo": [{ secret: SECRET, audiance: "a" }, 'unknown option "audiance"'],
};

test.each(Object.entries(REFUSED))("refuses %s, and repeats no key", (_what, [options, problem]) => {
  let thrown: unknown;
  try {
    jwtAuth(options as JwtOptions);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConfigurationError);
  const said = (thrown as Error).message;
  expect(said).toContain(problem);
  expect(said).not.toContain(privatePem.split("\n")[1]);
  expect(said).not.toContain(SECRET);
});

describe("a server that others reach", () => {
  const start = (options: JwtOptions) => {
    const server = new MCPServer({
      name: "t",
      version: "1.0.0",
      logger: capturedLog().logger,
      http: { publicUrl: "https://tasks.example.com" },
    })
      .use(authenticate(jwtAuth(options)))
      .tool("any", { description: "Any." }, () => "ran");
    return listen(server);
  };
  const whole = { issuer: ISSUER, audience: "https://tasks.example.com/mcp" };

  test.each(["your-secret-key-min-32-chars-long!!", "a-string-secret-at-least-256-bits-long"])(
    "does not take the secret %s, which anybody has read",
    async (secret) => {
      await expect(start({ secret, ...whole })).rejects.toThrow("the secret is one that guides print");
    },
  );

  test("names who issues tokens and for whom they must be", async () => {
    await expect(start({ secret: SECRET })).rejects.toMatchObject({
      problems: [
        'jwtAuth() of a server that others reach has to name who issues the tokens: { issuer: "https://id.example.com" }.',
        'jwtAuth() of a server that others reach has to name for whom tokens must be, or those made for others would do: { audience: "https://tasks.example.com/mcp" }.',
      ],
    });
    await (await start({ secret: SECRET, ...whole })).close();
  });
});
