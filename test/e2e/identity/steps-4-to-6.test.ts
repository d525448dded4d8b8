/** What the guide's steps 4 to 6 promise, seen by the official clients over HTTP, in sessions and on stdio. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CALLER_WAYS, type Caller, Callers, type Refusal } from "../../support/callers.ts";
import type { Claims } from "../../support/tokens.ts";

const PROD = {
  sub: "agent-prod",
  roles: ["write", "admin"],
  scope: "write read",
  iss: "https://id.example.com",
  tenant_id: "acme",
};
const VIEWER = { sub: "agent-viewer", roles: ["viewer"], scope: "tasks:read" };
const NOBODY = { sub: "agent-bare", plan: "free" };
const ALL = {
  sub: "agent-all",
  roles: ["writer", "late", "billing", "admin", "manager", "auditor"],
  scope: "tasks:read tasks:write",
  tenant_id: "acme",
  plan: "premium",
  hook: "waits",
};

// On stdio each caller is a process of its own: there it is few, of one client for each era.
const WAYS = CALLER_WAYS.filter(
  ({ over, client, era }) => over !== "stdio" || (client === "sdk 1.32") === (era === "legacy"),
);

describe.each(WAYS)("$client, $era, over $over", (way) => {
  let callers: Callers;
  const as = (claims?: Claims): Promise<Caller> => callers.as(claims);
  const isHttp = way.over !== "stdio";

  beforeAll(async () => {
    callers = await Callers.start(way);
    await Promise.all([undefined, PROD, VIEWER, NOBODY, ALL].map(as));
  });
  afterAll(() => callers.close());

  const denied = (guard: string, tool: string, message: string): Refusal => ({
    code: "ACCESS_DENIED",
    message,
    retryable: false,
    details: { guard, tool },
    status: undefined,
    challenge: undefined,
  });
  const unknown: Refusal = {
    code: "AUTHENTICATION_ERROR",
    message: "Missing authentication token",
    retryable: false,
    suggestion: "Send credentials in the Authorization header.",
    status: isHttp ? 401 : undefined,
    challenge: isHttp ? "Bearer" : undefined,
  };
  const whereabouts = isHttp && { ip_address: "127.0.0.1", user_agent: expect.any(String) };
  /** What `operation` adds to what the server has observed. */
  const observed = async (caller: Caller, operation: () => Promise<unknown>): Promise<readonly string[]> => {
    const before = (await caller.call("observe")) as string[];
    await operation();
    return ((await caller.call("observe")) as string[]).slice(before.length);
  };

  describe("step 4, authentication and client context", () => {
    test("serves what is public to anybody", async () => {
      expect(await (await as()).call("health_check")).toEqual({ status: "healthy" });
      expect(await (await as(VIEWER)).call("health_check")).toEqual({ status: "healthy" });
    });

    test("knows its callers by name on public tools too, and the others as anonymous", async () => {
      expect(await (await as()).call("greet")).toEqual({ hello: "anonymous" });
      expect(await (await as(VIEWER)).call("greet")).toEqual({ hello: "agent-viewer", extra: {} });
    });

    test("refuses everything else without a token, and runs nothing", async () => {
      const caller = await as();
      const ran = await observed(caller, async () => {
        expect(await caller.refused("create_task", { title: "X" })).toEqual(unknown);
        expect(await caller.refused("delete_task", { task_id: "1" })).toEqual(unknown);
        expect(await caller.refused("unsaid")).toEqual(unknown);
        expect(await caller.refusal(() => caller.driver.read("vault://keys"))).toEqual(unknown);
        expect(await caller.refusal(() => caller.driver.read("tasks://1"))).toEqual(unknown);
        expect(await caller.refusal(() => caller.driver.prompt("audit", { year: "2026" }))).toEqual(unknown);
      });
      expect(ran).toEqual([]);
    });

    test("tells nobody unknown whether a name or its arguments are right", async () => {
      const caller = await as();
      expect(await caller.refused("create_task")).toEqual(unknown);
      expect(await caller.refused("create_task", { title: 5 })).toEqual(unknown);
      expect(await caller.refused("nope")).toEqual(unknown);
      expect(await caller.refusal(() => caller.driver.read("nope://x"))).toEqual(unknown);
      expect(await caller.refusal(() => caller.driver.prompt("nope"))).toEqual(unknown);
    });

    test("tells the caller's name to handlers", async () => {
      expect(await (await as(PROD)).call("create_task", { title: "X" })).toEqual({
        id: "1",
        title: "X",
        created_by: "agent-prod",
      });
    });

    test("holds a role against the token's", async () => {
      expect(await (await as(VIEWER)).refused("delete_task", { task_id: "7" })).toEqual(
        denied("HasRole", "delete_task", "Requires any of roles [admin], but client has [viewer]"),
      );
      expect(await (await as(PROD)).call("delete_task", { task_id: "7" })).toEqual({ deleted: "7" });
    });

    test("keeps a tool that says nothing for known callers", async () => {
      expect(await (await as(NOBODY)).call("unsaid")).toBe("ran");
    });

    test("tells handlers everything about the caller", async () => {
      expect(await (await as(PROD)).call("whoami")).toEqual({
        client_id: "agent-prod",
        roles: ["admin", "write"],
        scopes: ["read", "write"],
        issuer: "https://id.example.com",
        subject: "agent-prod",
        tenant: "acme",
        ...whereabouts,
        extra: {},
        authenticated: true,
      });
    });

    test("shows in lists what the caller may use, and nothing else", async () => {
      const names = async (
        claims: Claims | undefined,
        list: "tools" | "resources" | "templates" | "prompts",
      ) => (await (await as(claims)).driver.list(list)).map(({ name }) => name);
      const open = ["health_check", "greet", "observe"];
      expect(await names(undefined, "tools")).toEqual(open);
      expect(await names(undefined, "resources")).toEqual(["config"]);
      expect(await names(undefined, "templates")).toEqual([]);
      expect(await names(undefined, "prompts")).toEqual(["summary"]);
      expect(await names(NOBODY, "tools")).toEqual([
        "health_check",
        "create_task",
        "whoami",
        "greet",
        "unsaid",
        "observe",
        "edit_task",
        "broken_guard",
        "forgetful_guard",
        "premium_feature",
      ]);
      expect(await names(PROD, "tools")).toEqual(
        expect.arrayContaining(["delete_task", "approve_task", "deploy"]),
      );
      expect(await names(PROD, "tools")).not.toContain("refund_payment");
      expect(await names(PROD, "resources")).toEqual(["config", "vault"]);
      expect(await names(VIEWER, "resources")).toEqual(["config"]);
      expect(await names(VIEWER, "templates")).toEqual(["task"]);
      expect(await names(ALL, "prompts")).toEqual(["summary", "audit"]);
    });

    test("holds resources and prompts against roles and guards as it does tools", async () => {
      const viewer = await as(VIEWER);
      const refusal = async (operation: () => Promise<unknown>) => {
        const { message, details } = await viewer.refusal(operation);
        return { message, details };
      };
      expect(await refusal(() => viewer.driver.read("vault://keys"))).toEqual({
        message: "Requires any of roles [admin], but client has [viewer]",
        details: { guard: "HasRole", resource: "vault://keys" },
      });
      expect(await refusal(() => viewer.driver.prompt("audit", { year: "2026" }))).toEqual({
        message: "Requires any of roles [auditor], but client has [viewer]",
        details: { guard: "HasRole", prompt: "audit" },
      });
      expect(await refusal(() => viewer.driver.read("tasks://1"))).toEqual({
        message: "Only its owner may touch a task",
        details: { guard: "owner", resource: "tasks://1" },
      });
      expect(await viewer.driver.read("tasks://2")).toMatchObject([{ uri: "tasks://2", text: '{"id":"2"}' }]);
    });

    test("completes for those who may use what is completed", async () => {
      const complete = (caller: Caller, ref: object, name: string) =>
        caller.driver.request("completion/complete", { ref, argument: { name, value: "" } });
      const audit = { type: "ref/prompt", name: "audit" };
      const task = { type: "ref/resource", uri: "tasks://{task_id}" };
      const auditor = await as(ALL);
      expect(await complete(auditor, audit, "year")).toMatchObject({
        completion: { values: ["2025", "2026"] },
      });
      // Nobody is offered what is another's.
      expect(await complete(auditor, task, "task_id")).toMatchObject({ completion: { values: [] } });
      const viewer = await as(VIEWER);
      expect(await complete(viewer, task, "task_id")).toMatchObject({ completion: { values: ["2"] } });
      expect(await viewer.refusal(() => complete(viewer, audit, "year"))).toMatchObject({
        code: "ACCESS_DENIED",
        message: "Requires any of roles [auditor], but client has [viewer]",
        details: { guard: "HasRole", completion: "audit" },
      });
      const anybody = await as();
      expect(await anybody.refusal(() => complete(anybody, audit, "year"))).toEqual(unknown);
      expect(await anybody.refusal(() => complete(anybody, task, "task_id"))).toEqual(unknown);
    });
  });

  describe("step 5, guards", () => {
    const tasks = { task_ids: ["1", "2", "3"] };

    test("any of several roles", async () => {
      expect(await (await as(ALL)).call("approve_task", { task_id: "7" })).toEqual({ approved: "7" });
      const text = "Requires any of roles [admin, manager], but client has";
      expect(await (await as(VIEWER)).refused("approve_task", { task_id: "7" })).toEqual(
        denied("HasRole", "approve_task", `${text} [viewer]`),
      );
      expect(await (await as(NOBODY)).refused("approve_task", { task_id: "7" })).toEqual(
        denied("HasRole", "approve_task", `${text} [(none)]`),
      );
    });

    test("all of several roles", async () => {
      expect(await (await as(ALL)).call("refund_payment", { payment_id: "p" })).toEqual({ refunded: "p" });
      expect(await (await as(PROD)).refused("refund_payment", { payment_id: "p" })).toEqual(
        denied(
          "HasAllRoles",
          "refund_payment",
          "Requires all roles [admin, billing], client has [admin, write], missing [billing]",
        ),
      );
    });

    test("a scope", async () => {
      expect(await (await as(ALL)).call("bulk_update", tasks)).toEqual({ updated: 3 });
      expect(await (await as(NOBODY)).refused("bulk_update", tasks)).toEqual(
        denied("HasScope", "bulk_update", "Requires any of scopes [tasks:write], but client has [(none)]"),
      );
    });

    test("all of several scopes", async () => {
      expect(await (await as(ALL)).call("export_and_archive", { project: "p" })).toEqual({ archived: "p" });
      expect(await (await as(VIEWER)).refused("export_and_archive", { project: "p" })).toEqual(
        denied(
          "HasAllScopes",
          "export_and_archive",
          "Requires all scopes [tasks:read, tasks:write], client has [tasks:read], missing [tasks:write]",
        ),
      );
    });

    test("certain clients, who are not named to others", async () => {
      expect(await (await as(PROD)).call("deploy", { version: "2" })).toEqual({ deployed: "2" });
      const refusal = await (await as(NOBODY)).refused("deploy", { version: "2" });
      expect(refusal).toEqual(
        denied("RequireClientId", "deploy", "Client 'agent-bare' is not allowed to call this tool"),
      );
      expect(JSON.stringify(refusal)).not.toMatch(/agent-prod|agent-staging/);
    });

    test("tenants", async () => {
      const acme = await as(ALL);
      const none = await as(NOBODY);
      expect(await acme.call("of_any_tenant")).toBe("acme");
      expect(await none.refused("of_any_tenant")).toEqual(
        denied(
          "RequireTenant",
          "of_any_tenant",
          "This tool requires a tenant identity, but the client presented no tenant claim (check the token's tenant claim or the API-key config's tenantId)",
        ),
      );
      expect(await acme.call("of_acme")).toBe("acme");
      expect(await none.refused("of_acme")).toEqual(
        denied("HasTenant", "of_acme", "This tool requires a tenant identity, but the client presented none"),
      );
    });

    test("guards by arguments are asked in their order, and the first denial counts", async () => {
      const all = await as(ALL);
      const hook = "hook tool in_order for agent-all";
      expect(await observed(all, () => all.refused("in_order", { stop: true }))).toEqual([
        hook,
        "guard first",
        "guard second",
      ]);
      expect(await observed(all, () => all.call("in_order"))).toEqual([
        hook,
        "guard first",
        "guard second",
        "guard third",
        "in_order",
      ]);
    });

    test("a guard of one's own sees the arguments as the handler does: checked, trimmed, completed", async () => {
      const prod = await as(PROD);
      expect(await observed(prod, () => prod.call("edit_task", { task_id: " 1 " }))).toEqual([
        "hook tool edit_task for agent-prod",
        'guard size {"task_id":"1","size":7}',
        "edit_task",
      ]);
      expect(await prod.call("edit_task", { task_id: "1", size: "12" })).toEqual({ task_id: "1", size: 12 });
      expect(await prod.refused("edit_task", { task_id: "2" })).toEqual(
        denied("owner", "edit_task", "Only its owner may touch a task"),
      );
    });

    test("is not asked where arguments are wrong", async () => {
      const prod = await as(PROD);
      const ran = await observed(prod, async () =>
        expect(await prod.refused("edit_task", { task_id: 1 })).toMatchObject({ code: "VALIDATION_ERROR" }),
      );
      expect(ran).toEqual(["hook tool edit_task for agent-prod"]);
    });

    test("who may not call is not told what is wrong with the arguments", async () => {
      expect(await (await as(VIEWER)).refused("delete_task", { task_id: 5 })).toMatchObject({
        code: "ACCESS_DENIED",
      });
    });

    test("any of several guards", async () => {
      expect(await (await as(PROD)).call("either", { task_id: "1" })).toBe("ran");
      expect(await (await as(VIEWER)).refused("either", { task_id: "2" })).toEqual(
        denied(
          "AnyOf",
          "either",
          "Requires any of roles [admin], but client has [viewer]; or: Requires any of scopes [tasks:write], but client has [tasks:read]",
        ),
      );
    });

    test("a guard that throws or forgets to answer admits nobody, and tells nothing", async () => {
      const caller = await as(NOBODY);
      const ran = await observed(caller, async () => {
        const broken = await caller.refused("broken_guard");
        expect(broken).toMatchObject({ code: "INTERNAL_ERROR", message: "An internal error occurred." });
        expect(JSON.stringify(broken)).not.toContain("secret");
        expect(await caller.refused("forgetful_guard")).toEqual(
          denied("forgetful", "forgetful_guard", "Guard 'forgetful' does not allow this"),
        );
      });
      expect(ran.filter((what) => !what.startsWith("hook"))).toEqual([]);
    });
  });

  describe("step 6, the enrichment hook", () => {
    test("runs once for each call that needs identity, before guards and handler", async () => {
      const prod = await as(PROD);
      expect(await observed(prod, () => prod.call("create_task", { title: "X" }))).toEqual([
        "hook tool create_task for agent-prod",
        "create_task",
      ]);
      expect(await observed(prod, () => prod.driver.read("vault://keys"))).toEqual([
        "hook resource vault://keys for agent-prod",
        "vault",
      ]);
      const viewer = await as(VIEWER);
      expect(await observed(viewer, () => viewer.refused("delete_task", { task_id: "1" }))).toEqual([
        "hook tool delete_task for agent-viewer",
      ]);
    });

    test("does not run for what is public, nor where authentication failed", async () => {
      const prod = await as(PROD);
      expect(await observed(prod, () => prod.call("health_check"))).toEqual([]);
      expect(await observed(prod, () => prod.driver.read("config://app"))).toEqual([]);
      const anybody = await as();
      expect(await observed(anybody, () => anybody.refused("create_task", { title: "X" }))).toEqual([]);
    });

    test("what it adds is there for the handler, at once or later", async () => {
      expect(await (await as(ALL)).call("premium_feature")).toEqual({ result: "premium data" });
      if (!isHttp) return;
      const atOnce = await as({ sub: "p", plan: "premium" });
      expect(await atOnce.call("premium_feature")).toEqual({ result: "premium data" });
    });

    test("a handler refuses by it", async () => {
      expect(await (await as(NOBODY)).refused("premium_feature")).toEqual({
        code: "TOOL_ERROR",
        message: "This feature requires a premium plan",
        retryable: false,
        status: undefined,
        challenge: undefined,
      });
    });

    test("what it adds is there for one call alone", async () => {
      const caller = await as(NOBODY);
      expect(await caller.call("whoami")).toMatchObject({ extra: { plan: "free" } });
      expect(await caller.call("greet")).toEqual({ hello: "agent-bare", extra: {} });
    });
  });

  // What goes by who calls is decided in one place: over stdio, where each caller is a process, it is not tried again.
  if (!isHttp) return;
  describe("with many callers", () => {
    test("names a caller by sub, else by client_id, else unknown", async () => {
      const name = async (claims: Claims) =>
        (await (await as(claims)).call("whoami")) as { client_id: string };
      expect(await name({ sub: "s", client_id: "c" })).toMatchObject({ client_id: "s", subject: "s" });
      expect(await name({ client_id: "c" })).toMatchObject({ client_id: "c" });
      expect(await name({})).toMatchObject({ client_id: "unknown" });
    });

    test("lists in denials are sorted, and say (none) where there is nothing", async () => {
      const message = async (claims: Claims, tool: string, args: object) =>
        (await (await as(claims)).refused(tool, { ...args })).message;
      const text = "Requires any of roles [admin, manager], but client has";
      expect(await message({ sub: "a", roles: ["z", "a", "m"] }, "approve_task", { task_id: "7" })).toBe(
        `${text} [a, m, z]`,
      );
      expect(await message({ sub: "a", roles: [] }, "approve_task", { task_id: "7" })).toBe(
        `${text} [(none)]`,
      );
      expect(await message({ sub: "a", roles: ["admin"] }, "refund_payment", { payment_id: "p" })).toBe(
        "Requires all roles [admin, billing], client has [admin], missing [billing]",
      );
      expect(await message({ sub: "x" }, "deploy", { version: "2" })).toBe(
        "Client 'x' is not allowed to call this tool",
      );
    });

    test("one role of several is enough", async () => {
      const manager = await as({ sub: "m", roles: ["manager"] });
      expect(await manager.call("approve_task", { task_id: "7" })).toEqual({ approved: "7" });
    });

    test("scopes in a text or in an array", async () => {
      for (const scope of ["tasks:write", "tasks:read tasks:write", ["tasks:write"]] as const) {
        const caller = await as({ sub: "w", scope });
        expect(await caller.call("bulk_update", { task_ids: ["1", "2", "3"] })).toEqual({ updated: 3 });
      }
    });

    test("another tenant than the one that is asked for", async () => {
      const other = await as({ sub: "t", tenant_id: "other" });
      expect(await other.call("of_any_tenant")).toBe("other");
      expect(await other.refused("of_acme")).toEqual(
        denied("HasTenant", "of_acme", "This tool is not available to tenant 'other'"),
      );
    });

    test("the first denial counts: roles, scopes, tenant, then guards by who calls", async () => {
      const grants: Claims[] = [
        { sub: "o" },
        { sub: "o", roles: ["writer"] },
        { sub: "o", roles: ["writer"], scope: "tasks:write" },
        { sub: "o", roles: ["writer"], scope: "tasks:write", tenant_id: "acme" },
      ];
      const whose: unknown[] = [];
      for (const claims of grants) whose.push((await (await as(claims)).refused("in_order")).details);
      expect(whose).toEqual(
        ["HasRole", "HasAllScopes", "HasTenant", "HasRole"].map((guard) => ({ guard, tool: "in_order" })),
      );
    });

    test("any of several guards, one of which goes by arguments", async () => {
      const owner = await as({ sub: "agent-viewer", scope: "tasks:write" });
      expect(await owner.call("either", { task_id: "2" })).toBe("ran");
      expect(await owner.refused("either", { task_id: "1" })).toEqual(
        denied(
          "AnyOf",
          "either",
          "Requires any of roles [admin], but client has [(none)]; or: Only its owner may touch a task",
        ),
      );
    });

    test("the refusal of the hook is the answer, and its mistakes are none of the client's business", async () => {
      const refusal = async (hook: string) => {
        const caller = await as({ sub: "h", hook });
        let refused: Refusal | undefined;
        const ran = await observed(caller, async () => {
          refused = await caller.refused("create_task", { title: "X" });
        });
        expect(ran).toEqual(["hook tool create_task for h"]);
        return refused;
      };
      expect(await refusal("refuses")).toMatchObject({
        code: "TOOL_ERROR",
        message: "This organisation is closed",
      });
      expect(await refusal("refuses late")).toMatchObject({
        code: "TOOL_ERROR",
        message: "This organisation is closed on Sundays",
      });
      const broken = await refusal("breaks");
      expect(broken).toMatchObject({ code: "INTERNAL_ERROR", message: "An internal error occurred." });
      expect(JSON.stringify(broken)).not.toContain("secret");
    });
  });
});
