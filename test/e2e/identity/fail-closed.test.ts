/** What is left out, misspelt or half known lets nobody in. */

import { readdirSync, readFileSync } from "node:fs";
import { type AccessOptions, type Identity, MCPServer, authenticate, guard, jwtAuth } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { capturedLog } from "../../support/captured-log.ts";
import { listen } from "../../support/listening.ts";
import { issue, tokens } from "../../support/tokens.ts";

const make = () => new MCPServer({ name: "t", version: "1.0.0", logger: capturedLog().logger });

describe.each(["2026-07-28", "2025-11-25"] as const)("guards of one's own, %s", (era) => {
  const OWNERS: Readonly<Record<string, string>> = { 1: "ada", 2: "bob", 3: "ada" };
  const isOwner = guard("owner", ({ task_id }: { task_id: string }, { client }) => {
    const owner = OWNERS[task_id];
    if (owner === undefined) throw new Error("There is no such task");
    return owner === client.clientId;
  });
  const server = make()
    .use(authenticate(tokens))
    .resource(
      "tasks://{task_id}",
      {
        name: "task",
        description: "A task.",
        guards: [isOwner],
        complete: { task_id: () => ["1", "2", "3", "4"] },
      },
      ({ task_id }) => task_id,
    );

  test("are asked for each value that a completion would offer", async () => {
    const complete = async (sub: string) => {
      const client = await TestClient.connect(server, { era, token: issue({ sub }) });
      return client.complete({ template: "tasks://{task_id}" }, { name: "task_id", value: "" });
    };
    expect(await complete("ada")).toMatchObject({ values: ["1", "3"] });
    expect(await complete("bob")).toMatchObject({ values: ["2"] });
    expect(await complete("eve")).toMatchObject({ values: [] });
  });
});

describe("requirements", () => {
  const tool = (access: object) => () =>
    make().tool("x", { description: "X.", ...(access as AccessOptions) }, () => "ran");

  test.each(["roles", "scopes", "tenant", "guards"])("%s that are undefined are refused", (name) => {
    expect(tool({ [name]: undefined })).toThrow(
      `Tool "x": ${name} is undefined: is its environment variable set? Leave ${name} out to ask for none.`,
    );
  });

  test.each(["roles", "scopes"])("%s are not taken apart into letters", (name) => {
    expect(tool({ [name]: "admin" })).toThrow(`Tool "x": ${name} needs names, such as ["admin"].`);
  });
});

test.each([
  [{}],
  [[]],
  [{ clientId: "" }],
  [{ clientId: 5 }],
  [{ clientId: "ada", roles: "admin" }],
  ["ada"],
  [true],
])("an authenticator that gives %j lets nobody in", async (found) => {
  const { logger, entries } = capturedLog();
  let ran = 0;
  const server = new MCPServer({ name: "t", version: "1.0.0", logger })
    .use(authenticate({ authenticate: () => found as Identity }))
    .tool("open", { description: "Open.", public: true }, () => "open")
    .tool("x", { description: "X." }, () => ++ran);
  const trying = TestClient.connect(server).then((client) => client.call("x"));
  await expect(trying).rejects.toThrow("An internal error occurred.");
  expect(ran).toBe(0);
  expect(JSON.stringify(entries())).toContain("gives no identity: return {");
});

test("no secret that the documentation shows signs tokens where others reach the server", async () => {
  const pages = readdirSync("docs", { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".md"),
  );
  const text = pages.map((path) => readFileSync(`docs/${path}`, "utf8")).join("\n");
  const secrets = [...text.matchAll(/jwtAuth\(\{ secret: [^}]*?"([^"]{32,})"/g)].map(
    ([, secret]) => secret ?? "",
  );
  expect(secrets).toContain("at least 32 bytes, for development");
  for (const secret of new Set(secrets)) {
    const jwt = jwtAuth({ secret, issuer: "https://id.example.com", audience: "https://t.example.com/mcp" });
    const server = new MCPServer({
      name: "t",
      version: "1.0.0",
      logger: capturedLog().logger,
      http: { publicUrl: "https://t.example.com" },
    })
      .use(authenticate(jwt))
      .tool("x", { description: "X." }, () => "ran");
    await expect(listen(server)).rejects.toThrow(/secret/);
  }
});
