/** The server of the guide's steps 4 to 6, and what those steps leave open. */

import {
  MCPServer,
  type MCPServerOptions,
  ToolError,
  allOf,
  anyOf,
  authenticate,
  guard,
  hasAllRoles,
  hasAllScopes,
  hasRole,
  hasScope,
  requireClientId,
} from "gantry-mcp";
import { z } from "zod";
import { tokens } from "./tokens.ts";

declare module "gantry-mcp" {
  interface ClientExtra {
    plan?: string;
  }
}

const json = { mimeType: "application/json" };
const one = z.object({ task_id: z.string() });
const OWNERS: Readonly<Record<string, string>> = { "1": "agent-prod", "2": "agent-viewer" };
const ownsTask = guard<{ readonly task_id: string }>(
  "owner",
  ({ task_id }, { client }) => OWNERS[task_id] === client.clientId,
  { message: "Only its owner may touch a task" },
);

export interface IdentityOptions extends Partial<MCPServerOptions> {
  /** The step's server is open where nothing is said: `optional` of the guide. */
  readonly optional?: boolean;
}

/** A server that tells, through `observe`, whom its hook saw and what its handlers and guards did. */
export function identityServer({ optional = false, ...options }: IdentityOptions = {}): MCPServer {
  const seen: string[] = [];
  const note = <T>(what: string, value: T): T => {
    seen.push(what);
    return value;
  };
  const server = new MCPServer({ name: "task-api", version: "1.0.0", ...options }).use(
    authenticate(tokens, {
      optional,
      onAuthenticate: (client, ctx) => {
        note(`hook ${ctx.operation.kind} ${ctx.operation.name} for ${client.clientId}`, undefined);
        const { hook, plan } = client.claims;
        if (hook === "refuses") throw new ToolError("This organisation is closed");
        if (hook === "breaks") throw new Error("secret of the hook");
        if (hook === "refuses late")
          return Promise.reject(new ToolError("This organisation is closed on Sundays"));
        if (hook === "waits")
          return new Promise<void>((resolve) => {
            setTimeout(() => {
              client.extra.plan = String(plan);
              resolve();
            }, 20);
          });
        if (typeof plan === "string") client.extra.plan = plan;
        return undefined;
      },
    }),
  );

  // Step 4
  server
    .tool("health_check", { description: "Check server health.", public: true }, () => ({
      status: "healthy",
    }))
    .tool(
      "create_task",
      { description: "Create a task.", auth: true, input: z.object({ title: z.string() }) },
      ({ title }, { client }) => note("create_task", { id: "1", title, created_by: client.clientId }),
    )
    .tool("delete_task", { description: "Delete a task.", roles: ["admin"], input: one }, ({ task_id }) =>
      note("delete_task", { deleted: task_id }),
    )
    .tool("whoami", { description: "Who calls.", auth: true }, (_args, { client }) => ({
      client_id: client.clientId,
      roles: [...client.roles].toSorted(),
      scopes: [...client.scopes].toSorted(),
      issuer: client.issuer,
      subject: client.subject,
      tenant: client.tenantId,
      ip_address: client.ipAddress,
      user_agent: client.userAgent,
      extra: client.extra,
      authenticated: client.authenticated,
    }))
    .tool(
      "greet",
      { description: "Greets anybody, by name where it knows it.", public: true },
      (_args, { client }) => ({
        hello: client.clientId,
        ...(client.authenticated && { extra: client.extra }),
      }),
    )
    .tool("unsaid", { description: "Says nothing of its callers." }, () => note("unsaid", "ran"))
    .tool("observe", { description: "What has happened so far.", public: true }, () => seen);

  // Step 5
  server
    .tool(
      "approve_task",
      { description: "Approve.", auth: true, input: one, guards: [hasRole("manager", "admin")] },
      ({ task_id }) => note("approve_task", { approved: task_id }),
    )
    .tool(
      "refund_payment",
      {
        description: "Refund.",
        input: z.object({ payment_id: z.string() }),
        guards: [hasAllRoles("billing", "admin")],
      },
      ({ payment_id }) => note("refund_payment", { refunded: payment_id }),
    )
    .tool(
      "bulk_update",
      {
        description: "Update many.",
        input: z.object({ task_ids: z.array(z.string()) }),
        guards: [hasScope("tasks:write")],
      },
      ({ task_ids }) => note("bulk_update", { updated: task_ids.length }),
    )
    .tool(
      "export_and_archive",
      {
        description: "Export.",
        input: z.object({ project: z.string() }),
        guards: [hasAllScopes("tasks:write", "tasks:read")],
      },
      ({ project }) => note("export_and_archive", { archived: project }),
    )
    .tool(
      "deploy",
      {
        description: "Deploy.",
        input: z.object({ version: z.string() }),
        guards: [requireClientId("agent-prod", "agent-staging")],
      },
      ({ version }) => note("deploy", { deployed: version }),
    )
    .tool(
      "of_any_tenant",
      { description: "For tenants.", tenant: true },
      (_args, { client }) => client.tenantId,
    )
    .tool("of_acme", { description: "For one tenant.", tenant: ["acme", "acme-eu"] }, () => "acme")
    .tool(
      "in_order",
      {
        description: "Asks much.",
        roles: ["writer"],
        scopes: ["tasks:write"],
        tenant: "acme",
        guards: [
          guard("first", () => note("guard first", true)),
          hasRole("late"),
          guard("second", ({ stop }: { stop: boolean }) => note("guard second", !stop)),
          guard("third", () => note("guard third", true)),
        ],
        input: z.object({ stop: z.boolean().default(false) }),
      },
      () => note("in_order", "ran"),
    )
    .tool(
      "edit_task",
      {
        description: "Edit a task.",
        input: z.object({ task_id: z.string().trim(), size: z.string().transform(Number).default(7) }),
        guards: [ownsTask, guard("size", (args: object) => note(`guard size ${JSON.stringify(args)}`, true))],
      },
      (args) => note("edit_task", args),
    )
    .tool(
      "either",
      {
        description: "One of two.",
        input: one,
        guards: [anyOf(hasRole("admin"), allOf(hasScope("tasks:write"), ownsTask))],
      },
      () => note("either", "ran"),
    )
    .tool(
      "broken_guard",
      {
        description: "Its guard throws.",
        guards: [
          guard("broken", () => {
            throw new Error("secret of the guard");
          }),
        ],
      },
      () => note("broken_guard", "ran"),
    )
    .tool(
      "forgetful_guard",
      { description: "Its guard answers no boolean.", guards: [guard("forgetful", () => "yes" as never)] },
      () => note("forgetful_guard", "ran"),
    );

  // Step 6
  server.tool(
    "premium_feature",
    { description: "Only for premium plans.", auth: true },
    (_args, { client }) => {
      if (client.extra.plan !== "premium") throw new ToolError("This feature requires a premium plan");
      return note("premium_feature", { result: "premium data" });
    },
  );

  // Resources and prompts
  return server
    .resource("config://app", { name: "config", description: "For all.", public: true, ...json }, () => ({
      ok: true,
    }))
    .resource("vault://keys", { name: "vault", description: "For admins.", roles: ["admin"], ...json }, () =>
      note("vault", { keys: 2 }),
    )
    .resource(
      "tasks://{task_id}",
      {
        name: "task",
        description: "For its owner.",
        guards: [ownsTask],
        complete: { task_id: ["1", "2"] },
        ...json,
      },
      ({ task_id }) => note("task", { id: task_id }),
    )
    .prompt("summary", { description: "For all.", public: true }, () => "Summarize.")
    .prompt(
      "audit",
      {
        description: "For auditors.",
        roles: ["auditor"],
        input: z.object({ year: z.string() }),
        complete: { year: ["2025", "2026"] },
      },
      ({ year }) => note("audit", `Audit ${year}.`),
    );
}
