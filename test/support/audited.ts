/** Servers with an audit log, and the log as its readers see it. */

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AuditOptions,
  type AuditVerification,
  type HttpOptions,
  type Logger,
  MCPServer,
  ToolResponse,
  audit,
  authenticate,
  hasRole,
  verifyAudit,
} from "gantry-mcp";
import { onTestFinished } from "vitest";
import { z } from "zod";

export const KEY = "a secret of the tests, long enough";

/** A record as it stands in its line. */
export type AuditRecord = Readonly<Record<string, unknown>>;

/** The place of a log that goes with its test. */
export class AuditFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), "gantry-audit-"));
  readonly file: string = join(this.path, "audit.jsonl");

  constructor() {
    onTestFinished(() => rmSync(this.path, { recursive: true, force: true }));
  }

  /** The segments, in order. */
  segments(): readonly string[] {
    return readdirSync(this.path)
      .filter((name) => /^audit\.\d+\.jsonl$/.test(name))
      .toSorted()
      .map((name) => join(this.path, name));
  }

  records(): readonly AuditRecord[] {
    return this.segments().flatMap((path) =>
      readFileSync(path, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as AuditRecord),
    );
  }

  /** The records of calls. */
  calls(): readonly AuditRecord[] {
    return this.records().filter(({ type }) => type === "call");
  }

  text(): string {
    return readdirSync(this.path)
      .map((name) => readFileSync(join(this.path, name), "utf8"))
      .join("");
  }

  verify(): Promise<AuditVerification> {
    return verifyAudit({ file: this.file, key: KEY });
  }
}

export interface Audited {
  readonly file: string;
  readonly options?: Partial<AuditOptions>;
  readonly logger?: Logger;
  readonly http?: HttpOptions;
}

/** A server whose callers are named by their tokens; `admin` has the role, `ana` acts for `boss` through two programs. */
export function auditedServer({ file, options, logger, http = {} }: Audited): MCPServer {
  const about = { description: "About it." };
  const act = { sub: "planner", iss: "https://issuer", act: { sub: "gateway", client_id: "gw" } };
  return new MCPServer({ name: "audited", version: "1.2.3", http, ...(logger && { logger }) })
    .use(audit({ file, key: KEY, kinds: ["tool", "resource", "prompt", "completion"], ...options }))
    .use(
      authenticate(
        {
          authenticate: ({ token }) => {
            if (token === undefined) return undefined;
            if (token !== "ana") return { clientId: token, roles: [token] };
            const claims = { act };
            return { clientId: "boss", subject: "boss", issuer: "https://issuer", tenantId: "acme", claims };
          },
        },
        { optional: true },
      ),
    )
    .tool(
      "add",
      { ...about, input: z.object({ a: z.number(), b: z.number().default(1) }) },
      ({ a, b }) => new ToolResponse(a + b, { metadata: { action: "sum" } }),
    )
    .tool("secret", { ...about, guards: [hasRole("admin")] }, () => "the secret")
    .tool(
      "sign_in",
      {
        ...about,
        input: z.object({
          user: z.string(),
          task_id: z.any(),
          password: z.string().meta({ sensitive: true }),
        }),
        audit: { fields: ["task_id"] },
      },
      () => "in",
    )
    .tool("hang", { ...about, timeout: 20 }, () => new Promise(() => {}))
    .tool("crash", about, () => {
      throw new Error("disk gone");
    })
    .tool(
      "ask",
      about,
      async (_args, ctx) => (await ctx.elicit("Sure?", z.object({ yes: z.boolean() }))).action,
    )
    .resource(
      "users://{id}",
      { name: "user", ...about, complete: { id: ["ada", "bob"] } },
      ({ id }) => `user ${id}`,
    )
    .prompt("plan", { ...about, input: z.object({ topic: z.string() }) }, ({ topic }) => `Plan ${topic}.`);
}
