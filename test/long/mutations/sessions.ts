/** Sessions of 2025-era clients. */

import type { Room } from "./defence.ts";

export const sessionsRooms: readonly Room[] = [
  {
    name: "sessions",
    tests: ["test/e2e/talking/sessions"],
    defences: [
      {
        what: "cap",
        file: "src/transport/endpoint/sessions.ts",
        find: 'if (this.#entries.size + this.#opening >= this.#options.max) return "full";',
        replace: "",
      },
      {
        what: "idle expiry",
        file: "src/transport/endpoint/sessions.ts",
        find: "if (uses === 0 && lastUsed < oldest) void this.#end(id);",
        replace: "",
      },
      {
        what: "a session in use does not expire",
        file: "src/transport/endpoint/sessions.ts",
        find: "if (uses === 0 && lastUsed < oldest)",
        replace: "if (lastUsed < oldest)",
      },
      {
        what: "unknown ids",
        file: "src/transport/endpoint/sessions.ts",
        find: "await this.#open(principal) : this.#entries.get(id);",
        replace: "await this.#open(principal) : this.#entries.get(id) ?? (await this.#open(principal));",
      },
      {
        what: "a session is its client's",
        file: "src/transport/endpoint/sessions.ts",
        find: "if (!entry || !belongs(entry, principal))",
        replace: "if (!entry)",
        tests: ["test/e2e/talking/principals"],
      },
      {
        what: "handshakes that fail",
        file: "src/transport/endpoint/sessions.ts",
        find: 'if (id === undefined && reply.headers?.["mcp-session-id"] === undefined) await this.#end(entry.id);',
        replace: "",
      },
      {
        what: "events of another session",
        file: "src/sdk/session.ts",
        find: "return replay?.streamId.startsWith(`${this.#id}/`) ? replay : undefined;",
        replace: "return replay;",
      },
      {
        what: "revision",
        file: "src/transport/endpoint/sessions.ts",
        find: "if (id !== undefined && version !== undefined && !LEGACY.includes(version))",
        replace: "if (false)",
      },
      {
        what: "origins",
        file: "src/transport/endpoint/endpoint.ts",
        find: "origin !== undefined && !this.#gate.allowsOrigin(origin)) {\n      return invalidRequest",
        replace:
          'method === "POST" && origin !== undefined && !this.#gate.allowsOrigin(origin)) {\n      return invalidRequest',
      },
      {
        what: "requests under way",
        file: "src/transport/endpoint/endpoint.ts",
        find: "this.#full && asksSomething(value) ? BUSY",
        replace: "false ? BUSY",
      },
      {
        what: "stored messages by number",
        file: "src/core/sharing/events.ts",
        find: "events.size <= capacity && length <= maxLength",
        replace: "length <= maxLength",
        tests: ["test/unit/event-store"],
      },
      {
        what: "stored messages by size",
        file: "src/core/sharing/events.ts",
        find: "events.size <= capacity && length <= maxLength",
        replace: "events.size <= capacity",
        tests: ["test/unit/event-store"],
      },
      {
        what: "messages of a session that ended",
        file: "src/sdk/session.ts",
        find: "await this.#store.forget();",
        replace: "",
      },
      {
        what: "refusals with the specification's codes",
        file: "src/transport/endpoint/sessions.ts",
        find: "return invalidRequest(status, error.message, id);",
        replace: "return { status, body: text };",
      },
    ],
  },
];
