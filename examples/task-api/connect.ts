import type { TokenClient } from "gantry-mcp";
import { projectPath } from "./options.ts";

/** What to write where, so that today's clients use the server at `url`. */
export function howToConnect(url: string): string {
  return `
Connect a client to ${url}:

  Claude Code   claude mcp add --transport http task-api ${url}
  VS Code       in .vscode/mcp.json: { "servers": { "task-api": { "type": "http", "url": "${url}" } } }
  Cursor        in ~/.cursor/mcp.json: { "mcpServers": { "task-api": { "url": "${url}" } } }
  Inspector     npx @modelcontextprotocol/inspector --transport http --server-url ${url}

Or let a client start it over stdio:

  Claude Code   claude mcp add task-api -- node ${JSON.stringify(projectPath("scripts/start.mjs"))} --stdio
`;
}

/** How people of the team get tokens from the server at `url`, and where to write them. */
export function howToSignIn(url: string, clients: Readonly<Record<string, TokenClient>>): string {
  const people = Object.entries(clients).map(
    ([name, { secret, roles = [] }]) =>
      `  ${name} (${roles.join(", ") || "guest"})`.padEnd(16) +
      `curl -s ${new URL("/auth/token", url).href} -d client_id=${name} -d client_secret=${secret}`,
  );
  return `
Connect a client to ${url}:

  Claude Code   claude mcp add --transport http task-api ${url} --header "Authorization: Bearer $TOKEN"
  VS Code       in .vscode/mcp.json: { "servers": { "task-api": { "type": "http", "url": "${url}", "headers": { "Authorization": "Bearer …" } } } }
  Inspector     npx @modelcontextprotocol/inspector --transport http --server-url ${url} --header "Authorization: Bearer $TOKEN"

with the access_token of one of the team, which holds for an hour:

${people.join("\n")}
`;
}
