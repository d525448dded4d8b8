/**
 * Holds every JSON-RPC message that Gantry sends in a test against the official schema of its revision, and its
 * result against that of the method it answers. A test that made Gantry send an invalid one fails.
 *
 * Seen are, as bytes on their way out, in whatever test file, without its doing:
 * - answers and event streams over HTTP, of `run()` and of the `node` face under any framework, at the response
 *   that Gantry writes on;
 * - those of the `fetch` face, which the test client drives, at the `Response` that it gives;
 * - lines on the output of child processes, which is how stdio servers answer;
 * - what `fetch` gets from HTTP servers in child processes that print Gantry's banner.
 *
 * Not seen is what a child process answers to sockets that a test writes by hand, and to the load generators.
 */

import { type Revision, REVISIONS, wireProblems } from "./wire-schema.ts";

type Message = Readonly<Record<string, unknown>>;

const MODERN: Revision = "2026-07-28";
const VERSION = "io.modelcontextprotocol/protocolVersion";

let problems: string[] = [];
let seen = 0;

/** What was wrong since the last call. */
export function takeProblems(): readonly string[] {
  const taken = problems;
  problems = [];
  return taken;
}

/** How many messages were held against a schema so far. */
export function messagesSeen(): number {
  return seen;
}

interface Asked {
  readonly method: string;
  readonly revision: Revision;
}

/** One client and Gantry: which revision they speak, and what the client has asked. */
export class Dialogue {
  readonly #asked = new Map<string, Asked | "several">();
  /** The revision of messages that answer nothing. */
  revision: Revision | undefined;

  constructor(revision?: Revision) {
    this.revision = revision;
  }

  /** The client says something, or several things at once: whatever they are. */
  heard(...messages: readonly unknown[]): void {
    const asked = new Map<string, Asked | "several">();
    for (const message of messages) {
      if (!isMessage(message) || typeof message["method"] !== "string" || !("id" in message)) continue;
      const isModern = claimsModern(message);
      if (isModern) this.revision ??= MODERN;
      const revision = isModern ? MODERN : (this.revision ?? "2025-03-26");
      const id = JSON.stringify(message["id"]);
      asked.set(id, asked.has(id) ? "several" : { method: message["method"], revision });
    }
    for (const [id, one] of asked) this.#asked.set(id, one);
  }

  /** Gantry says something. */
  said(message: unknown, where: string): void {
    if (!isMessage(message)) return complain(where, ["no JSON-RPC message"], message);
    seen++;
    const { id, method, result } = message;
    const asked = method === undefined ? this.#asked.get(JSON.stringify(id)) : undefined;
    // Of two requests with one id, nobody can tell which is answered.
    if (asked === "several") return;
    if (asked?.method === "initialize" && isMessage(result))
      this.revision = asRevision(result["protocolVersion"]);
    const revision = asked?.method === "initialize" ? this.revision : (asked?.revision ?? this.revision);
    complain(
      `${where}, ${revision}, ${typeof method === "string" ? method : `answer to ${asked?.method}`}`,
      wireProblems(revision ?? MODERN, message, asked?.method),
      message,
    );
  }
}

function complain(where: string, wrong: readonly string[], message: unknown): void {
  if (wrong.length > 0)
    problems.push(`${where}: ${wrong.join("; ")}\n  ${JSON.stringify(message)?.slice(0, 2_000)}`);
}

const sessions = new Map<string, Dialogue>();

/** A session is over: what was said in it is forgotten. */
export function forgetSession(id: string): void {
  sessions.delete(id);
}

type Header = (name: string) => string | null | undefined;

/** One HTTP exchange: what was posted, and what came of it. */
export class HttpExchange {
  readonly #where: string;
  readonly #header: Header;
  readonly #decoder = new TextDecoder();
  #dialogue = new Dialogue();
  #answerHeader: Header = () => undefined;
  #text = "";

