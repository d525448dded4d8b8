/** Bytes that are no proper HTTP, bodies too large or too slow, and methods that are not served. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Target, refused } from "../../support/target.ts";
import { type SocketOutcome, modern, modernHeaders, onSocket } from "../../support/wire.ts";

const LIMIT = 2_000;

let target: Target;
let small: Target;
/** Three requests that stall, begun with the first test and looked at by the last: they take half a minute. */
let stalled: Promise<readonly SocketOutcome[]>;

beforeAll(async () => {
  [target, small] = await Promise.all([Target.start(), Target.start({ http: { maxBodyBytes: LIMIT } })]);
  const body = JSON.stringify(call);
  stalled = Promise.all(
    [
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-Slow: `,
      `${head(`Content-Length: ${body.length}`)}${body.slice(0, -1)}`,
      `${head("Transfer-Encoding: chunked")}5\r\n{"jso`,
    ].map((bytes) => onSocket(target.url, bytes, { patience: 45_000 })),
  );
});

afterAll(async () => {
  await Promise.all([target.close(), small.close()]);
});

const call = modern("tools/call", { name: "echo", arguments: {} });
const good = modernHeaders("tools/call", "echo");

function head(...fields: readonly string[]): string {
  const all = [
    "POST /mcp HTTP/1.1",
    "Host: localhost",
    ...Object.entries(good).map(([name, value]) => `${name}: ${value}`),
    ...fields,
  ];
  return `${all.join("\r\n")}\r\n\r\n`;
}

/** A call whose body has exactly so many bytes, made of characters of `character`'s size. */
function sized(bytes: number, character = "x"): Buffer {
  const empty = Buffer.byteLength(
    JSON.stringify(modern("tools/call", { name: "echo", arguments: { pad: "" } })),
  );
  const size = Buffer.byteLength(character);
  const pad = character.repeat(Math.floor((bytes - empty) / size)) + "x".repeat((bytes - empty) % size);
  return Buffer.from(JSON.stringify(modern("tools/call", { name: "echo", arguments: { pad } })));
}

function pieces(body: Buffer, size: number): Buffer[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, index) =>
    body.subarray(index * size, (index + 1) * size),
  );
}

describe("bodies too large", () => {
  const TOO_LARGE = refused(413, -32600);
  const send = (body: Buffer | readonly Buffer[]) => small.send({ headers: good, body });

  test.each(["x", "é", "€", "🎉"])("are measured in bytes, not characters: %s", async (character) => {
    const fits = sized(LIMIT, character);
    expect(fits.length).toBe(LIMIT);
    expect((await send(fits)).status).toBe(200);
    expect((await send(pieces(fits, 7))).status).toBe(200);
    const over = sized(LIMIT + 1, character);
    expect(await small.outcome(() => send(over))).toEqual(TOO_LARGE);
    expect(await small.outcome(() => send(pieces(over, 7)))).toEqual(TOO_LARGE);
    expect(await small.outcome(() => send([over]))).toEqual(TOO_LARGE);
  });

  test("are refused by their announced length, before a byte of them", async () => {
    const { status } = await onSocket(small.url, head(`Content-Length: ${LIMIT + 1}`), { enough: 1 });
    expect(status).toBe(413);
  });

  test("are refused while they stream, before their end", async () => {
    const chunk = `400\r\n${"x".repeat(1_024)}\r\n`;
    const { status } = await onSocket(small.url, `${head("Transfer-Encoding: chunked")}${chunk}${chunk}`, {
      enough: 1,
    });
    expect(status).toBe(413);
  });

  test("of white space count too", async () => {
    const body = Buffer.from(JSON.stringify(call) + " ".repeat(LIMIT));
    expect(await small.outcome(() => send(body))).toEqual(TOO_LARGE);
    expect(await small.outcome(() => send(pieces(body, 500)))).toEqual(TOO_LARGE);
  });

  test("are 1 MiB and more unless told otherwise", async () => {
    expect((await target.send({ body: sized(1_048_576) })).status).toBe(200);
    expect(await target.outcome(() => target.send({ body: sized(1_048_577) }))).toEqual(TOO_LARGE);
    expect(await target.outcome(() => target.send({ body: pieces(sized(1_048_577), 65_536) }))).toEqual(
      TOO_LARGE,
    );
  });

  test("that never end are cut off", async () => {
    const chunk = Buffer.from(`10000\r\n${"x".repeat(65_536)}\r\n`);
    const { status, closed } = await onSocket(
      small.url,
      Buffer.concat([
        Buffer.from(head("Transfer-Encoding: chunked")),
        ...Array.from({ length: 120 }, () => chunk),
      ]),
      { patience: 10_000 },
    );
    expect(status ?? 413).toBe(413);
    expect(closed).toBe(true);
  });

  test.each(["-1", "+5", "0x10", "5,5", "5 5", "1e3", "abc", "18446744073709551616", ""])(
    "with the length '%s' are refused",
    async (length) => {
      const { status } = await onSocket(small.url, `${head(`Content-Length: ${length}`)}{}`);
      expect(status).toBe(400);
    },
  );
});

