import { randomBytes } from "node:crypto";
import {
  MCPRouter,
  MCPServer,
  ToolResponse,
  authenticate,
  dependency,
  hasScope,
  jwtAuth,
  logging,
  memoryCache,
  rateLimit,
  timeout,
} from "gantry-mcp";
import { z } from "zod";
import { Database, sendNotification } from "./services.ts";

declare module "gantry-mcp" {
  interface ClientExtra {
    tier?: "free" | "enterprise";
  }
}

// Server set-up. Without a secret of yours, tokens are worth nothing after a restart.
const jwt = jwtAuth({ secret: process.env["JWT_SECRET"] ?? randomBytes(32) });
const server = new MCPServer({
  name: "task-api",
  version: "1.0.0",
  cache: { store: memoryCache({ maxSize: 500 }) },
});

// Middleware: the first is the outermost.
server.use(logging());
server.use(
  authenticate(jwt, {
    onAuthenticate: (client) => {
      client.extra.tier = "enterprise"; // here you would look it up
    },
  }),
);
server.use(timeout({ default: "30s" }));
server.use(rateLimit({ perMinute: 100 }));

// Middleware of your own: it sees what a response tells the server and not the client.
server.use({
  name: "audit",
  kinds: ["tool"],
  handle: async (ctx, next) => {
    const result = await next();
    if (ctx.metadata["action"]) console.error(`[AUDIT] ${ctx.requestId} ${JSON.stringify(ctx.metadata)}`);
    return result;
  },
});

// A dependency: one connection for each call that needs it, closed whatever becomes of the call.
const database = dependency(async function* () {
  const connection = await Database.connect();
  try {
    yield connection;
  } finally {
    await connection.close();
  }
});

// A router: its tools are tasks_list_tasks, tasks_create_task and tasks_delete_task.
const tasks = new MCPRouter({ prefix: "tasks", tags: ["tasks"] });

tasks.tool(
  "list_tasks",
  {
    description: "List tasks with optional status filter.",
    public: true,
    input: z.object({ status: z.string().default("all") }),
    cache: { ttl: "60s" },
    inject: { db: database },
  },
  ({ status }, { db }) => db.list(status),
);

tasks.tool(
  "create_task",
  {
    description: "Create a new task with audit trail.",
    guards: [hasScope("tasks:write")],
    input: z.object({ title: z.string().min(1), priority: z.int().min(1).max(5).default(3) }),
    invalidates: ["tasks"],
    inject: { db: database },
  },
  async ({ title, priority }, { client, background, db }) => {
    const task = await db.insert({ title, priority });
    background.add(sendNotification, "Task created", title); // begins after the answer
    const metadata = { actor: client.clientId, tier: client.extra.tier, action: "task.create" };
    return new ToolResponse(task, { metadata });
  },
);

tasks.tool(
  "delete_task",
  {
    description: "Delete a task (admin only).",
    roles: ["admin"],
    input: z.object({ task_id: z.string() }),
    invalidates: ["tasks"],
    inject: { db: database },
  },
  ({ task_id }, { db }) => db.delete(task_id),
);

tasks.resource(
  "tasks://{task_id}",
  { name: "task_detail", description: "Get task details by ID.", auth: true, inject: { db: database } },
  ({ task_id }, { db }) => db.find(task_id), // where it finds nothing, there is no such resource
);

tasks.prompt(
  "task_summary",
  {
    description: "Generate a prompt to summarize tasks for a project.",
    public: true,
    input: z.object({ project: z.string(), status: z.string().default("all") }),
  },
  ({ project, status }) => `Summarize all ${status} tasks for project ${project}.`,
);

server.include(tasks);

server.resource(
  "config://app",
  { name: "app_config", description: "Application configuration.", public: true },
  () => ({ version: "1.0.0", environment: process.env["NODE_ENV"] ?? "development" }),
);

// Tokens for development. In production an identity provider issues them: jwtAuth({ discovery, audience }).
server.enableTokenEndpoint(jwt, {
  clients: {
    agent: { secret: "dev-secret", roles: ["admin"] },
    writer: { secret: "writer-secret", scopes: ["tasks:write"] },
  },
});

// Lifecycle hooks
server.onStartup(() => console.error("Task API server ready"));
server.onShutdown(() => console.error("Task API server stopped"));

// Run
await server.run({ transport: "http", port: Number(process.env["PORT"] ?? 8080) });
