/** Background work, metadata, state and traces, as handlers see them. Checked by the compiler; never run. */

import { type TraceContext, MCPServer, ToolResponse } from "gantry-mcp";
import { z } from "zod";
import { exactly } from "./assertions.ts";

const server = new MCPServer({ name: "types", version: "1.0.0" });
const description = "d";
const output = z.object({ n: z.number() });

server.tool("act", { description }, (_args, { background, trace, state, metadata }) => {
  const send = async (subject: string, count: number) => subject.repeat(count);
  background.add(send, "done", 2);
  background.add(() => {});
  // @ts-expect-error -- count is a number
  background.add(send, "done", "2");
  // @ts-expect-error -- count is missing
  background.add(send, "done");
  exactly<TraceContext | undefined>()(trace);
  exactly<unknown>()(state["anything"]);
  // @ts-expect-error -- what a response says of itself is not changed
  metadata["a"] = 1;
  return new ToolResponse({ any: "value" }, { metadata: { a: 1 } });
});

server.tool("declared", { description, output }, () => new ToolResponse({ n: 1 }));
server.tool("later", { description, output }, async () => new ToolResponse({ n: 1 }, { metadata: { a: 1 } }));
server.tool("either", { description, output }, () =>
  Math.random() > 0.5 ? new ToolResponse({ n: 1 }) : { n: 2 },
);
// @ts-expect-error -- n is a number
server.tool("wrong", { description, output }, () => new ToolResponse({ n: "1" }));
// @ts-expect-error -- metadata are an object
export const malformed = new ToolResponse("done", { metadata: "fact" });