describe("methods", () => {
  test.each([
    "GET",
    "HEAD",
    "PUT",
    "PATCH",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
    "SEARCH",
    "MOVE",
    "LINK",
  ])("%s is refused, and POST named", async (method) => {
    const request = head("Connection: close").replace("POST", method);
    const { status, text } = await onSocket(target.url, request);
    expect(status).toBe(405);
    expect(text.toLowerCase()).toContain("\r\nallow: post\r\n");
  });

  test.each(["GET", "PUT", "DELETE"])("%s with a whole call in it is refused", async (method) => {
    const attempt = () => target.send({ method, headers: good, body: JSON.stringify(call) });
    expect(await target.outcome(attempt)).toEqual(refused(405, -32600));
    expect((await attempt()).headers.allow).toBe("POST");
  });

  test("CONNECT and what is no method are refused", async () => {
    for (const method of ["CONNECT", "post", "Post", "FOO", "P OST", "", "POST\t"]) {
      const { statuses, closed } = await onSocket(target.url, head().replace("POST", method));
      expect({ method, served: statuses.includes(200), closed }).toEqual({
        method,
        served: false,
        closed: true,
      });
    }
  });
});

describe("paths", () => {
  test.each([
    "/",
    "/mcp/",
    "//mcp",
    "/MCP",
    "/mcp/x",
    "/mcp%00",
    "/%6dcp",
    "/x/../mcp",
    "/./mcp",
    "/mcp;x",
    "/mcpx",
    "/health/../mcp",
    "/..%2fmcp",
  ])("%s is not the endpoint", async (path) => {
    const { status, handled, next } = await target.outcome(() =>
      target.send({ path, headers: good, body: JSON.stringify(call) }),
    );
    expect({ status, handled, next }).toEqual({ status: 404, handled: 0, next: 200 });
  });

  test("may carry a query, which is not heeded", async () => {
    expect(
      (await target.send({ path: "/mcp?a=1&b=%00", headers: good, body: JSON.stringify(call) })).status,
    ).toBe(200);
  });
});

