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
