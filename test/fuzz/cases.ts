/** The requests of a fuzzing client: made with sense, then mostly spoilt. */

import type { Random } from "../reliability/random.ts";
import { encodeHeader, modernHeaders } from "../support/wire.ts";
import { MIRRORED_HEADERS } from "./tools.ts";
import type { Memory } from "./memory.ts";
import { handshake, legacyRequest, modernRequest, notification } from "./messages.ts";
import { clientAnswer } from "./questions.ts";
import type { Case, Draft, SessionMemory } from "./case.ts";
import { fieldText, spoilt } from "./spoiling.ts";

const JSON_HEADERS = { "content-type": "application/json", accept: "application/json, text/event-stream" };

/** A client keeps so many sessions. */
const MOST_SESSIONS = 3;

export function makeCase(random: Random, memory: Memory, withSessions: boolean): Case {
  return spoilt(draft(random, memory, withSessions), random);
}

/** Ends a session. */
export function goodbye(session: SessionMemory): Case {
  const fields = Object.entries(sessionHeaders(session));
  return { method: "DELETE", path: "/mcp", fields, body: Buffer.alloc(0), session, sound: false };
}

function draft(random: Random, memory: Memory, withSessions: boolean): Draft {
  if (random.chance(0.03)) return bodiless(random, memory, withSessions);
  if (random.chance(0.45)) return modern(random, memory);
  const session = withSessions && random.chance(0.8) ? sessionOf(random, memory) : undefined;
  if (session === "open") {
    const { method, params } = handshake(random);
    return { headers: JSON_HEADERS, message: rpc({ id: memory.nextId(), method, params }), succeeds: true };
  }
  const headers = session ? sessionHeaders(session) : legacyHeaders(random);
  const question = random.chance(0.4) ? session?.open.shift() : undefined;
  if (question) {
    const message = rpc({ id: question.id, result: clientAnswer(random, question) });
    return { headers, message, session, succeeds: false };
  }
  if (random.chance(0.1)) return { headers, message: aside(random, memory), session, succeeds: false };
  if (random.chance(0.08)) return batch(random, memory, headers, session);
  const { method, params, succeeds } = legacyRequest(random, memory, session);
  return { headers, message: rpc({ id: memory.nextId(), method, params }), session, succeeds };
}

function rpc(rest: object): object {
  return { jsonrpc: "2.0", ...rest };
}

function modern(random: Random, memory: Memory): Draft {
  if (random.chance(0.08)) {
    const said = notification(random);
    return { headers: modernHeaders(said.method), message: rpc(said), succeeds: false };
  }
  const { method, params, succeeds } = modernRequest(random, memory);
  const message = rpc({ id: memory.nextId(), method, params });
  return { headers: mirroring(message), message, succeeds, mirroring };
}

/** The headers that repeat what a modern message says, whatever it says. */
function mirroring(message: unknown): Record<string, string> {
  const { method, params } = message as {
    readonly method?: unknown;
    readonly params?: Record<string, unknown>;
  };
  const name = params?.[method === "resources/read" ? "uri" : "name"];
  const isShort = typeof name === "string" && name.length < 2_000;
  return {
    ...modernHeaders(
      typeof method === "string" ? fieldText(method) : "",
      isShort ? encodeHeader(name) : undefined,
    ),
    ...(name === "mirror" && mirrored(params?.["arguments"])),
  };
}

function mirrored(args: unknown): Record<string, string> {
  const { region, limits } = (args ?? {}) as {
    readonly region?: unknown;
    readonly limits?: { readonly most?: unknown };
  };
  const most = limits?.most;
  return {
    ...(typeof region === "string" &&
      region.length < 2_000 && { [MIRRORED_HEADERS.region]: encodeHeader(region) }),
    ...(most !== undefined && most !== null && { [MIRRORED_HEADERS.most]: fieldText(JSON.stringify(most)) }),
  };
}

function legacyHeaders(random: Random): Record<string, string> {
  const version = random.pick([undefined, "2025-11-25", "2025-06-18", "2025-03-26"]);
  return { ...JSON_HEADERS, ...(version !== undefined && { "mcp-protocol-version": version }) };
}

function sessionHeaders({ id, version }: SessionMemory): Record<string, string> {
  return { ...JSON_HEADERS, "mcp-session-id": id, "mcp-protocol-version": version };
}

function sessionOf(random: Random, memory: Memory): SessionMemory | "open" | undefined {
  const sessions = memory.sessions.filter(({ isLeft }) => !isLeft);
  if (sessions.length < MOST_SESSIONS && random.chance(sessions.length === 0 ? 0.5 : 0.05)) return "open";
  return sessions.length === 0 ? undefined : random.pick(sessions);
}

/** Notifications, and answers to what nobody asked. */
function aside(random: Random, memory: Memory): object {
  if (random.chance(0.7)) return rpc(notification(random));
  const id = random.pick<unknown>([memory.nextId(), 0, 1, "none"]);
  return random.chance(0.5) ? rpc({ id, result: {} }) : rpc({ id, error: { code: -1, message: "no" } });
}

function batch(
  random: Random,
  memory: Memory,
  headers: Draft["headers"],
  session: SessionMemory | undefined,
): Draft {
  const { "mcp-protocol-version": _version, ...unstated } = headers;
  const message = Array.from({ length: random.chance(0.1) ? random.int(18, 24) : random.int(0, 5) }, () => {
    if (random.chance(0.2)) return aside(random, memory);
    const { method, params } = legacyRequest(random, memory, session);
    return rpc({ id: memory.nextId(), method, params });
  });
  return { headers: random.chance(0.8) && !session ? unstated : headers, message, session, succeeds: false };
}

/** GET and DELETE, and methods that are not served. */
function bodiless(random: Random, memory: Memory, withSessions: boolean): Draft {
  const { sessions } = memory;
  const session = withSessions && sessions.length > 0 ? random.pick(sessions) : undefined;
  const method = random.pick(["GET", "GET", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "BREW"]);
  if (session && method === "DELETE") session.isLeft = true;
  const seen = session && session.eventIds.length > 0 && random.chance(0.5) ? session.eventIds : ["_GET_1"];
  const headers = {
    ...(session ? sessionHeaders(session) : {}),
    accept: "text/event-stream",
    ...(method === "GET" && random.chance(0.4) && { "last-event-id": random.pick(seen) }),
    ...(method === "OPTIONS" && { origin: "http://localhost:3000" }),
  };
  return { method, headers, session, succeeds: false };
}
