/** Where credentials are looked for, and where they are not; what lists tell of what a caller may not use. */

import { MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { Door } from "../../support/door.ts";

const jwt = jwtAuth({ secret: "a secret of these tests, which knows no other" });
const token = await jwt.issue({ sub: "ada" });
const REFUSED = "Requires any of roles [admin], but client has [(none)]";
const other = await jwt.issue({ sub: "bob" });

describe("the Authorization header", () => {
  let door: Door;
  beforeAll(async () => {
    door = await Door.open(jwt);
  });
  afterAll(() => door.close());

  test.each([`Bearer ${token}`, `bearer ${token}`, `BEARER   ${token}`, token])(
    "is read: %#",
    async (authorization) => {
      expect(await door.ask({ authorization })).toMatchObject({ status: 200, client: { clientId: "ada" } });
    },
  );

  test.each([
    ["another scheme", `Basic ${token}`],
    ["a scheme of somebody's own", `Token ${token}`],
    ["a scheme alone", "Bearer"],
    ["nothing", ""],
    ["two tokens", `Bearer ${token} ${other}`],
    ["two credentials", `Bearer ${token}, Bearer ${other}`],
    ["parameters", `Bearer ${token},realm="x"`],
    ["quotes", `Bearer "${token}"`],
    ["two tokens as one", `Bearer ${token}.${other}`],
  ])("identifies nobody with %s", async (_what, authorization) => {
    expect(await door.ask({ authorization })).toMatchObject({ status: 401 });
  });

  test("that comes twice identifies nobody", async () => {
    const { status, text } = await door.answer({ authorization: [`Bearer ${token}`, `Bearer ${other}`] });
    expect([400, 401]).toContain(status);
    expect(text).not.toContain("ada");
  });
});

test.each([`/mcp?access_token=${token}`, `/mcp?token=${token}`, `/mcp?authorization=Bearer%20${token}`])(
  "a token in the URL identifies nobody: %#",
  async (path) => {
    const door = await Door.open(jwt);
    expect(await door.ask({}, path)).toMatchObject({ status: 401 });
    expect(JSON.stringify(door.log.entries())).not.toContain(token);
    await door.close();
  },
);

test.each(["x-access-token", "x-auth-token", "cookie", "proxy-authorization", "x-forwarded-authorization"])(
  "a token in the header %s identifies nobody",
  async (name) => {
    const door = await Door.open(jwt);
    const value = name === "cookie" ? `token=${token}` : `Bearer ${token}`;
    expect(await door.ask({ [name]: value })).toMatchObject({ status: 401 });
    await door.close();
  },
);

test('with listing: "all", lists show everything, and calls are refused all the same', async () => {
  const server = new MCPServer({ name: "t", version: "1.0.0", listing: "all", logger: capturedLog().logger })
    .use(authenticate(jwt))
    .tool("open", { description: "Open.", public: true }, () => "ran")
    .tool("closed", { description: "Closed.", roles: ["admin"] }, () => "ran");
  for (const options of [{}, { token }]) {
    const client = await TestClient.connect(server, options);
    expect((await client.listTools()).map(({ name }) => name)).toEqual(["open", "closed"]);
    await expect(client.call("closed")).rejects.toMatchObject({
      message: "token" in options ? REFUSED : "Missing authentication token",
    });
  }
  await server.close();
});
