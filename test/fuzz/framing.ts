/** Requests as bytes on a connection: framed as they should be, or broken. */

import { METHODS } from "node:http";
import type { Random } from "../reliability/random.ts";
import type { Case, Field } from "./case.ts";
import { spoilBytes } from "./texts.ts";

export interface Transmission {
  readonly cases: readonly Case[];
  /** Written one after the other, with a little time between. */
  readonly pieces: readonly Buffer[];
  /** Whether every request is framed as it should be: each has to be answered. */
  readonly intact: boolean;
  /** How the client leaves once all is written; by default it waits for the answers. */
  readonly leaves?: "end" | "destroy" | "reset" | undefined;
}

/** Puts cases on one connection; some of them are made for it. */
export function transmission(random: Random, next: () => Case): Transmission {
  const cases = Array.from({ length: random.chance(0.15) ? random.int(2, 4) : 1 }, next);
  const isBroken = random.chance(0.5);
  const written = cases.map((one) => (isBroken ? broken(one, random) : framed(one, random)));
  let bytes = Buffer.concat(written);
  if (isBroken && random.chance(0.15)) bytes = spoilBytes(bytes, random) as Buffer<ArrayBuffer>;
  const leaves =
    isBroken && random.chance(0.3) ? random.pick(["end", "destroy", "reset"] as const) : undefined;
  if (leaves) bytes = bytes.subarray(0, random.int(0, bytes.length));
  const intact = !isBroken && cases.every(isRead);
  return { cases, pieces: inPieces(bytes, random), intact, leaves };
}

/** One case on a connection of its own, all at once. */
export function alone(one: Case): Transmission {
  const { method, path, fields, body } = one;
  const bytes = head(`${method} ${path} HTTP/1.1`, [...withHost(fields), ...lengthOf(body)]);
  return { cases: [one], pieces: [bytes, body], intact: isRead(one) };
}

/** Node closes the connection at other methods, and what it has yet to read can take the answer along. */
const isRead = ({ method }: Case) => METHODS.includes(method);

function inPieces(bytes: Buffer, random: Random): readonly Buffer[] {
  const cuts = random.chance(0.5) ? random.int(1, 6) : 0;
  const at = Array.from({ length: cuts }, () => random.int(0, bytes.length)).toSorted((a, b) => a - b);
  return [0, ...at].map((start, i) => bytes.subarray(start, at[i] ?? bytes.length));
}

function framed({ method, path, fields, body }: Case, random: Random): Buffer {
  const isChunked = body.length > 0 && random.chance(0.25);
  return Buffer.concat([
    head(`${method} ${path} HTTP/1.1`, [
      ...withHost(fields),
      ...(isChunked ? CHUNKED : body.length > 0 || method === "POST" ? lengthOf(body) : []),
    ]),
    isChunked ? chunks(body, random) : body,
  ]);
}

const CHUNKED: readonly Field[] = [["transfer-encoding", "chunked"]];

function lengthOf(body: Buffer): readonly Field[] {
  return [["content-length", String(body.length)]];
}

function withHost(fields: readonly Field[]): readonly Field[] {
  return fields.some(([name]) => name === "host") ? fields : [["host", "127.0.0.1"], ...fields];
}

