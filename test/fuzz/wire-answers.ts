/** The answers on a connection, read strictly from its bytes: also what frames them has to be right. */

import type { Answer } from "./verdict.ts";

const EMPTY = Buffer.alloc(0);
const CLOSE = "close";

export class WireAnswers {
  /** Answers that are whole, in order. */
  readonly answers: Answer[] = [];
  #problem: string | undefined;
  #end: "open" | "closed" | "left" = "open";
  readonly #methods: readonly string[];
  #rest: Buffer = EMPTY;
  #head: Head | undefined;
  #text = "";

  /** @param methods - Those of the requests, in order: what answers HEAD has no body. */
  constructor(methods: readonly string[]) {
    this.#methods = methods;
  }

  add(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (this.#problem === undefined && this.#step());
  }

  /** The answer that has begun and is not whole, as far as it came. */
  get begun(): Answer | undefined {
    return this.#head && { ...this.#head.known, text: this.#text, ended: false };
  }

  /** The server has closed the connection. */
  closed(): void {
    if (this.#end === "open") this.#end = "closed";
    if (this.#head?.length === "until closed") this.#whole();
  }

  /** The client has left. */
  left(): void {
    if (this.#end === "open") this.#end = "left";
  }

  get isClosed(): boolean {
    return this.#end === "closed";
  }

  /** What is wrong with what came, where so many requests had to be answered. */
  faults(requests: number): readonly string[] {
    if (this.#problem !== undefined) return [this.#problem];
    const isTorn = this.#rest.length > 0 || this.#head !== undefined;
    if (this.isClosed && isTorn) return ["an answer that was cut off"];
    // What comes after an answer that goes on, or that ends the connection, is not answered.
    const isOver = this.#head !== undefined || this.answers.at(-1)?.header("connection") === CLOSE;
    return this.answers.length < requests && !isOver ? ["no answer"] : [];
  }

  #step(): boolean {
    if (!this.#head) return this.#readHead();
    const { length } = this.#head;
    if (length === "until closed") return this.#readAll();
    return length === "chunked" ? this.#readChunk() : this.#readBody(length);
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf("\r\n\r\n");
    if (end < 0) return false;
    const [line = "", ...fields] = this.#rest.subarray(0, end).toString("latin1").split("\r\n");
    this.#rest = this.#rest.subarray(end + 4);
    const status = Number(/^HTTP\/1\.1 (\d{3}) [ -~]*$/.exec(line)?.[1]);
    if (Number.isNaN(status)) return this.#wrong(`the status line ${JSON.stringify(line)}`);
    // An interim answer has nothing but a head (RFC 9110, section 15.2).
    if (status < 200) return true;
    const headers = new Map<string, string>();
    for (const field of fields) {
      const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\t -~\u0080-\u00ff]*)$/.exec(field) ?? [];
      if (name === undefined || value === undefined) return this.#wrong(`the field ${JSON.stringify(field)}`);
      headers.set(name.toLowerCase(), value);
    }
    const known = { status, header: (name: string) => headers.get(name) };
    const hasNone = this.#methods[this.answers.length] === "HEAD" || status === 204 || status === 304;
    const stated = headers.get("content-length");
    const isChunked = headers.get("transfer-encoding") === "chunked";
    if (stated !== undefined && (isChunked || !/^\d+$/.test(stated)))
      return this.#wrong("a length that cannot be");
    // RFC 9112, section 6.3: clients of HTTP/1.0 are told the end by closing.
    const length = isChunked ? "chunked" : stated === undefined ? "until closed" : Number(stated);
    this.#head = { known, length: hasNone ? 0 : length };
    return true;
  }

  #readBody(length: number): boolean {
    if (this.#rest.length < length) return false;
    this.#text = this.#take(length).toString();
    return this.#whole();
  }

  #readAll(): false {
    this.#text += this.#take(this.#rest.length).toString();
    return false;
  }

  #readChunk(): boolean {
    const end = this.#rest.indexOf("\r\n");
    if (end < 0) return false;
    const size = Number.parseInt(this.#rest.subarray(0, end).toString("latin1"), 16);
    if (!(size >= 0)) return this.#wrong("a chunk without its size");
    if (this.#rest.length < end + 2 + size + 2) return false;
    this.#take(end + 2);
    this.#text += this.#take(size).toString();
    this.#take(2);
    return size > 0 || this.#whole();
  }

  #whole(): boolean {
    const { known } = this.#head as Head;
    this.answers.push({ ...known, text: this.#text, ended: true });
    this.#head = undefined;
    this.#text = "";
    return true;
  }

  #take(length: number): Buffer {
    const bytes = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return bytes;
  }

  #wrong(problem: string): false {
    this.#problem = problem;
    return false;
  }
}

interface Head {
  readonly known: Pick<Answer, "status" | "header">;
  /** Of the body, in bytes. */
  readonly length: number | "chunked" | "until closed";
}