describe("bytes that are no proper HTTP", () => {
  const body = JSON.stringify(call);
  const length = `Content-Length: ${body.length}`;
  const chunked = "Transfer-Encoding: chunked";
  const chunk = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const close = "Connection: close";

  const garbage: Readonly<Record<string, string>> = {
    "length and chunks": `${head(length, chunked)}${chunk}`,
    "chunks and length": `${head(chunked, length)}${chunk}`,
    "chunks and length 0": `${head("Content-Length: 0", chunked)}${chunk}`,
    "two lengths": `${head(length, `Content-Length: ${body.length + 1}`)}${body}`,
    "two equal lengths": `${head(length, length)}${body}`,
    "a length in two": `${head(`Content-Length: ${body.length}, ${body.length}`)}${body}`,
    "chunks twice": `${head(chunked, chunked)}${chunk}`,
    "chunks, then another coding": `${head("Transfer-Encoding: chunked, identity")}${chunk}`,
    "another coding": `${head("Transfer-Encoding: gzip")}${body}`,
    "a coding that is none": `${head("Transfer-Encoding: xchunked")}${chunk}`,
    "a coding with a mark": `${head("Transfer-Encoding: \u000bchunked")}${chunk}`,
    "a coding after a space": `${head("Transfer-Encoding : chunked")}${chunk}`,
    "a field with a space in its name": `${head(length, "X Y: 1")}${body}`,
    "a field with a space before the colon": `${head(length, "X-Y : 1")}${body}`,
    "a field without a name": `${head(length, ": 1")}${body}`,
    "a field without a colon": `${head(length, "nonsense")}${body}`,
    "a field continued on the next line": `${head(length, "X-Y: 1\r\n continued")}${body}`,
    "a field continued at the start": head().replace("\r\nHost", "\r\n Host"),
    "a NUL in a name": `${head(length, "X\u0000Y: 1")}${body}`,
    "a NUL in a value": `${head(length, "X-Y: a\u0000b")}${body}`,
    "a lone CR in a value": `${head(length, "X-Y: a\rb")}${body}`,
    "a lone LF in a value": `${head(length, "X-Y: a\nX-Z: b")}${body}`,
    "lone LFs": `${head(length)}${body}`.replaceAll("\r\n", "\n"),
    "a lone LF at the end of the head": head(length).replace(/\r\n\r\n$/, "\r\n\n") + body,
    "lone CRs": head(length).replaceAll("\r\n", "\r") + body,
    "a chunk with a negative size": `${head(chunked)}-1\r\n${body}\r\n0\r\n\r\n`,
    "a chunk with a size that is none": `${head(chunked)}zz\r\n${body}\r\n0\r\n\r\n`,
    "a chunk with a size in hexadecimal notation": `${head(chunked)}0x5\r\nabcde\r\n0\r\n\r\n`,
    "a chunk with a huge size": `${head(chunked)}${"f".repeat(17)}\r\n${body}\r\n0\r\n\r\n`,
    "a chunk with an empty size": `${head(chunked)}\r\n${body}\r\n0\r\n\r\n`,
    "a chunk longer than it says": `${head(chunked)}2\r\n${body}\r\n0\r\n\r\n`,
    "a chunk without its end": `${head(chunked)}${body.length.toString(16)}\r\n${body}0\r\n\r\n`,
    "a chunk ended by LF": `${head(chunked)}${body.length.toString(16)}\n${body}\n0\n\n`,
    "a chunk with a LF in its extension": `${head(chunked)}5;x\ny\r\n{"a":\r\n0\r\n\r\n`,
    "the preface of h2c": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    TLS: "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003".padEnd(200, "\u0000"),
    SSH: "SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/0.9": "POST /mcp\r\n\r\n",
    "HTTP/2.0 in text": head(length).replace("HTTP/1.1", "HTTP/2.0") + body,
    "HTTP/1.2": head(length).replace("HTTP/1.1", "HTTP/1.2") + body,
    "HTTP/11.1": head(length).replace("HTTP/1.1", "HTTP/11.1") + body,
    "http in small letters": head(length).replace("HTTP/1.1", "http/1.1") + body,
    "no version": head(length).replace(" HTTP/1.1", "") + body,
    "two spaces": head(length).replace("POST /mcp", "POST  /mcp  x") + body,
    "a tab": head(length).replace("POST /mcp", "POST\t/mcp") + body,
    "a path without a slash": head(length).replace("/mcp", "mcp") + body,
    "a path with a NUL": head(length).replace("/mcp", "/m\u0000cp") + body,
    "a path with a space": head(length).replace("/mcp", "/m cp") + body,
    "a path in brackets": head(length).replace("/mcp", "[::1]/mcp") + body,
    "nothing but line ends, then noise": `${"\r\n".repeat(50)}\u0001\u0002`,
    "random bytes": String.fromCharCode(
      ...Array.from({ length: 500 }, (_, index) => (index * 7_919 + 131) % 256),
    ),
    JSON: body,
    "a response": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "an upgrade to nonsense without a body": head(
      "Upgrade: nonsense",
      "Connection: Upgrade",
      "Content-Length: 0",
    ),
    "an expectation": `${head(length, "Expect: 200-ok", close)}${body}`,
    "a body cut short": `${head(`Content-Length: ${body.length}`, close)}${body.slice(0, 10)}`,
  };

  test.each(Object.entries(garbage))("are refused or cut off within a second: %s", async (what, bytes) => {
    const before = target.handled.length;
    // What waits for more bytes is cut off later, by the limit on slow requests.
    const waits = what === "a body cut short" || what === "lone CRs";
    let ended = waits;
    let statuses: readonly number[] = [];
    // A machine that is busy elsewhere gets three tries.
    for (let round = 0; round < 3 && (round === 0 || !ended); round++) {
      const outcome = await onSocket(target.url, bytes, { patience: 1_000 });
      statuses = [...statuses, ...outcome.statuses];
      ended ||= outcome.closed || outcome.status !== undefined;
    }
    expect(ended).toBe(true);
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect(target.handled.length).toBe(before);
    expect((await target.message("tools/call", { name: "echo", arguments: {} })).status).toBe(200);
  });

  test("after a good request do not touch it", async () => {
    const whole = `${head(length)}${body}`;
    const before = target.handled.length;
    const { statuses, closed } = await onSocket(target.url, [whole, "garbage\r\n\r\n", whole]);
    expect(statuses).toEqual([200, 400]);
    expect(closed).toBe(true);
    expect(target.handled.length - before).toBe(1);
  });

  test("hidden in a body that is longer than it says are not run as a request of their own", async () => {
    const hidden = `${head(length)}${body}`;
    const before = target.handled.length;
    const { statuses } = await onSocket(
      target.url,
      `${head("Content-Length: 0", chunked)}0\r\n\r\n${hidden}`,
    );
    expect(statuses[0]).toBe(400);
    expect(statuses).not.toContain(200);
    expect(target.handled.length).toBe(before);
  });

  test("a body after a refusal is not taken for the next request", async () => {
    const hidden = `${head(length)}${body}`;
    const before = target.handled.length;
    const foreign = head(`Content-Length: ${hidden.length}`).replace("Host: localhost", "Host: evil.example");
    const { statuses } = await onSocket(target.url, `${foreign}${hidden}`, { patience: 1_000 });
    expect(statuses).toEqual([403]);
    expect(target.handled.length).toBe(before);
  });

  test("many connections that say nothing leave room for the next", async () => {
    const silent = Array.from({ length: 200 }, () => onSocket(target.url, "", { patience: 500 }));
    expect((await target.message("tools/call", { name: "echo", arguments: {} })).status).toBe(200);
    await Promise.all(silent);
  });
});

test("a client that goes away in the middle of its body leaves the server as it was", async () => {
  const before = target.handled.length;
  for (let round = 0; round < 50; round++)
    await onSocket(target.url, `${head("Content-Length: 1000")}{"jsonrpc"`, { patience: 2 });
  expect(target.handled.length).toBe(before);
  expect((await target.message("tools/call", { name: "echo", arguments: {} })).status).toBe(200);
});

test(
  "requests that stall are ended: the head within 10 s, the body within 30 s",
  { timeout: 60_000 },
  async () => {
    const outcomes = await stalled;
    expect(outcomes.map(({ status, closed }) => ({ status, closed }))).toEqual([
      { status: 408, closed: true },
      { status: 408, closed: true },
      { status: 408, closed: true },
    ]);
    const [slowHead, slowBody, slowChunks] = outcomes.map(({ milliseconds }) => milliseconds);
    expect(slowHead).toBeLessThan(15_000);
    expect(slowBody).toBeLessThan(36_000);
    expect(slowChunks).toBeLessThan(36_000);
  },
);
