/** The server of the guide's steps 9 and 10: what it does stands in the order of events that `observe` gives. */

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MCPServer, type MCPServerOptions, ToolResponse, dependency } from "gantry-mcp";
import { z } from "zod";

class Database {
  readonly #events: string[];

  constructor(events: string[]) {
    this.#events = events;
  }

  async execute(sql: string): Promise<readonly object[]> {
    await sleep(1);
    this.#events.push(`execute ${sql}`);
    return [{ id: "1", title: "Review PR" }];
  }
}

export function pipelineServer(options: Partial<MCPServerOptions> = {}): MCPServer {
  const events: string[] = [];
  const pool = dependency({ scope: "server" }, () => ({ name: "pool" }));
  const database = dependency({ inject: { pool } }, async function* ({ operation }, injected) {
    await sleep(1);
    events.push(`connect ${operation.name} by ${injected.pool.name}`);
    try {
      yield new Database(events);
      events.push("close");
    } catch (error) {
      events.push(`close: ${(error as Error).message}`);
      throw error;
    }
  });
  const sendNotification = async (subject: string, data: string) => {
    await sleep(5);
    events.push(`${subject}: ${data}`);
    throw new Error("mail server gone");
  };
  const logAnalytics = (tool: string) => void events.push(`used ${tool}`);
  const input = z.object({ data: z.string() });

  return new MCPServer({ name: "task-api", version: "1.0.0", ...options })
    .use(async (ctx, next) => {
      const result = await next();
      if (Object.keys(ctx.metadata).length > 0) events.push(`metadata ${JSON.stringify(ctx.metadata)}`);
      return result;
    })
    .tool("observe", { description: "Gives what has happened." }, () => events)
    .tool(
      "query_tasks",
      { description: "Query tasks.", input: z.object({ sql: z.string() }), inject: { db: database } },
      ({ sql }, { db }) => db.execute(sql),
    )
    .tool("wait", { description: "Waits to be cancelled.", inject: { db: database } }, async (_args, ctx) => {
      await once(ctx.signal, "abort");
      throw new Error("whatever a handler fails with then");
    })
    .tool("process_data", { description: "Process data.", input }, ({ data }, { background }) => {
      background.add(sendNotification, "Data processed", data);
      background.add(logAnalytics, "process_data");
      events.push("process");
      return "Processing started";
    })
    .tool("traced_operation", { description: "Trace.", input }, ({ data }, { requestId, trace }) => ({
      processed: data,
      trace_id: requestId,
      parent: trace?.parentId ?? "none",
    }))
    .tool(
      "create_order",
      { description: "Create an order.", input: z.object({ product_id: z.string() }) },
      ({ product_id }) =>
        new ToolResponse(
          { order_id: "o-1", status: "created" },
          { metadata: { audit_action: "order.create", product_id } },
        ),
    )
    .resource(
      "tasks://{id}",
      { name: "task", description: "A task.", inject: { db: database } },
      ({ id }, { db }) => db.execute(id),
    )
    .prompt("plan", { description: "A plan.", inject: { db: database } }, async (_args, { db }) => {
      await db.execute("plan");
      return "Plan it.";
    });
}