  constructor(where: string, header: Header) {
    this.#where = where;
    this.#header = header;
  }

  /** The head of the answer to a body: its bytes, its text, or what somebody parsed of it. */
  began(body: unknown, header: Header): void {
    this.#answerHeader = header;
    const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : body;
    this.#dialogue = this.#begin(typeof text === "string" ? parsed(text) : text);
  }

  /** A piece of the answer's body. */
  wrote(piece: unknown): void {
    if (typeof piece === "string") this.#text += piece;
    else if (piece instanceof Uint8Array) this.#text += this.#decoder.decode(piece, { stream: true });
    if (!this.#isStream()) return;
    let end: number;
    while ((end = this.#text.indexOf("\n\n")) >= 0) {
      this.#event(this.#text.slice(0, end));
      this.#text = this.#text.slice(end + 2);
    }
  }

  /** The end of the answer. */
  ended(): void {
    if (this.#isStream() || this.#text === "") return;
    this.#said(this.#text);
    this.#text = "";
  }

  #isStream(): boolean {
    return this.#answerHeader("content-type")?.startsWith("text/event-stream") === true;
  }

  #event(event: string): void {
    const data = event
      .split("\n")
      .flatMap((line) => (line.startsWith("data:") ? [line.slice(5).trimStart()] : []))
      .join("\n");
    // An event without data only tells its id ("Resumability and Redelivery"), a comment nothing at all.
    if (data !== "") this.#said(data);
  }

  #said(json: string): void {
    const message = parsed(json);
    // Batches are part of one revision.
    const isBatch = Array.isArray(message) && this.#dialogue.revision === "2025-03-26";
    for (const one of isBatch ? message : [message]) this.#dialogue.said(one, this.#where);
    const opened = this.#answerHeader("mcp-session-id");
    if (opened) sessions.set(opened, this.#dialogue);
  }

  /** Requests of a session are one dialogue with it, other requests stand alone. */
  #begin(body: unknown): Dialogue {
    const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
    const stated = this.#header("mcp-protocol-version");
    const isModern = stated === MODERN || (isMessage(body) && claimsModern(body));
    const session = isModern ? undefined : sessions.get(this.#header("mcp-session-id") ?? "");
    // A revision that is not served is refused as the newest does it; a request that states none is of 2025-03-26.
    const revision = stated ? (asRevision(stated) ?? MODERN) : "2025-03-26";
    const dialogue = session ?? new Dialogue(isModern ? MODERN : revision);
    dialogue.heard(...messages);
    return dialogue;
  }
}

/** What a child process writes and reads, line by line; lines that are no messages are none of ours. */
export class LineDialogue {
  readonly #dialogue = new Dialogue();
  readonly #input = new Lines((message) => this.#dialogue.heard(message));
  readonly #output = new Lines((message) => {
    if (isMessage(message) && message["jsonrpc"] === "2.0") this.#dialogue.said(message, "stdio");
  });

  read(piece: unknown): void {
    this.#input.add(piece);
  }

  wrote(piece: unknown): void {
    this.#output.add(piece);
  }
}

/** Text that comes in pieces, as lines of JSON. */
class Lines {
  readonly #visit: (message: unknown) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(visit: (message: unknown) => void) {
    this.#visit = visit;
  }

  add(piece: unknown): void {
    if (typeof piece === "string") this.#rest += piece;
    else if (piece instanceof Uint8Array) this.#rest += this.#decoder.decode(piece, { stream: true });
    const lines = this.#rest.split("\n");
    this.#rest = lines.pop() as string;
    for (const line of lines) this.#visit(parsed(line));
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function claimsModern({ params }: Message): boolean {
  const meta = isMessage(params) ? params["_meta"] : undefined;
  return isMessage(meta) && Object.hasOwn(meta, VERSION);
}

function asRevision(value: unknown): Revision | undefined {
  return REVISIONS.find((revision) => revision === value);
}
