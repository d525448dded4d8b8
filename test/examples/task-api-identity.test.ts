/** The Task API as people start it to sign in: on a laptop with its own tokens, in production with a provider's. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { IdentityProvider, ROBOT } from "../support/identity-provider.ts";
import { envelope } from "../support/wire.ts";
import { TaskApiProcess, projectRoot, taskApi } from "./task-api-process.ts";

let directory: string;
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "task-api-"));
});

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(directory, { recursive: true, force: true });
});

async function start(args: readonly string[], env?: Record<string, string>): Promise<TaskApiProcess> {
  const server = await TaskApiProcess.start(["--data-dir", directory, ...args], env);
  closing.push(() => server.end("SIGKILL"));
  return server;
}

async function provider(resource: string): Promise<IdentityProvider> {
  const started = await IdentityProvider.start({
    resource,
    scopes: ["any"],
    roles: { [ROBOT.id]: ["member"] },
  });
  closing.push(() => started.close());
  return started;
}

async function tokenFrom(response: Response): Promise<string> {
  const { access_token: token } = (await response.json()) as { access_token: string };
  return token;
}

async function as(url: string, token: string): Promise<Client> {
  const client = new Client({ name: "app", version: "1.0.0" });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  closing.unshift(() => client.close());
  return client;
}

const create = { name: "create_task", arguments: { task: { title: "Deploy" } } };

test("--auth dev: the team gets tokens from the server, and does what its roles allow", async () => {
  const server = await start(["--auth", "dev"]);
  expect((await fetch(server.url, envelope("tools/list"))).status).toBe(401);
  expect(server.stderr).toContain("POST /auth/token issues tokens to ana, ben, eve: for development only");

  // As the start prints it.
  const [, command = ""] = /ben \(member\) +curl -s (.*)/.exec(server.stderr) ?? [];
  const [url = "", ...fields] = command.split(/ -d /);
  const ben = await as(
    server.url,
    await tokenFrom(await fetch(url, { method: "POST", body: new URLSearchParams(fields.join("&")) })),
  );
  const tokenOf = async (name: string) =>
    tokenFrom(
      await fetch(new URL("/auth/token", server.url), {
        method: "POST",
        body: JSON.stringify({ client_id: name, client_secret: `${name}-secret` }),
      }),
    );
  expect(await ben.callTool(create)).toMatchObject({ structuredContent: { id: "1", created_by: "ben" } });
  const eve = await as(server.url, await tokenOf("eve"));
  expect(await eve.callTool(create)).toMatchObject({ isError: true });
  const ana = await as(server.url, await tokenOf("ana"));
  expect(await ana.callTool({ name: "delete_task", arguments: { task_id: "1" } })).toMatchObject({
    structuredContent: { deleted: "1" },
  });
});

test("--issuer and --resource: people come from the provider, with its roles", async () => {
  const port = await freePort();
  const resource = `http://127.0.0.1:${port}/mcp`;
  const { issuer, robotToken } = await withRobot(resource);
  const { url, stderr } = await start(["--port", String(port), "--issuer", issuer, "--resource", resource]);
  expect(url).toBe(resource);
  expect(stderr).toContain(`claude mcp add --transport http task-api ${url}\n`);

  const challenge = (await fetch(url, envelope("tools/list"))).headers.get("www-authenticate");
  const [, metadata = ""] = /^Bearer resource_metadata="(.*)"$/.exec(challenge ?? "") ?? [];
  expect(await (await fetch(metadata)).json()).toMatchObject({ resource, authorization_servers: [issuer] });
  expect((await fetch(new URL("/auth/token", url), { method: "POST" })).status).toBe(404);

  const robot = await as(url, await robotToken());
  expect(await robot.callTool(create)).toMatchObject({ structuredContent: { created_by: ROBOT.id } });
});

test("the environment says the same, and over stdio who started the server", async () => {
  const resource = "https://tasks.example.com/mcp";
  const { issuer, robotToken } = await withRobot(resource);
  const client = new Client({ name: "app", version: "1.0.0" });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ["--import", "tsx", taskApi, "--stdio", "--data-dir", directory],
      cwd: projectRoot,
      stderr: "ignore",
      env: {
        PATH: process.env["PATH"] ?? "",
        TASK_API_ISSUER: issuer,
        TASK_API_RESOURCE: resource,
        MCP_TOKEN: await robotToken(),
      },
    }),
  );
  closing.unshift(() => client.close());
  expect(await client.callTool(create)).toMatchObject({ structuredContent: { created_by: ROBOT.id } });
});

async function withRobot(resource: string) {
  const started = await provider(resource);
  return {
    issuer: started.issuer,
    robotToken: async () => tokenFrom(await started.robotToken("any")),
  };
}

test.each([
  [["--auth", "prod"], 2, "--auth prod is not known: write --auth dev"],
  [["--auth", "dev", "--stdio"], 2, "leave out --stdio"],
  [["--issuer", "https://id.example.com"], 2, "--issuer and --resource need each other"],
  [
    ["--auth", "dev", "--host", "0.0.0.0"],
    1,
    "The token endpoint /auth/token is for programs of this machine",
  ],
])("%j is refused", async (args, code, message) => {
  await expect(start(args)).rejects.toThrow(
    new RegExp(`ended with ${code} before[^]*${message.replaceAll(/[/().]/g, String.raw`\$&`)}`),
  );
});

test("--auth dev is refused in production", async () => {
  await expect(start(["--auth", "dev"], { NODE_ENV: "production" })).rejects.toThrow(
    "is for development, and NODE_ENV is production",
  );
});
