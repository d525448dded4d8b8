/** A server with a token endpoint, in all the places where it can be, and what its clients send. */

import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { MCPServer, type TokenEndpointOptions, authenticate, jwtAuth } from "gantry-mcp";
import { afterEach, expect, vi } from "vitest";
import { listen } from "../../support/listening.ts";
import { envelope } from "../../support/wire.ts";

export const jwt = jwtAuth({
  secret: "0123456789abcdef0123456789abcdef",
  issuer: "https://id.example.com",
  audience: "https://tasks.example.com/mcp",
});

export const OPTIONS: TokenEndpointOptions = {
  clients: {
    "agent-prod": { secret: "agent-secret", roles: ["admin", "write"] },
    scoped: { secret: "scoped-secret", scopes: ["tasks:read", "tasks:write"], tenantId: "acme" },
    claimed: { secret: "a:b c%é", claims: { department: "sales" } },
  },
};

export const closing: (() => unknown)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) await close();
});

export function taskServer(options: Partial<TokenEndpointOptions> = {}): MCPServer {
  return new MCPServer({ name: "task-api", version: "1.0.0" })
    .use(authenticate(jwt))
    .enableTokenEndpoint(jwt, { ...OPTIONS, ...options })
    .tool("whoami", { description: "Tells who calls.", auth: true }, (_args, { client }) => ({
      id: client.clientId,
      roles: [...client.roles],
      scopes: [...client.scopes],
      tenant: client.tenantId,
      address: client.ipAddress,
      department: client.claims["department"],
    }));
}

/** Sends a request to the server, wherever it is mounted. */
export type Fetch = (path: string, init: RequestInit) => Promise<Response>;

export async function listening(server: MCPServer): Promise<Fetch> {
  const { url, close } = await listen(server);
  closing.push(close);
  return (path, init) => fetch(new URL(path, url), init);
}

export async function mountedOnNode(server: MCPServer): Promise<Fetch> {
  const http: Server = createServer(server.node);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  closing.push(
    () => server.close(),
    () => http.close(),
  );
  return (path, init) => fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`, init);
}

export async function mountedByFetch(server: MCPServer): Promise<Fetch> {
  closing.push(() => server.close());
  const incoming = { headers: {}, socket: { remoteAddress: "127.0.0.1" } };
  return (path, init) => server.fetch(new Request(`http://localhost${path}`, init), { incoming });
}

export function post(body: unknown, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

export function form(
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
): RequestInit {
  return post(new URLSearchParams(fields).toString(), {
    "content-type": "application/x-www-form-urlencoded",
    ...headers,
  });
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly expires_in: number;
  readonly scope?: string;
}

export const AGENT = { client_id: "agent-prod", client_secret: "agent-secret" };

export async function answered(answer: Promise<Response>): Promise<{ status: number; body: unknown }> {
  const response = await answer;
  return { status: response.status, body: await response.json() };
}

export async function tokens(to: Fetch, body: object = AGENT): Promise<Tokens> {
  const response = await to("/auth/token", post(body));
  expect(response.status).toBe(200);
  return (await response.json()) as Tokens;
}

export async function whoami(to: Fetch, token: string): Promise<unknown> {
  const init = envelope("tools/call", { name: "whoami" }, { authorization: `Bearer ${token}` });
  const { result } = (await (await to("/mcp", init)).json()) as { result: { content: [{ text: string }] } };
  return JSON.parse(result.content[0].text);
}

export const INVALID_CLIENT = { error: "invalid_client", message: "Invalid client_id or client_secret." };
export const INVALID_GRANT = { error: "invalid_grant", message: "Invalid or expired refresh token." };
export const BOTH = {
  error: "invalid_request",
  message: "Both 'client_id' and 'client_secret' are required.",
};
