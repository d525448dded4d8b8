/** The `WWW-Authenticate` header of refusals (RFC 6750, section 3; RFC 9728, section 5.1). */

import type { Challenge } from "../core/calls/client.ts";
import type { AuthenticationError } from "../core/errors.ts";

interface Wanted {
  /** Why the credentials that were sent do not hold; left out where none were sent. */
  readonly error?: AuthenticationError;
  /** The credentials hold, and the scopes do not suffice. */
  readonly insufficient?: boolean;
  /** All scopes that the operation needs. */
  readonly scopes: readonly string[];
  /** Where the resource metadata is. */
  readonly metadata: string | undefined;
}

/** Says what is wrong with the credentials, and everything that is needed, at once. */
export function challenge({ error, insufficient, scopes, metadata }: Wanted): Challenge {
  const parameters: Record<string, string | undefined> = {
    error: insufficient ? "insufficient_scope" : error && "invalid_token",
    error_description: error?.message,
    scope: scopes.length > 0 ? scopes.join(" ") : undefined,
    resource_metadata: metadata,
  };
  const written = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${quotable(value)}"`],
  );
  return {
    status: insufficient ? 403 : 401,
    header: written.length === 0 ? "Bearer" : `Bearer ${written.join(", ")}`,
  };
}

/** Only the characters that RFC 6750, section 3, allows between the quotes: nothing can end them early. */
function quotable(value: string): string {
  return value.replace(/[^\u0020-\u0021\u0023-\u005b\u005d-\u007e]/g, "'");
}
