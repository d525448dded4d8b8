import { generateKeyPairSync } from "node:crypto";
import { type JwtOptions, MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { afterAll, describe, expect, it, vi } from "vitest";
import { Door } from "../../support/door.ts";
import { listen } from "../../support/listening.ts";
import {
  AUDIENCE,
  ISSUER,
  ecKey,
  edKey,
  publicJwk,
  publicPem,
  rsaKey,
  secretKey,
  signed,
} from "../../support/signing.ts";

const secret = "of-thirty-two-bytes-and-a-few-more";
const key = secretKey(secret);
const named = { issuer: ISSUER, audience: AUDIENCE };

const open: { close(): Promise<void> }[] = [];
afterAll(() => Promise.all(open.map((each) => each.close())));

async function doorOf(options: JwtOptions): Promise<Door> {
  const door = await Door.open(jwtAuth(options));
  open.push(door);
  return door;
}

describe("what a token says of its caller", () => {
  it("may stand where the author says: in objects, and under names with dots", async () => {
    const door = await doorOf({
      secret,
      ...named,
      rolesClaim: "realm_access.roles",
      tenantClaim: "https://example.com/tenant",
    });
    const claims = {
      realm_access: { roles: ["admin", "", 7] },
      roles: ["of nothing"],
      "https://example.com/tenant": "acme",
      tenant_id: "other",
    };
    expect((await door.ask(signed(key, claims))).client).toMatchObject({
      roles: ["admin"],
      tenantId: "acme",
    });
    expect((await door.ask(signed(key, { realm_access: "roles" }))).client).toMatchObject({ roles: [] });
    expect((await door.ask(signed(key, { realm_access: { roles: {} } }))).client).toMatchObject({
      roles: [],
    });
  });

  it("is of one of several issuers, for one of several audiences", async () => {
    const other = "https://other.example.com";
    const door = await doorOf({ secret, issuer: [ISSUER, other], audience: [AUDIENCE, other] });
    for (const claims of [{}, { iss: other }, { aud: other }, { aud: ["https://third.example.com", other] }])
      expect((await door.ask(signed(key, claims))).status).toBe(200);
    expect(await door.ask(signed(key, { iss: AUDIENCE }))).toMatchObject({
      status: 401,
      message: "Token issuer not accepted",
      suggestion: "Request a token from the server's own issuer.",
    });
    expect(await door.ask(signed(key, { aud: ISSUER }))).toMatchObject({
      status: 401,
      message: "Token audience not accepted",
      suggestion: "Request a token for this server.",
    });
  });

  it("is for nobody where no audience is named", async () => {
    const door = await doorOf({ secret });
    expect((await door.ask(signed(key, { aud: undefined }))).status).toBe(200);
    expect(await door.ask(signed(key))).toMatchObject({
      status: 401,
      message: "Token audience not accepted",
    });
  });

  it("holds for a minute after it was verified, and never past its expiry", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      const door = await doorOf({ secret, ...named, leeway: 0 });
      const token = signed(key, { exp: Math.floor(Date.now() / 1_000) + 20 });
      expect((await door.ask(token)).status).toBe(200);
      vi.setSystemTime(Date.now() + 19_000 - (Date.now() % 1_000));
      expect((await door.ask(token)).status).toBe(200);
      vi.setSystemTime(Date.now() + 2_000);
      expect(await door.ask(token)).toMatchObject({
        status: 401,
        message: "Token expired",
        suggestion: "Request a new authentication token",
      });
    } finally {
      vi.useRealTimers();
    }
  });

  it("is what its issuer signed last: of others nothing is taken over", async () => {
    const door = await doorOf({ secret, ...named });
    const [first, second] = [signed(key, { sub: "first" }), signed(key, { sub: "second" })];
    const asked = await Promise.all([first, second, first, second].map((token) => door.ask(token)));
    expect(asked.map(({ client }) => client?.clientId)).toEqual(["first", "second", "first", "second"]);
  });
});

