/** What is written down of an operation: one line, however long or strange what it is made of. */

import { canonicalJson } from "../core/values/canonical.ts";
import type { VerifiedIdentity } from "../core/calls/client.ts";
import { type RequestContext, identityOf, limitOf } from "../core/calls/context.ts";
import { MCPError } from "../core/errors.ts";
import { InputRequired } from "../core/dialogue/inquiry.ts";
import { isObject, toJsonData } from "../core/values/json.ts";
import type { ServerInfo } from "../core/sealed/sealed.ts";
import { ToolResult } from "../core/results/result.ts";
import { shortened } from "../core/refusals.ts";

/** How an operation ended. */
export type Ending = { readonly result: unknown } | { readonly error: unknown };

/** Whether an operation was let in, what became of it, and by which code. */
export interface Verdict {
  readonly decision: "allowed" | "refused";
  readonly outcome: "ok" | "input_required" | "error";
  readonly code?: string;
}

/** Longer codes are shortened. */
const LONGEST_CODE = 64;

export function verdictOf(ctx: RequestContext, ending: Ending): Verdict {
  if ("error" in ending) {
    const code = codeOf(ending.error, ctx);
    // What fails on the way to its handler is refused, unless nobody meant to.
    const meant = ending.error instanceof MCPError && !UNMEANT.has(code);
    return {
      decision: meant && limitOf(ctx)?.admitted !== true ? "refused" : "allowed",
      outcome: "error",
      code,
    };
  }
  const { result } = ending;
  if (result instanceof InputRequired) return { decision: "allowed", outcome: "input_required" };
  if (result instanceof ToolResult && result.isError)
    return { decision: "allowed", outcome: "error", code: "TOOL_ERROR" };
  return { decision: "allowed", outcome: "ok" };
}

const UNMEANT: ReadonlySet<string> = new Set(["INTERNAL_ERROR", "TIMEOUT", "CANCELLED"]);

/** The code that the caller is told. */
function codeOf(error: unknown, ctx: RequestContext): string {
  if (error instanceof MCPError && error.code !== "INTERNAL_ERROR") return error.code.slice(0, LONGEST_CODE);
  return ctx.signal.aborted ? "CANCELLED" : "INTERNAL_ERROR";
}

/** What is the same in every record of an operation: its kind, what it concerns, and of which server. */
export function operationRecord(kind: string, name: string, { name: server, version }: ServerInfo): string {
  return `"kind":"${kind}","name":${text(name)},"server":${json({ name: shortened(server), version: shortened(version) })}`;
}

/** What a record is made of. */
export interface CallFacts {
  readonly ctx: RequestContext;
  readonly about: string;
  readonly verdict: Verdict;
  /** In milliseconds. */
  readonly duration: number;
  /** What {@link argumentsRecord} gave. */
  readonly args: string;
}

/** Gives the digest of a text, and the name of its kind. */
export interface Digest {
  readonly name: "sha256" | "hmacSha256";
  readonly of: (text: string) => string;
}

/** The members of a call's record as JSON, without braces. */
export function callRecord({ ctx, about: what, verdict, duration, args }: CallFacts): string {
  const { trace, metadata } = ctx;
  const { decision, outcome, code } = verdict;
  let record =
    `"time":"${time()}","type":"call",${what},"requestId":${text(ctx.requestId)}` +
    (trace ? `,"traceId":"${trace.traceId}"` : "") +
    `,"protocol":${text(ctx.protocolVersion)},${who(identityOf(ctx))}` +
    `,"decision":"${decision}","outcome":"${outcome}"` +
    (code === undefined ? "" : `,"code":${text(code)}`) +
    `,"durationMs":${Math.round(duration * 1_000) / 1_000}`;
  record += args;
  if (Object.keys(metadata).length > 0) record += `,"metadata":${bounded(metadata, LONGEST_VALUE)}`;
  return record;
}

