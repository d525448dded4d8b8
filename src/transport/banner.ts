/** What a server says of itself when it starts. */

import type { Runtime } from "../runtime.ts";
import type { Sealed } from "../seal.ts";

/** The endpoint, what is registered, and who may use it. */
export function banner(
  { name, authentications, routes }: Runtime,
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
    authentications.length > 0
      ? line("public", publicNames(sealed)) || "  public     nothing"
      : "  public     everything: no authenticator is installed",
    ...routes.map(({ notice }) => (notice === undefined ? "" : `  tokens     ${notice}`)),
    allowUnauthenticated === undefined ? "" : `  exposed    because: ${allowUnauthenticated}`,
  ];
  return lines.filter((text) => text !== "").join("\n");
}

/** What anybody may use. */
function publicNames({ tools, resources, templates, prompts }: Sealed): readonly string[] {
  return [...tools.values(), ...resources.values(), ...templates, ...prompts.values()].flatMap(
    ({ operation: { access, name } }) => (access === "public" ? [name] : []),
  );
}

function line(what: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `  ${what.padEnd(10)} ${names.join(", ")}`;
}
