/** One client on standard input and output, and the official SDK between. */

import type { Room } from "./defence.ts";

export const stdioRooms: readonly Room[] = [
  {
    name: "stdio",
    tests: ["test/e2e/lifecycle"],
    defences: [
      {
        what: "stdout kept clean",
        file: "src/transport/stdio.ts",
        find: "process.stdout.write = process.stderr.write.bind(process.stderr);",
        replace: "",
      },
      {
        what: "strict JSON",
        file: "src/sdk/stdio-wire.ts",
        find: "if (problem !== undefined) return { code: RPC.parseError,",
        replace: "if (false) return { code: RPC.parseError,",
        tests: ["test/unit/sdk/stdio-wire"],
      },
      {
        what: "the revision of every message",
        file: "src/sdk/stdio-wire.ts",
        find: 'typeof claim === "string" && claim !== MODERN',
        replace: 'typeof claim === "never"',
        tests: ["test/unit/sdk/stdio-wire"],
      },
      {
        what: "length of a line",
        file: "src/sdk/stdio-wire.ts",
        find: "{ maxBufferSize: LONGEST_LINE }",
        replace: "{ maxBufferSize: 2 ** 30 }",
        tests: ["test/unit/sdk/stdio-wire"],
      },
      {
        what: "answers before the end",
        file: "src/transport/stdio.ts",
        find: "await within(limit, connection.idle());",
        replace: "",
        tests: ["test/e2e/drain.test"],
      },
      {
        what: "a call does not wait for who is gone",
        file: "src/sdk/stdio-wire.ts",
        find: 'for (const id of this.#asked) this.onmessage?.({ jsonrpc: "2.0", id, error });',
        replace: "void error;",
        tests: ["test/e2e/talking/ending"],
      },
    ],
  },
  {
    name: "bridge",
    tests: ["test/e2e/unpresentable", "test/e2e/talking/asking", "test/e2e/talking/sessions"],
    defences: [
      {
        what: "unexpected errors masked",
        file: "src/sdk/bridge.ts",
        find: "const shown = internalError(error);",
        replace: "const shown = new MCPError(String(error));",
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "results that cannot be written",
        file: "src/sdk/bridge.ts",
        find: "      JSON.stringify(result);\n",
        replace: "",
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "unknown methods",
        file: "src/sdk/bridge.ts",
        find: "if (!isMethod(method)) throw protocolError(methodNotFound(method));",
        replace: "if (!isMethod(method)) return {};",
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "params",
        file: "src/sdk/bridge.ts",
        find: 'if ("error" in read) throw protocolError(read.error);',
        replace: 'if ("error" in read) return {};',
        tests: ["test/e2e/talking/sessions"],
      },
      {
        what: "cancellation reaches the handler",
        file: "src/sdk/bridge.ts",
        find: 'mcpReq.signal.addEventListener("abort", cancel, { once: true });',
        replace: "",
        tests: ["test/e2e/talking/streams"],
      },
      {
        what: "a question is withdrawn with its call",
        file: "src/sdk/bridge.ts",
        find: "{ signal, timeout: this.#codec.ttl }",
        replace: "{ timeout: this.#codec.ttl }",
        tests: ["test/e2e/talking/sessions", "test/e2e/talking/asking"],
      },
    ],
  },
];
