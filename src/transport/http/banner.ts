/** What a server says of itself when it starts. */

import { announced } from "../../core/calls/logger.ts";
import type { Runtime } from "../../core/runtime.ts";
import type { Sealed } from "../../core/sealed/sealed.ts";

/** Says where a server is, what is registered, and who may use it: where people read the log in lines, else as an entry of it. */
export function greet(
  { name, authentications, routes, logger }: Runtime,
  sealed: Sealed,
  endpoint: string,
  allowUnauthenticated: string | undefined,
  processes?: number,
): void {
  const { tools, resources, templates, prompts } = sealed;
  const facts: Record<string, readonly string[]> = {
    tools: [...tools.keys()],
    resources: [...resources.keys(), ...templates.map(({ operation }) => operation.name)],
    prompts: [...prompts.keys()],
    public: authentications.length > 0 ? publicNames(sealed) : ["everything: no authenticator is installed"],
    "sign-in": routes.flatMap(({ notice }) => notice ?? []),
    exposed: allowUnauthenticated === undefined ? [] : [`because: ${allowUnauthenticated}`],
  };
  const told = Object.entries(facts).filter(([, values]) => values.length > 0);
  const headline = `${name} serves MCP at ${endpoint}`;
  const lines = told.map(([what, values]) => `  ${what.padEnd(10)} ${values.join(", ")}`);
  if (processes !== undefined) lines.push(`  processes  ${processes}`);
  announced(logger, { url: endpoint, ...Object.fromEntries(told), processes }, headline, lines);
}

/** What anybody may use. */
function publicNames({ tools, resources, templates, prompts }: Sealed): readonly string[] {
  const names = [...tools.values(), ...resources.values(), ...templates, ...prompts.values()].flatMap(
    ({ operation: { access, name } }) => (access === "public" ? [name] : []),
  );
  return names.length > 0 ? names : ["nothing"];
}
