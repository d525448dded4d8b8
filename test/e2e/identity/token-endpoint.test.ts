/** The token endpoint for development (guide, step 4), over HTTP and mounted in apps of others. */

import { describe, expect, test } from "vitest";
import { envelope } from "../../support/wire.ts";
import {
  AGENT,
  BOTH,
  INVALID_CLIENT,
  INVALID_GRANT,
  type Tokens,
  answered,
  form,
  listening,
  mountedByFetch,
  mountedOnNode,
  post,
  taskServer,
  tokens,
  whoami,
} from "./token-server.ts";

describe.each([
  ["that listens", listening],
  ["mounted by server.node", mountedOnNode],
  ["mounted by server.fetch", mountedByFetch],
])("the token endpoint of a server %s", (_where, start) => {
  test("gives a client a token that works and has its roles, though everything else asks for one", async () => {
    const to = await start(taskServer());
    expect((await to("/mcp", envelope("tools/list"))).status).toBe(401);

    const response = await to("/auth/token", post(AGENT));

    expect(response.status).toBe(200);
    expect(response.headers.get("cache-control")).toBe("no-store");
    const body = (await response.json()) as Tokens;
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 3_600,
      refresh_token: expect.any(String),
    });
    expect(await whoami(to, body.access_token)).toMatchObject({
      id: "agent-prod",
      roles: ["admin", "write"],
    });
  });

  test("tells a wrong secret and an unknown client the same", async () => {
    const to = await start(taskServer());
    const wrong = await to("/auth/token", post({ ...AGENT, client_secret: "wrong" }));
    const unknown = await to("/auth/token", post({ client_id: "nobody", client_secret: "agent-secret" }));

    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect(await wrong.json()).toEqual(INVALID_CLIENT);
    expect(await unknown.json()).toEqual(INVALID_CLIENT);
    const headers = ({ headers: all }: Response) =>
      [...all].filter(([name]) => !["date", "keep-alive"].includes(name));
    expect(headers(unknown)).toEqual(headers(wrong));
    expect(wrong.headers.get("www-authenticate")).toBe('Basic realm="token endpoint"');
  });

  test("rotates refresh tokens; one that comes twice ends its family", async () => {
    const to = await start(taskServer());
    const first = await tokens(to);
    const refresh = (token: string) =>
      to("/auth/token", post({ grant_type: "refresh_token", refresh_token: token }));

    const second = (await (await refresh(first.refresh_token)).json()) as Tokens;
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await whoami(to, second.access_token)).toMatchObject({
      id: "agent-prod",
      roles: ["admin", "write"],
    });

    const again = await refresh(first.refresh_token);
    expect(again.status).toBe(401);
    expect(await again.json()).toEqual(INVALID_GRANT);
    // Whoever used the first one twice may have the second one too.
    expect((await refresh(second.refresh_token)).status).toBe(401);
    // Another grant of the same client is another family.
    expect((await refresh((await tokens(to)).refresh_token)).status).toBe(200);
  });

  test.each([
    [
      "no JSON",
      post("client_id=agent-prod", { "content-type": "text/plain" }),
      400,
      "Request body must be valid JSON.",
    ],
    ["nothing", post(""), 400, "Request body must be valid JSON."],
    ["a number", post("1"), 400, "Request body must be valid JSON."],
    ["null", post("null"), 400, "Request body must be valid JSON."],
    ["an array", post([AGENT]), 400, "Request body must be a JSON object."],
    ["a key twice", post('{"client_id":"a","client_id":"b"}'), 400, "Request body must be valid JSON."],
    ["no secret", post({ client_id: "agent-prod" }), 400, BOTH.message],
    ["no client", post({ client_secret: "agent-secret" }), 400, BOTH.message],
    ["a secret that is no text", post({ ...AGENT, client_secret: ["agent-secret"] }), 400, BOTH.message],
    ["a client that is no text", post({ ...AGENT, client_id: { $ne: "" } }), 400, BOTH.message],
    ["an empty form", form({}), 400, BOTH.message],
    [
      "a parameter twice",
      form("client_id=a&client_id=b&client_secret=c"),
      400,
      "A parameter is there twice.",
    ],
    ["no refresh token", post({ grant_type: "refresh_token" }), 400, "'refresh_token' is required."],
    [
      "a secret twice",
      post(AGENT, { authorization: `Basic ${btoa("agent-prod:agent-secret")}` }),
      400,
      "Send the client's secret once: in the body or by HTTP Basic.",
    ],
    [
      "unreadable credentials",
      post({}, { authorization: `Basic ${btoa("%zz:x")}` }),
      400,
      "The Authorization header cannot be read.",
    ],
  ])("refuses %s", async (_what, init, status, message) => {
    const to = await start(taskServer());
    expect(await answered(to("/auth/token", init))).toEqual({
      status,
      body: { error: "invalid_request", message },
    });
  });

  test("refuses other grants, bodies above 64 KiB and other methods", async () => {
    const to = await start(taskServer());
    expect(await answered(to("/auth/token", post({ ...AGENT, grant_type: "password" })))).toEqual({
      status: 400,
      body: {
        error: "unsupported_grant_type",
        message: "Use the grant_type 'client_credentials' or 'refresh_token'.",
      },
    });
    const huge = { ...AGENT, padding: "x".repeat(65_536) };
    expect(await answered(to("/auth/token", post(huge)))).toEqual({
      status: 413,
      body: { error: "payload_too_large", message: "A body may have at most 65536 bytes." },
    });
    const fits = { ...AGENT, padding: "x".repeat(65_000) };
    expect((await to("/auth/token", post(fits))).status).toBe(200);
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]) {
      const response = await to("/auth/token", { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, "POST"]);
    }
  });

  test("takes forms and HTTP Basic as OAuth clients send them", async () => {
    const to = await start(taskServer());
    const byForm = await to("/auth/token", form({ grant_type: "client_credentials", ...AGENT }));
    expect(byForm.status).toBe(200);

    // RFC 6749, section 2.3.1: both parts are encoded as in a form before they are joined.
    const encoded = (text: string) => new URLSearchParams({ x: text }).toString().slice(2);
    const basic = `Basic ${btoa(`${encoded("claimed")}:${encoded("a:b c%é")}`)}`;
    const byBasic = await to(
      "/auth/token",
      form({ grant_type: "client_credentials" }, { authorization: basic }),
    );
    expect(byBasic.status).toBe(200);
    const { access_token: token } = (await byBasic.json()) as Tokens;
    expect(await whoami(to, token)).toMatchObject({ id: "claimed", department: "sales" });
  });

  test("gives the scopes that are asked for, and no others", async () => {
    const to = await start(taskServer());
    const client = { client_id: "scoped", client_secret: "scoped-secret" };
    const all = await tokens(to, client);
    expect(all.scope).toBe("tasks:read tasks:write");
    expect(await whoami(to, all.access_token)).toMatchObject({
      scopes: ["tasks:read", "tasks:write"],
      tenant: "acme",
    });
    const one = await tokens(to, { ...client, scope: "tasks:read" });
    expect(await whoami(to, one.access_token)).toMatchObject({ scopes: ["tasks:read"] });
    // What was narrowed stays narrow.
    const next = await tokens(to, { grant_type: "refresh_token", refresh_token: one.refresh_token });
    expect(next.scope).toBe("tasks:read");
    expect(await answered(to("/auth/token", post({ ...client, scope: "tasks:read admin" })))).toEqual({
      status: 400,
      body: { error: "invalid_scope", message: "The client may not have all of these scopes." },
    });
  });
});
