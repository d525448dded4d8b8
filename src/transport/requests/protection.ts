/** Who may read what is not for every caller: whoever has the token, or else callers that the server identifies. */

import { createHash, timingSafeEqual } from "node:crypto";
import { Cancellation } from "../../core/calls/cancellation.ts";
import { RequestCredentials, challengeOf } from "../../core/calls/client.ts";
import { RequestContext, identityOf } from "../../core/calls/context.ts";
import { MCPError } from "../../core/errors.ts";
import { requestIdFrom } from "../../core/calls/request-id.ts";
import type { Runtime } from "../../core/runtime.ts";
import { createGate } from "./hosts.ts";

/** Why a request is not answered. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly message: string;
  /** The challenge, where credentials would help (RFC 9110, section 11.6.1). */
  readonly challenge?: string | undefined;
}

/** Tells whether a request may be answered, from what it carries. */
export type Protection = (
  header: (name: string) => string | undefined,
) => Refusal | undefined | Promise<Refusal | undefined>;

/** Lets in whoever sends `token`. */
export function byToken(token: string): Protection {
  const expected = digest(token);
  return (header) => {
    const given = new RequestCredentials({ header }).token;
    // Digests are compared: how long it takes tells nothing of the token.
    return given !== undefined && timingSafeEqual(digest(given), expected) ? undefined : WITHOUT_TOKEN;
  };
}

/** Lets in whoever the server's authenticators identify; everybody where there is none, as long as no page of a browser asks. */
export function byCaller(runtime: Runtime): Protection {
  if (runtime.authentications.length === 0) return byName(runtime.http);
  return async (header) => {
    const sealed = await runtime.sealed();
    if (!sealed.admission) return UNKNOWN_CALLER;
    const { operation, run } = sealed.admission;
    const requestId = requestIdFrom(header("x-request-id"));
    const envelope = { requestId, cancellation: new Cancellation(), protocolVersion: "", origin: { header } };
    const ctx = new RequestContext({ ...operation, access: "authenticated" }, envelope, runtime);
    try {
      await run(ctx, undefined);
      return identityOf(ctx) ? undefined : UNKNOWN_CALLER;
    } catch (error) {
      if (!(error instanceof MCPError)) throw error;
      return { status: 401, message: error.message, challenge: challengeOf(error)?.header ?? "Bearer" };
    }
  };
}

/** Lets in whoever calls the server by a name of its own: pages that have its address under another name do not. */
export function byName(http: Runtime["http"]): Protection {
  const gate = createGate(http);
  return (header) => {
    const host = header("host");
    const origin = header("origin");
    const known = host !== undefined && gate.allowsHost(host);
    return known && (origin === undefined || gate.allowsOrigin(origin)) ? undefined : WRONG_NAME;
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

const WITHOUT_TOKEN: Refusal = {
  status: 401,
  message: "Send the token of enableMetrics() in the Authorization header: Bearer <token>.",
  challenge: "Bearer",
};

const UNKNOWN_CALLER: Refusal = {
  status: 401,
  message: "Send the credentials of a caller of this server.",
  challenge: "Bearer",
};

const WRONG_NAME: Refusal = {
  status: 403,
  message:
    "The Host header names a host that this server does not answer to. Add it to http.allowedHosts, or protect this by a token.",
};