describe("a signature holds", () => {
  it.each([
    ...(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"] as const).map((alg) => rsaKey(alg)),
    ...(["ES256", "ES384", "ES512"] as const).map((alg) => ecKey(alg)),
    ...(["EdDSA", "Ed25519"] as const).map((alg) => edKey(alg)),
  ])("by $alg", async (each) => {
    const algorithms = [each.alg] as never[];
    const door = await doorOf({ publicKey: publicPem(each), algorithms, ...named });
    expect((await door.ask(signed(each))).client?.clientId).toBe("agent-prod");
  });
});

describe("issue()", () => {
  it("signs what the server accepts, whatever is written", async () => {
    const jwt = jwtAuth({ secret, ...named });
    const door = await Door.open(jwt);
    open.push(door);
    const token = await jwt.issue({ sub: "agent", iss: "x", aud: "y", exp: 1, iat: 1 }, { expiresIn: "15m" });
    const { client } = await door.ask(token);
    expect(client).toMatchObject({ clientId: "agent", issuer: ISSUER, audience: [AUDIENCE] });
    expect(client?.expiresAt).toBeGreaterThan(Date.now() / 1_000 + 890);
    expect(client?.expiresAt).toBeLessThan(Date.now() / 1_000 + 910);
    await expect(jwt.issue({}, { expiresIn: "10ms" })).rejects.toThrow("expiresIn is less than a second");
  });
});

describe("options that cannot be meant", () => {
  const said = (options: object): string => {
    try {
      jwtAuth(options as JwtOptions);
    } catch (error) {
      return (error as Error).message;
    }
    return "";
  };
  const rsa = rsaKey("RS256");
  const pem = publicPem(rsa);
  const privatePem = rsa.key.export({ format: "pem", type: "pkcs8" }) as string;
  const secp256k1 = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).publicKey;

  it.each<[string, object, string]>([
    ["no key", {}, "jwtAuth() needs exactly one of secret, publicKey, jwksUri, discovery"],
    ["two kinds of keys", { secret, publicKey: pem }, "jwtAuth() needs exactly one of"],
    [
      "a secret that is not set",
      { secret: undefined },
      "secret is not a string. Is its environment variable set?",
    ],
    ["a short secret", { secret: "short" }, "secret has 5 bytes, and HS256 needs at least 32"],
    ["a public key as secret", { secret: pem }, "A public key belongs to publicKey"],
    [
      "a JSON Web Key as secret",
      { secret: JSON.stringify(publicJwk(rsa)) },
      "A public key belongs to publicKey",
    ],
    ["a private key", { publicKey: privatePem }, "publicKey holds a private or secret key"],
    [
      "a private JSON Web Key",
      { publicKey: rsa.key.export({ format: "jwk" }) },
      "holds a private or secret key",
    ],
    [
      "a secret JSON Web Key",
      { publicKey: key.key.export({ format: "jwk" }) },
      "holds a private or secret key",
    ],
    ["no key at all", { publicKey: "ssh-rsa AAAA" }, "publicKey cannot be read: write PEM"],
    ["a short RSA key", { publicKey: publicPem(rsaKey("RS256", "short", 1_024)) }, "less than 2048 bits"],
    [
      "a curve of others",
      { publicKey: secp256k1.export({ format: "jwk" }) },
      "of a kind that signs no tokens here",
    ],
    [
      "a key of another algorithm",
      { publicKey: pem, algorithms: ["ES256"] },
      "algorithms can have RS256, RS384",
    ],
    ["no algorithm", { publicKey: pem, algorithms: [] }, "with this key, and needs at least one"],
    [
      "none as algorithm",
      { jwksUri: "https://id.example.com/jwks", algorithms: ["none"] },
      "algorithms can have RS256",
    ],
    [
      "a secret's algorithm for keys",
      { jwksUri: "https://id.example.com/jwks", algorithms: ["HS256"] },
      "algorithms can have",
    ],
    ["algorithms of a secret", { secret, algorithms: ["HS512"] }, 'unknown option "algorithms"'],
    ["keys in the clear", { jwksUri: "http://id.example.com/jwks" }, "jwksUri needs an https: URL"],
    ["keys in a file", { jwksUri: "file:///etc/jwks.json" }, "jwksUri needs an https: URL"],
    ["an issuer in the clear", { discovery: "http://id.example.com" }, "discovery needs an https: URL"],
    ["two issuers", { discovery: ISSUER, issuer: ISSUER }, "discovery names the issuer already"],
    [
      "an issuer over http:",
      { secret, issuer: "http://id.example.com" },
      "issuer is an http: URL of another machine",
    ],
    ["an issuer that is not set", { secret, issuer: undefined }, "issuer is empty"],
    ["no audience among several", { secret, audience: [] }, "audience is empty"],
    ["a claim without a name", { secret, rolesClaim: "" }, "rolesClaim needs the name of a claim"],
    ["a leeway that is none", { secret, leeway: "long" }, "leeway"],
    ["an unknown option", { secret, audiences: "x" }, 'Did you mean "audience"?'],
  ])("are refused: %s", (_, options, message) => {
    expect(said(options)).toContain(message);
    expect(said(options)).not.toContain(secret);
  });

  it.each([
    ["RSA", pem],
    ["P-256", publicPem(ecKey("ES256"))],
    ["P-384", publicPem(ecKey("ES384"))],
    ["P-521", publicPem(ecKey("ES512"))],
    ["Ed25519", publicPem(edKey("Ed25519"))],
  ])("are not keys of %s", (_, publicKey) => {
    expect(said({ publicKey })).toBe("");
  });
});

describe("a server that others reach", () => {
  const started = async (options: JwtOptions) => {
    const server = new MCPServer({
      name: "reached",
      version: "1.0.0",
      http: { publicUrl: "https://tasks.example.com" },
    }).use(authenticate(jwtAuth(options)));
    try {
      open.push(await listen(server, { host: "0.0.0.0" }));
      return "started";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("has to name who issues tokens, and for whom they are", async () => {
    const message = await started({ secret });
    expect(message).toContain("jwtAuth() of a server that others reach has to name who issues the tokens");
    expect(message).toContain("has to name for whom tokens must be, or those made for others would do");
    expect(await started({ secret, ...named })).toBe("started");
  });

  it("has no secret that guides print", async () => {
    expect(await started({ secret: "your-secret-key-min-32-chars-long!!", ...named })).toContain(
      "the secret is one that guides print: anybody can sign with it",
    );
  });
});
