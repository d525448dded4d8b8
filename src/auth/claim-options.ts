/** The options that say what must hold of a token's claims, and what can be wrong with them. */

import { type Duration, milliseconds } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Names } from "../core/options/known-options.ts";
import { isSafeUrl } from "./remote-json.ts";

/** What must hold of a token's claims, and which of them say what. */
export interface ClaimOptions {
  /**
   * Who may have issued the token: its `iss` is one of these, to the letter. Required where others than programs
   * of this machine reach the server.
   */
  readonly issuer?: string | readonly string[];
  /**
   * For whom the token must be: its `aud` has one of these, to the letter. Usually the URL of the MCP endpoint.
   * Required where others than programs of this machine reach the server; without it tokens that have an `aud` are
   * refused (RFC 7519, section 4.1.3).
   */
  readonly audience?: string | readonly string[];
  /** How far clocks may differ, for `exp` and `nbf`. Default: `"30s"`. */
  readonly leeway?: Duration;
  /**
   * The claim that has the caller's roles, a list or one text. Dots lead into objects: `"realm_access.roles"`.
   * Default: `"roles"`.
   */
  readonly rolesClaim?: string;
  /** The claim that has the caller's tenant. Dots lead into objects. Default: `"tenant_id"`. */
  readonly tenantClaim?: string;
}

export const CLAIM_OPTIONS: Names<ClaimOptions> = {
  issuer: true,
  audience: true,
  leeway: true,
  rolesClaim: true,
  tenantClaim: true,
};

/** The options that say what must hold of claims, checked, and no others. */
export function claimOptionsIn(what: string, options: ClaimOptions): ClaimOptions {
  const problems: string[] = [];
  for (const name of ["issuer", "audience"] as const) {
    if (!(name in options)) continue;
    const values: readonly unknown[] = listed(options[name]) ?? [];
    if (values.length === 0 || !values.every((each) => typeof each === "string" && each !== ""))
      problems.push(
        `${what}: ${name} is empty. Write it, or leave ${name} out; is its environment variable set?`,
      );
    else if (
      name === "issuer" &&
      values.some((each) => /^http:/i.test(String(each)) && !isSafeUrl(String(each)))
    )
      problems.push(`${what}: issuer is an http: URL of another machine. Write the https: one.`);
  }
  for (const name of ["rolesClaim", "tenantClaim"] as const) {
    const value: unknown = options[name];
    if (name in options && (typeof value !== "string" || value === ""))
      problems.push(`${what}: ${name} needs the name of a claim, such as "realm_access.roles".`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  milliseconds(options.leeway ?? 0, `${what}: leeway`);
  const names = Object.keys(CLAIM_OPTIONS).filter((name) => name in options) as (keyof ClaimOptions)[];
  return Object.fromEntries(names.map((name) => [name, options[name]]));
}

const WANTED = {
  issuer: 'who issues the tokens: { issuer: "https://id.example.com" }',
  audience:
    'for whom tokens must be, or those made for others would do: { audience: "https://tasks.example.com/mcp" }',
} as const;

/** What is missing where others than programs of this machine reach the server (RFC 8725, sections 3.8 and 3.9). */
export function exposureProblems(
  what: string,
  options: ClaimOptions,
  wanted: readonly (keyof typeof WANTED)[],
): readonly string[] {
  return wanted
    .filter((name) => options[name] === undefined)
    .map((name) => `${what} of a server that others reach has to name ${WANTED[name]}.`);
}

export function listed(value: string | readonly string[] | undefined): readonly string[] | undefined {
  return typeof value === "string" ? [value] : value;
}

/** A URL that may be fetched from. Throws a {@link ConfigurationError} that names `what` where it may not. */
export function safeUrl(what: string, value: unknown): string {
  if (typeof value === "string" && isSafeUrl(value)) return value;
  throw new ConfigurationError(
    `${what} needs an https: URL, such as "https://id.example.com"; http: is for this machine alone.`,
  );
}
