/** What a server says of itself when it starts. */

import type { Sealed } from "../seal.ts";

/** The endpoint, what is registered, and who may use it. */
export function banner(
  name: string,
  sealed: Sealed,
  endpoint: string,
  allowUnauthenticated: string | undefined,
): string {
  const { tools, resources, templates, prompts } = sealed;
  const lines = [
    `${name} serves MCP at ${endpoint}`,
    line("tools", [...tools.keys()]),
    line("resources", [...resources.keys(), ...templates.map(({ operation }) => operation.name)]),
    line("prompts", [...prompts.keys()]),
    "  public     everything: no authenticator is installed",
    allowUnauthenticated === undefined ? "" : `  exposed    because: ${allowUnauthenticated}`,
  ];
  return lines.filter((text) => text !== "").join("\n");
}

function line(what: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `  ${what.padEnd(10)} ${names.join(", ")}`;
}