let last = 0;
let lastTime = "";

/** The time, written once for all records of one millisecond. */
function time(): string {
  const millisecond = Date.now();
  if (millisecond !== last) {
    last = millisecond;
    lastTime = new Date(millisecond).toISOString();
  }
  return lastTime;
}

/** The members that tell of arguments: their digest, and what may be shown of them. */
export function argumentsRecord(
  args: unknown,
  digest: Digest,
  fields: Readonly<Record<string, unknown>> | undefined,
): string {
  if (args === undefined) return "";
  const shown = fields ? `,"fields":${bounded(fields, LONGEST_FIELD)}` : "";
  return `,"arguments":{"${digest.name}":${digestOf(args, digest)}}${shown}`;
}

/** What has been written of identities that authenticators keep for many requests. */
const known = new WeakMap<VerifiedIdentity, string>();

function who(identity: VerifiedIdentity | undefined): string {
  if (!identity) return '"who":{"clientId":"anonymous"}';
  let members = known.get(identity);
  if (members === undefined) known.set(identity, (members = callers(identity)));
  return members;
}

/** Who calls; and where that is somebody else, who acts for it (RFC 8693, section 4.1). */
function callers(identity: VerifiedIdentity): string {
  const { clientId, subject, issuer, tenantId, claims } = identity;
  const members = { clientId, subject, issuer, tenantId };
  const caller = `"who":${json(texts(members))}`;
  const actors = actorsIn(claims["act"]);
  return actors.length === 0 ? caller : `${caller},"actors":${json(actors)}`;
}

/** More actors behind each other than this are not written down. */
const MOST_ACTORS = 8;

/** The one who acts now, then those who acted before. */
function actorsIn(act: unknown): readonly object[] {
  const actors: object[] = [];
  for (let actor = act; isObject(actor) && actors.length < MOST_ACTORS; actor = actor["act"])
    actors.push(texts({ subject: actor["sub"], issuer: actor["iss"], clientId: actor["client_id"] }));
  return actors;
}

function texts(members: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) =>
      typeof value === "string" ? [[name, shortened(value)] as const] : [],
    ),
  );
}

function digestOf(args: unknown, digest: Digest): string {
  try {
    return `"${digest.of(canonicalJson(args))}"`;
  } catch {
    // Nested deeper than can be walked: such arguments fit no schema.
    return "null";
  }
}

/** Longer texts of fields are shortened, and other values of that length left out. In characters. */
const LONGEST_FIELD = 256;

/** Longer values of metadata are treated so. In characters of JSON. */
const LONGEST_VALUE = 1_024;

/** More members are left out. */
const MOST_MEMBERS = 32;

/** The members of an object, as many and as long as a record bears; what is left out is said to be. */
function bounded(members: Readonly<Record<string, unknown>>, longest: number): string {
  const kept = Object.entries(members)
    .slice(0, MOST_MEMBERS)
    .map(([name, value]) => `${text(name)}:${boundedValue(value, longest)}`);
  const more = Object.keys(members).length - kept.length;
  return `{${kept.join(",")}${more > 0 ? `,"…":${more}` : ""}}`;
}

function boundedValue(value: unknown, longest: number): string {
  if (typeof value === "string")
    return value.length > longest ? json(`${value.slice(0, longest)}…`) : json(value);
  let written;
  try {
    written = json(toJsonData(value));
  } catch {
    return '"[unreadable]"';
  }
  return written.length > longest ? '"[too long]"' : written;
}

/** A text that is bounded. */
function text(value: string): string {
  const short = shortened(value);
  return PLAIN.test(short) ? `"${short}"` : json(short);
}

/** What JSON writes as it is, as nearly all names and ids are. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** What JSON leaves as it is, and what some readers take for the end of a line, or a terminal for a command. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** JSON on one line, whoever splits the lines. */
function json(value: unknown): string {
  return (JSON.stringify(value) ?? "null").replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
