/** Requests for tokens, and their answers (RFC 6749, sections 4.4 and 5). */

import { readBody } from "../core/schemas/request-body.ts";
import { parseStrictJson } from "../core/schemas/strict-json.ts";

/** The largest body, in bytes. */
const LONGEST_BODY = 65_536;

/** What a request for a token says. */
export type TokenFields = Readonly<Record<string, unknown>>;

/** No token is issued, and why. */
export class TokenRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    // A 401 has to tell how clients say who they are (RFC 9110, section 15.5.2).
    this.headers = status === 401 ? { "www-authenticate": 'Basic realm="token endpoint"' } : headers;
  }
}

/** Answers with a token, or with why there is none. What answers is kept by nobody on the way. */
export async function tokenResponse(make: () => Promise<object>): Promise<Response> {
  const headers = { "cache-control": "no-store" };
  try {
    return Response.json(await make(), { headers });
  } catch (error) {
    if (!(error instanceof TokenRefusal)) throw error;
    const { status, code, message } = error;
    return Response.json({ error: code, message }, { status, headers: { ...headers, ...error.headers } });
  }
}

/** What a request asks for: by JSON or by a form, the client also by HTTP Basic (RFC 6749, section 2.3.1). */
export async function tokenFields(request: Request): Promise<TokenFields> {
  const tooLarge = Number(request.headers.get("content-length") ?? 0) > LONGEST_BODY;
  const bytes = tooLarge ? undefined : await readBody(request, LONGEST_BODY);
  if (!bytes)
    throw new TokenRefusal(413, "payload_too_large", `A body may have at most ${LONGEST_BODY} bytes.`);
  const text = new TextDecoder().decode(bytes);
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  const fields = type === "application/x-www-form-urlencoded" ? formFields(text) : jsonFields(text);
  const basic = /^basic +([\w+/]+=*)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (basic === undefined) return fields;
  if ("client_secret" in fields)
    throw invalidRequest("Send the client's secret once: in the body or by HTTP Basic.");
  return { ...fields, ...basicFields(basic) };
}

export function invalidRequest(message: string): TokenRefusal {
  return new TokenRefusal(400, "invalid_request", message);
}

function jsonFields(text: string): TokenFields {
  const { value } = parseStrictJson(text);
  if (typeof value !== "object" || value === null) throw invalidRequest("Request body must be valid JSON.");
  if (Array.isArray(value)) throw invalidRequest("Request body must be a JSON object.");
  return value as TokenFields;
}

function formFields(text: string): TokenFields {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) throw invalidRequest("A parameter is there twice.");
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

function basicFields(encoded: string): TokenFields {
  try {
    const [id = "", ...secret] = atob(encoded).split(":");
    const [client_id, client_secret] = [id, secret.join(":")].map((part) =>
      decodeURIComponent(part.replaceAll("+", " ")),
    );
    return { client_id, client_secret };
  } catch {
    throw invalidRequest("The Authorization header cannot be read.");
  }
}
