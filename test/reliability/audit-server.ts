/** A server with an audit log in a process of its own, which is killed. It prints its URL, and takes its log's name. */

import { MCPServer, audit } from "gantry-mcp";
import { z } from "zod";
import { AUDIT_KEY } from "./audit-key.ts";

const server = new MCPServer({ name: "audited", version: "1.0.0" })
  .use(
    audit({
      file: process.argv[2] as string,
      key: AUDIT_KEY,
      kinds: ["tool"],
      // Small, so that kills come between files and among checkpoints too.
      rotation: { bytes: 30_000 },
      checkpoints: { records: 20 },
    }),
  )
  .tool(
    "act",
    { description: "Acts.", input: z.object({ id: z.string() }), audit: { fields: ["id"] } },
    () => "done",
  );

const { url } = await server.run({ transport: "http", port: 0 });
process.stdout.write(`${url}\n`);
