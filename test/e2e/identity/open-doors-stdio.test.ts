/** Every method on stdio, by a client that nobody knows: only what is declared public answers. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { canary, components, ownersToken } from "../../support/closed-server.ts";
import { methods } from "../../support/every-method.ts";
import { META } from "../../support/wire.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HANDSHAKE = {
  protocolVersion: "2025-11-25",
  capabilities: {},
  clientInfo: { name: "stranger", version: "1.0.0" },
};

const about = (name: string): readonly (readonly [string, object])[] => {
  const template = `${name.replaceAll("_", "-")}://`;
  const argument = { name: "value", value: "" };
  return [
    ["tools/call", { name, arguments: {} }],
    ["resources/read", { uri: `fixed://${name}` }],
    ["resources/read", { uri: `${template}x` }],
    ["prompts/get", { name, arguments: {} }],
    ["completion/complete", { ref: { type: "ref/prompt", name }, argument }],
    ["completion/complete", { ref: { type: "ref/resource", uri: `${template}{value}` }, argument }],
  ];
};

/** Asks everything of a process of its own, and gives its answers. */
async function ask(era: "modern" | "legacy", token?: string): Promise<readonly string[]> {
  const env = { ...process.env, ...(token !== undefined && { MCP_TOKEN: token }) };
  const child = spawn(process.execPath, ["--import", "tsx", "test/fixtures/closed-server.ts"], {
    cwd: ROOT,
    env,
    stdio: ["pipe", "pipe", "ignore"],
  });
  const asked = [
    ...(era === "legacy" ? [["initialize", HANDSHAKE] as const] : []),
    ...components(true).flatMap(({ name }) => about(name)),
    ...methods
      .filter((method) => !/^notifications|^initialize|\/listen$/.test(method))
      .map((method) => [method, {}] as const),
  ];
  const answers: string[] = [];
  const lines = createInterface({ input: child.stdout });
  asked.forEach(([method, params], id) => {
    const sent = era === "modern" ? { _meta: META, ...params } : params;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params: sent })}\n`);
  });
  for await (const line of lines) {
    if ("id" in (JSON.parse(line) as object)) answers.push(line);
    if (answers.length === asked.length) break;
  }
  child.stdin.end();
  child.kill();
  return answers;
}

test.each(["modern", "legacy"] as const)(
  "%s: a stranger is answered by what is public, its owner by everything",
  async (era) => {
    const [stranger, owner] = await Promise.all([ask(era), ask(era, ownersToken)]);
    const told = (answers: readonly string[]) =>
      components(true).filter(({ name }) => answers.some((line) => line.includes(`"${canary(name)}"`)));
    expect(told(stranger)).toEqual(components(true).filter(({ isPublic }) => isPublic));
    expect(told(owner)).toEqual(components(true));
    // Tools, resources, templates, prompts, and both completions of what is private.
    const isPrivate = components(true).filter(({ isPublic }) => !isPublic);
    const refused = stranger.filter((line) => line.includes("AUTHENTICATION_ERROR"));
    expect(refused.length).toBeGreaterThanOrEqual(isPrivate.length * 6);
  },
  60_000,
);