function head(line: string, fields: readonly Field[]): Buffer {
  return Buffer.from(
    `${line}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
    "latin1",
  );
}

function chunks(body: Buffer, random: Random): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length;) {
    const piece = body.subarray(at, at + random.int(1, Math.max(1, Math.ceil(body.length / 3))));
    const extension = random.chance(0.1) ? ";a=b" : "";
    pieces.push(Buffer.from(`${piece.length.toString(16)}${extension}\r\n`), piece, Buffer.from("\r\n"));
    at += piece.length;
  }
  const trailer = random.chance(0.1) ? "x-trailer: x\r\n" : "";
  return Buffer.concat([...pieces, Buffer.from(`0\r\n${trailer}\r\n`)]);
}

/** The same request with one thing that is not as HTTP has it. */
function broken(one: Case, random: Random): Buffer {
  const { method, path, fields, body } = one;
  const line = `${method} ${path} HTTP/1.1`;
  const all = withHost(fields);
  switch (random.int(0, 6)) {
    case 0:
      return Buffer.concat([head(line, [...all, ...random.pick(lengths(body))]), body]);
    case 1:
      return Buffer.concat([head(line, [...all, ...CHUNKED]), brokenChunks(body, random)]);
    case 2:
      return Buffer.concat([head(random.pick(lines(one)), [...all, ...lengthOf(body)]), body]);
    case 3:
      return withField(random.pick(FIELDS), one);
    case 4:
      return random.pick(OTHERS);
    case 5:
      return Buffer.concat([head(line, [...all, random.pick(MEANT_FOR_NODE), ...lengthOf(body)]), body]);
    default:
      return spoilBytes(framed(one, random), random);
  }
}

/** Lengths that are not the body's, and two ways to say where it ends. */
function lengths({ length }: Buffer): readonly (readonly Field[])[] {
  const stated = (value: string): readonly Field[] => [["content-length", value]];
  const values = [
    length + 1,
    length + 1_000_000,
    Math.max(0, length - 1),
    Math.ceil(length / 2),
    0,
    -1,
    1e21,
  ].map(String);
  const odd = ["", " ", "x", "0x10", `+${length}`, `${length},${length}`, `${length}.0`, "9".repeat(40)];
  return [
    ...[...values, ...odd].map(stated),
    [],
    [...stated(String(length)), ...stated(String(length + 1))],
    [...stated(String(length)), ...CHUNKED],
    [...CHUNKED, ...stated("5")],
    [["transfer-encoding", "gzip, chunked"]],
    [["transfer-encoding", "chunked, identity"]],
    [["transfer-encoding", "xchunked"]],
    [["transfer-encoding", "\tchunked"]],
  ];
}

function brokenChunks(body: Buffer, random: Random): Buffer {
  const size = body.length.toString(16);
  const whole = (first: string, last = "0\r\n\r\n") =>
    Buffer.concat([Buffer.from(first), body, Buffer.from(`\r\n${last}`)]);
  return random.pick([
    whole("zz\r\n"),
    whole(`-${size}\r\n`),
    whole("ffffffffffffffff\r\n"),
    whole(`${size}\n`),
    whole(` ${size} \r\n`),
    whole(`${(body.length + 7).toString(16)}\r\n`),
    whole(`${Math.max(0, body.length - 1).toString(16)}\r\n`),
    whole(`${size};${"x".repeat(20_000)}\r\n`),
    whole(`${size}\r\n`, ""),
    whole(`${size}\r\n`, "0\r\n"),
    whole(`${size}\r\n`, `0\r\n${"t: x\r\n".repeat(3_000)}\r\n`),
    whole(`${size}\r\n`, "0\r\ncontent-length: 5\r\nbad trailer\r\n\r\n"),
    body,
  ]);
}

function lines({ method, path }: Case): readonly string[] {
  return [
    `${method} ${path} HTTP/1.0`,
    `${method} ${path} HTTP/2.0`,
    `${method} ${path} HTTP/9.9`,
    `${method} ${path}`,
    `${method} HTTP/1.1`,
    `${method.toLowerCase()} ${path} HTTP/1.1`,
    `${method}  ${path}  HTTP/1.1`,
    `${method}\t${path} HTTP/1.1`,
    ` ${method} ${path} HTTP/1.1`,
    `\r\n\r\n${method} ${path} HTTP/1.1`,
    `CONNECT 127.0.0.1:80 HTTP/1.1`,
    `TRACE ${path} HTTP/1.1`,
    `OPTIONS * HTTP/1.1`,
    `POST http://evil.example${path} HTTP/1.1`,
    `POST //evil.example/mcp HTTP/1.1`,
    `POST ${path}?${"q".repeat(20_000)} HTTP/1.1`,
    `POST /mcp\u0000 HTTP/1.1`,
    `POST /\u00ff\u00fe HTTP/1.1`,
    `POST http://[::1 HTTP/1.1`,
    `POST /%zz HTTP/1.1`,
    "",
  ];
}

const FIELDS: readonly string[] = [
  "no colon",
  ": no name",
  "name : space",
  "bad name: x",
  "x: a\nb: c",
  "x: a\rb: c",
  "x: \u0000",
  "x: a\r\n folded",
  `x: ${"y".repeat(20_000)}`,
  "n\u00e4me: x",
  "content-length: 3\r\ncontent-length: 4",
  "host: 127.0.0.1\r\nhost: evil.example",
  ...Array.from({ length: 3 }, (_, i) => `x-many: ${i}\r\n`.repeat(60 + i * 40).trimEnd()),
];

function withField(field: string, { method, path, fields, body }: Case): Buffer {
  const good = [...withHost(fields), ...lengthOf(body)].map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${field}\r\n${good.join("")}\r\n`, "latin1"),
    body,
  ]);
}

/** Fields that node:http itself acts on. */
const MEANT_FOR_NODE: readonly Field[] = [
  ["expect", "100-continue"],
  ["expect", "nothing"],
  ["upgrade", "websocket"],
  ["upgrade", "h2c"],
  ["connection", "close"],
  ["connection", "upgrade"],
  ["connection", "keep-alive, content-length"],
  ["proxy-connection", "keep-alive"],
  ["te", "trailers"],
];

/** What other protocols say first, and nothing sensible. */
const OTHERS: readonly Buffer[] = [
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from("16030100c8010000c40303", "hex"),
  Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'),
  Buffer.from("Content-Length: 46\r\n\r\n{}"),
  Buffer.from("\r\n".repeat(200)),
  Buffer.alloc(70_000, "a"),
  Buffer.alloc(64),
  Buffer.from("SSH-2.0-fuzz\r\n"),
  Buffer.from("GET"),
];
