import {
  AuthenticationError,
  type Authenticator,
  MCPServer,
  apiKeyAuth,
  authenticate,
  firstOf,
  introspectionAuth,
  jwtAuth,
} from "gantry-mcp";
import { afterAll, describe, expect, it } from "vitest";
import { Door } from "../../support/door.ts";

const key = "gk_ci_0123456789abcdef";
const jwt = jwtAuth({ secret: "of-thirty-two-bytes-and-a-few-more" });
const apiKeys = apiKeyAuth({ keys: { ci: { key, roles: ["deployer"] } } });

const open: Door[] = [];
afterAll(() => Promise.all(open.map((door) => door.close())));

async function doorOf(...authenticators: readonly Authenticator[]): Promise<Door> {
  const door = await Door.open(firstOf(...authenticators));
  open.push(door);
  return door;
}

describe.each([
  ["tokens before keys", [jwt, apiKeys]],
  ["keys before tokens", [apiKeys, jwt]],
] as const)("a server that takes %s", (_, authenticators) => {
  it("knows callers by either", async () => {
    const door = await doorOf(...authenticators);
    expect((await door.ask(await jwt.issue({ sub: "agent" }))).client?.clientId).toBe("agent");
    expect((await door.ask({ "x-api-key": key })).client?.clientId).toBe("ci");
    expect((await door.ask(key)).client?.clientId).toBe("ci");
  });

  it("says of credentials that do not hold what the one says whose they are", async () => {
    const door = await doorOf(...authenticators);
    const foreign = jwtAuth({ secret: "another-secret-of-32-bytes-or-more" });
    expect(await door.ask(await foreign.issue({ sub: "agent" }))).toMatchObject({
      status: 401,
      message: "Invalid JWT signature",
      challenge: 'Bearer error="invalid_token", error_description="Invalid JWT signature"',
    });
    expect(await door.ask({ "x-api-key": "wrong" })).toMatchObject({
      status: 401,
      message: "Invalid API key",
    });
  });

  it("asks for credentials where there are none", async () => {
    const door = await doorOf(...authenticators);
    expect(await door.ask()).toMatchObject({
      status: 401,
      message: "Missing authentication token",
      challenge: "Bearer",
    });
  });
});

/** An authenticator that says what it is told to, and notes that it was asked. */
function saying(
  name: string,
  say: () => ReturnType<Authenticator["authenticate"]>,
  asked: string[],
): Authenticator {
  return {
    authenticate: () => {
      asked.push(name);
      return say();
    },
  };
}

describe("authenticators are asked in order", () => {
  const refuses = (message: string) => () => {
    throw new AuthenticationError(message);
  };
  const breaks = () => {
    throw new Error("secret of the authenticator");
  };

  it("until one accepts", async () => {
    const asked: string[] = [];
    const door = await doorOf(
      saying("none", () => undefined, asked),
      saying("refusing", refuses("Not mine"), asked),
      saying("refusing later", () => Promise.reject(new AuthenticationError("Not mine")), asked),
      saying("accepting", () => Promise.resolve({ clientId: "first" }), asked),
      saying("never asked", () => ({ clientId: "second" }), asked),
    );
    expect((await door.ask("token")).client?.clientId).toBe("first");
    expect(asked).toEqual(["none", "refusing", "refusing later", "accepting"]);
  });

  it("and the first that knows the credentials says why they do not hold", async () => {
    const door = await doorOf(
      saying("none", () => undefined, []),
      saying("one", refuses("Ticket expired"), []),
      saying("two", refuses("Unknown ticket"), []),
    );
    expect(await door.ask("token")).toMatchObject({
      status: 401,
      message: "Ticket expired",
      challenge: 'Bearer error="invalid_token", error_description="Ticket expired"',
    });
  });

  it("also where one of them breaks, which tells its callers nothing", async () => {
    const broken = saying("broken", breaks, []);
    const accepting = await doorOf(broken, apiKeys);
    expect((await accepting.ask({ "x-api-key": key })).client?.clientId).toBe("ci");
    const refusing = await doorOf(broken, saying("refusing", refuses("Unknown ticket"), []));
    const { client, message } = await refusing.ask("token");
    expect({ client, message }).toEqual({
      client: undefined,
      message: "An internal error occurred.",
    });
    expect(refusing.log.entries()).toMatchObject([{ err: { message: "secret of the authenticator" } }]);
  });
});

describe("where one cannot tell, since who knows is not there", () => {
  const away = introspectionAuth({
    endpoint: "http://127.0.0.1:9/introspect",
    clientId: "task-api",
    clientSecret: "secret",
  });

  it("others still accept", async () => {
    const door = await doorOf(away, apiKeys, jwt);
    expect((await door.ask(key)).client?.clientId).toBe("ci");
    expect((await door.ask(await jwt.issue({ sub: "agent" }))).client?.clientId).toBe("agent");
  });

  it.each([
    ["first", [away, apiKeys]],
    ["last", [apiKeys, away]],
  ] as const)(
    "callers are told to try again, rather than that their credentials do not hold: asked %s",
    async (_, all) => {
      const door = await doorOf(...all);
      expect(await door.ask("opaque")).toMatchObject({
        message: "Credentials cannot be verified at the moment",
        retryable: true,
      });
    },
  );
});

describe("what authenticators can grant together", () => {
  const asking = (role: string, ...authenticators: readonly Authenticator[]) => {
    const server = new MCPServer({ name: "grants", version: "1.0.0" });
    server.use(authenticate(firstOf(...authenticators)));
    server.tool("deploy", { description: "Deploys.", roles: [role] }, () => "done");
    return server.fetch(new Request("http://localhost/mcp", { method: "POST" })).then(
      () => "started",
      (error: unknown) => String(error),
    );
  };
  const readers = apiKeyAuth({ keys: { reader: { key: "gk_reader_0123456789abcdef", roles: ["reader"] } } });

  it("is what each of them can", async () => {
    expect(await asking("deployer", readers, apiKeys)).toBe("started");
    expect(await asking("reader", readers, apiKeys)).toBe("started");
    expect(await asking("admin", readers, apiKeys)).toContain(
      'Tool "deploy" asks for the role admin, which no caller can have',
    );
  });

  it("is anything where one of them can grant anything", async () => {
    expect(await asking("admin", readers, jwt)).toBe("started");
  });
});

describe("firstOf()", () => {
  it("needs authenticators", () => {
    expect(() => firstOf()).toThrow(
      "firstOf() needs authenticators: firstOf(jwtAuth({ … }), apiKeyAuth({ … })).",
    );
    expect(() => firstOf(jwt, undefined as never)).toThrow("firstOf() needs authenticators");
  });

  it("may be within another", async () => {
    const door = await doorOf(firstOf(apiKeys), firstOf(jwt));
    expect((await door.ask(await jwt.issue({ sub: "agent" }))).client?.clientId).toBe("agent");
    expect(await door.ask({ "x-api-key": "wrong" })).toMatchObject({
      status: 401,
      message: "Invalid API key",
    });
  });

  it("tells what is wrong with each where others reach the server", async () => {
    const endpoint = "https://id.example.com/introspect";
    const asking = introspectionAuth({ endpoint, clientId: "task-api", clientSecret: "secret" });
    const problems = firstOf(jwt, apiKeys, asking).problems?.({ exposed: true, production: true });
    expect(problems).toEqual([
      expect.stringContaining("jwtAuth() of a server that others reach has to name who issues the tokens"),
      expect.stringContaining("jwtAuth() of a server that others reach has to name for whom tokens must be"),
      expect.stringContaining("introspectionAuth() of a server that others reach has to name for whom"),
    ]);
  });
});
