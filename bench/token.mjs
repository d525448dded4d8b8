// The token of scenarios whose callers must be known, and what verifies it: signed once, good for a day.
import { createHmac } from "node:crypto";

export const secret = "a secret of the benchmarks, of more than 32 bytes";
export const issuer = "https://id.example.com";
export const audience = "https://bench.example.com/mcp";

const now = Math.floor(Date.now() / 1000);

const claims = {
  iss: issuer,
  aud: audience,
  sub: "agent-bench",
  client_id: "bench",
  scope: "tools:read tools:call",
  roles: ["operator"],
  iat: now,
  exp: now + 86_400,
  jti: "5d2c7f1e-0c1f-4c1b-9d55-8f0b6a7c3e21",
};

const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

/** Signs HS256, as an identity provider would. */
export function signedToken() {
  const input = `${encode({ alg: "HS256", typ: "at+jwt" })}.${encode(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
