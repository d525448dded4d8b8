/** Headers that are missing, contradict the body or each other, or come from where nobody should call. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Target, refused } from "../../support/target.ts";
import {
  META,
  MODERN,
  type RawHeaders,
  joined,
  modern,
  modernHeaders,
  onSocket,
} from "../../support/wire.ts";

let target: Target;

beforeAll(async () => {
  target = await Target.start({
    http: { allowedHosts: ["tasks.example.com"], allowedOrigins: ["https://app.example.com"] },
  });
});

afterAll(async () => {
  await target.close();
});

const MISMATCH = refused(400, -32020);
const FORBIDDEN = refused(403, -32600);

const call = modern("tools/call", { name: "echo", arguments: {} });
const good = modernHeaders("tools/call", "echo");

/** Posts a valid call with some headers replaced, or left out where they are undefined. */
function post(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  body: unknown = call,
) {
  const merged = Object.entries({ ...good, ...headers }).filter(([, value]) => value !== undefined);
  return target.send({ headers: Object.fromEntries(merged) as RawHeaders, body: JSON.stringify(body) });
}

/** The same on a socket, where nothing mends what is written. */
function raw(fields: readonly string[], { host = "Host: localhost", body = JSON.stringify(call) } = {}) {
  const head = [
    "POST /mcp HTTP/1.1",
    host,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    ...fields,
  ];
  return onSocket(target.url, joined(`${head.filter((line) => line !== "").join("\r\n")}\r\n\r\n`, body));
}

const GOOD = Object.entries(good).map(([name, value]) => `${name}: ${value}`);
const goodBut = (name: string) => GOOD.filter((line) => !line.startsWith(`${name}:`));

/** What came of a raw request, and of a valid one after it. */
function rawOutcome(attempt: () => ReturnType<typeof raw>) {
  return target.outcome(async () => {
    const { status = 0, text } = await attempt();
    const code = /"code":(-\d+)/.exec(text)?.[1];
    return { status, code: code === undefined ? undefined : Number(code) };
  });
}

describe("headers that mirror a modern request", () => {
  const right = {
    "mcp-protocol-version": MODERN,
    "mcp-method": "tools/call",
    "mcp-name": "echo",
  } as const;
  type Mirror = keyof typeof right;

  const wrong: Readonly<Record<Mirror, readonly (string | readonly string[] | undefined)[]>> = {
    "mcp-protocol-version": [
      undefined,
      "",
      "2025-11-25",
      "2026-07-29",
      "2026-07-28x",
      "x2026-07-28",
      "2026-07-28, 2026-07-28",
      "20260728",
      "=?base64?MjAyNi0wNy0yOA==?=",
      [MODERN, MODERN],
      [MODERN, "2025-11-25"],
      "DRAFT-2026",
    ],
    "mcp-method": [
      undefined,
      "",
      "tools/list",
      "Tools/Call",
      "TOOLS/CALL",
      "tools/call/",
      "tools /call",
      "tools/call, tools/call",
      "=?base64?dG9vbHMvY2FsbA==?=",
      ["tools/call", "tools/call"],
      ["tools/call", "tools/list"],
      "toolscall",
    ],
    "mcp-name": [
      undefined,
      "",
      "other",
      "Echo",
      "ECHO",
      "echo2",
      "ech",
      "echo, echo",
      "e cho",
      ["echo", "echo"],
      ["echo", "other"],
      "%65cho",
      '"echo"',
    ],
  };
  const names = Object.keys(right) as Mirror[];
  const shown = (value: unknown) => (value === undefined ? "missing" : JSON.stringify(value));

  const single = names.flatMap((name) =>
    wrong[name].map((value) => [`${name}: ${shown(value)}`, { [name]: value }] as const),
  );
  const pairs = names.flatMap((first, index) =>
    names
      .slice(index + 1)
      .flatMap((second) =>
        wrong[first].flatMap((a) =>
          wrong[second].map(
            (b) => [`${first}: ${shown(a)}, ${second}: ${shown(b)}`, { [first]: a, [second]: b }] as const,
          ),
        ),
      ),
  );

  test("are refused one by one", async () => {
    expect(await target.deviations(single, MISMATCH, (headers) => post(headers))).toEqual([]);
  });

  test("are refused in pairs", async () => {
    expect(pairs.length).toBeGreaterThan(400);
    expect(await target.deviations(pairs, MISMATCH, (headers) => post(headers))).toEqual([]);
  });

  test("are refused where the body says otherwise", async () => {
    const bodies = [
      ["another name", modern("tools/call", { name: "other", arguments: {} })],
      ["another method", modern("tools/list", { name: "echo" })],
      [
        "another revision",
        {
          ...call,
          params: {
            name: "echo",
            _meta: { ...META, "io.modelcontextprotocol/protocolVersion": "2025-11-25" },
          },
        },
      ],
    ] as const;
    expect(await target.deviations(bodies, MISMATCH, (body) => post({}, body))).toEqual([]);
  });

  test("have names in any case, and space around their values", async () => {
    const { status } = await raw([
      "content-type: application/json",
      `MCP-PROTOCOL-VERSION:${MODERN}`,
      "mCp-MeThOd:   tools/call  ",
      "MCP-Name:\techo\t",
    ]);
    expect(status).toBe(200);
  });

  test("are not needed by name where a method has none", async () => {
    const { "mcp-name": _name, ...headers } = modernHeaders("tools/list", "x");
    const answer = await target.send({ headers, body: JSON.stringify(modern("tools/list")) });
    expect(answer.status).toBe(200);
  });

  test.each([
    ["resources/read", { uri: "docs://a" }, "docs://b"],
    ["resources/read", { uri: "docs://a" }, "docs://A"],
    ["resources/read", { uri: "docs://a%20b" }, "docs://a b"],
    ["prompts/get", { name: "greet" }, "greet2"],
  ])("of %s must name what the body names", async (method, params, name) => {
    const headers = modernHeaders(method, name);
    const send = (given: RawHeaders) =>
      target.send({ headers: given, body: JSON.stringify(modern(method, params)) });
    expect(await target.outcome(() => send(headers))).toEqual(MISMATCH);
    const { "mcp-name": _name, ...rest } = headers;
    expect(await target.outcome(() => send(rest))).toEqual(MISMATCH);
  });

  test("of names are read before what they name: malformed ones are refused where the body has no name", async () => {
    const body = JSON.stringify(modern("tools/call", { name: 1 }));
    const send = (name: string) => target.send({ headers: modernHeaders("tools/call", name), body });
    expect(await target.outcome(() => send("=?base64?ZQ?="))).toEqual(MISMATCH);
    expect(await target.outcome(() => send("echo"))).toEqual(refused(200, -32602));
  });

  test("with bytes that are no ASCII are refused", async () => {
    const uri = "docs://é";
    const body = JSON.stringify(modern("resources/read", { uri }));
    for (const name of [uri, Buffer.from(uri).toString("latin1")]) {
      const fields = [
        ...goodBut("mcp-name").filter((line) => !line.startsWith("mcp-method")),
        "mcp-method: resources/read",
      ];
      expect(await rawOutcome(() => raw([...fields, `mcp-name: ${name}`], { body }))).toEqual(MISMATCH);
    }
  });

  test.each(["\u0000", "\u0001", "\u0007", "\u001f", "\u007f"])(
    "with the control character %j are refused",
    async (character) => {
      const { status, handled } = await rawOutcome(() =>
        raw([...goodBut("mcp-name"), `mcp-name: ec${character}ho`]),
      );
      expect({ status, handled }).toEqual({ status: 400, handled: 0 });
    },
  );
});

describe("names in Base64", () => {
  const base64 = (text: string | Buffer) => Buffer.from(text as string).toString("base64");
  const read = (uri: string, header: string) =>
    target.send({
      headers: modernHeaders("resources/read", header),
      body: JSON.stringify(modern("resources/read", { uri })),
    });

  test.each([
    "é",
    "日本語",
    "🎉",
    "a b",
    " a ",
    "a\tb",
    "=?base64?YQ==?=",
    "=?base64?",
    "?=",
    "x".repeat(1_000),
    "ü".repeat(500),
  ])("are compared decoded: %j", async (name) => {
    const uri = `docs://${encodeURIComponent(name)}`;
    expect((await read(uri, `=?base64?${base64(uri)}?=`)).status).toBe(200);
    const plain = `docs://${name}`;
    const { status, code } = await read(plain, `=?base64?${base64(plain)}?=`);
    // What a template refuses is refused after the headers were found right.
    expect({ status, code: code ?? -32602 }).toEqual({ status: 200, code: -32602 });
  });

  // Ten bytes: its Base64 ends in padding.
  const uri = "docs://éa";
  const right = base64(uri);
  const broken: readonly (readonly [string, string])[] = [
    ["upper-case marker", `=?BASE64?${right}?=`],
    ["mixed-case marker", `=?Base64?${right}?=`],
    ["another coding", `=?utf-8?B?${right}?=`],
    ["no end", `=?base64?${right}`],
    ["half an end", `=?base64?${right}?`],
    ["no beginning", `${right}?=`],
    ["no marker", right],
    ["empty", "=?base64??="],
    ["nothing", "=?base64?="],
    ["marked twice", `=?base64?${base64(`=?base64?${right}?=`)}?=`],
    ["padding left out", `=?base64?${right.replace(/=+$/, "")}?=`],
    ["padding too long", `=?base64?${right}=?=`],
    ["padding far too long", `=?base64?${right}====?=`],
    ["padding within", `=?base64?${right.slice(0, 4)}==${right.slice(4)}?=`],
    ["padding alone", "=?base64?====?="],
    ["a letter too few", `=?base64?${right.slice(1)}?=`],
    ["the alphabet of URLs", `=?base64?${Buffer.from("docs://é?>~~").toString("base64url")}?=`],
    ["a character of no alphabet", `=?base64?${right.slice(0, -4)}!!!!?=`],
    ["a space within", `=?base64?${right.slice(0, 4)} ${right.slice(4)}?=`],
    ["a space at the end", `=?base64?${right} ?=`],
    ["a line's end within", `=?base64?${right.slice(0, 4)}\\n${right.slice(4)}?=`],
    ["no UTF-8", `=?base64?${base64(Buffer.concat([Buffer.from("docs://"), Buffer.of(0xe9, 0x61)]))}?=`],
    [
      "overlong UTF-8",
      `=?base64?${base64(Buffer.concat([Buffer.from("docs:"), Buffer.of(0xc0, 0xaf, 0xc0, 0xaf)]))}?=`,
    ],
    ["half a surrogate pair", `=?base64?${base64(Buffer.from([0xed, 0xa0, 0x80]))}?=`],
    ["a byte order mark", `=?base64?${base64(`\ufeff${uri}`)}?=`],
    ["UTF-16", `=?base64?${Buffer.from(uri, "utf16le").toString("base64")}?=`],
    ["another name", `=?base64?${base64("docs://ea")}?=`],
    ["another form of the name", `=?base64?${base64("docs://e\u0301a")}?=`],
    ["a NUL at the end", `=?base64?${base64(`${uri}\u0000`)}?=`],
    ["twice", `=?base64?${right}?==?base64?${right}?=`],
    ["twice with a comma", `=?base64?${right}?=, =?base64?${right}?=`],
  ];

  test.each(broken)("are refused: %s", async (_what, header) => {
    expect(await target.outcome(() => read(uri, header))).toEqual(MISMATCH);
  });

  test("that look encoded but are the name are refused: they had to be encoded", async () => {
    const literal = "=?base64?ZWNobw==?=";
    const body = modern("tools/call", { name: literal, arguments: {} });
    expect(await target.outcome(() => post({ "mcp-name": literal }, body))).toEqual(MISMATCH);
  });
});

describe("media types", () => {
  test.each([
    "application/json",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    'application/json; charset="utf-8"',
    "APPLICATION/JSON",
    "application/json ; charset=utf-8",
    "application/json; profile=x",
  ])("that are JSON are taken: %s", async (type) => {
    expect((await post({ "content-type": type })).status).toBe(200);
  });

  const foreign = [
    undefined,
    "",
    "text/plain",
    "text/plain;charset=utf-8",
    "text/plain; application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=application/json",
    "text/json",
    "application/jsonx",
    "application/json-seq",
    "application/json5",
    "application/ld+json",
    "application/vnd.api+json",
    "application/json, text/plain",
    "text/plain, application/json",
    "application/xml",
    "application/octet-stream",
    "application/json; charset=latin1",
    "application/json; charset=utf-16",
    "application/json;charset=utf-8;charset=utf-16",
    "application/ json",
    "application",
    "*/*",
    "application/*",
    "json",
    "application/json/x",
  ];

  test.each(foreign)("that are not JSON are refused: %s", async (type) => {
    expect(await target.outcome(() => post({ "content-type": type }))).toEqual(refused(415, -32600));
  });

  test("are refused before the body is read", async () => {
    const head = [
      "POST /mcp HTTP/1.1",
      "Host: localhost",
      "Content-Type: text/plain",
      "Content-Length: 1000000",
    ];
    const { status } = await onSocket(target.url, `${head.join("\r\n")}\r\n\r\n{`, { enough: 1 });
    expect(status).toBe(415);
  });

  test("that are given twice are refused", async () => {
    const pairs = [
      ["application/json", "text/plain"],
      ["text/plain", "application/json"],
      ["application/json", "application/json"],
    ];
    for (const pair of pairs) {
      const fields = [...goodBut("content-type"), ...pair.map((type) => `Content-Type: ${type}`)];
      expect(await rawOutcome(() => raw(fields))).toEqual(refused(400, -32600));
    }
  });
});

describe("content codings", () => {
  test.each([
    "gzip",
    "deflate",
    "br",
    "zstd",
    "compress",
    "identity",
    "gzip, gzip",
    "x-gzip",
    "aes128gcm",
    "",
    "*",
    "unknown",
  ])("are refused: '%s'", async (coding) => {
    expect(await target.outcome(() => post({ "content-encoding": coding }))).toEqual(refused(415, -32600));
  });

  test("are refused before the body is read", async () => {
    const head = [...GOOD, "Content-Encoding: gzip", "Content-Length: 1000000"];
    const { status } = await onSocket(
      target.url,
      `POST /mcp HTTP/1.1\r\nHost: localhost\r\n${head.join("\r\n")}\r\n\r\n\u001f`,
      { enough: 1 },
    );
    expect(status).toBe(415);
  });
});

describe("Accept", () => {
  test.each([
    undefined,
    "*/*",
    "application/json",
    "application/*",
    "application/json, text/event-stream",
    "text/event-stream, application/json;q=0.5",
  ])("of %s is served in the 2025 era", async (accept) => {
    const body = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };
    const headers = { "content-type": "application/json", ...(accept !== undefined && { accept }) };
    expect((await target.send({ headers, body: JSON.stringify(body) })).status).toBe(200);
  });

  test.each(["text/html", "text/plain", "application/xml", "application/jsonx", ""])(
    "of '%s' is refused there",
    async (accept) => {
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo" } });
      const headers = { "content-type": "application/json", accept };
      expect(await target.outcome(() => target.send({ headers, body }))).toEqual(refused(406, -32600));
    },
  );
});

describe("Origin", () => {
  test.each([
    undefined,
    "http://localhost",
    "http://localhost:3000",
    "https://localhost:8443",
    "http://127.0.0.1",
    "http://127.0.0.1:65535",
    "http://[::1]:5173",
    "https://app.example.com",
  ])("%s may call", async (origin) => {
    const { status, headers } = await post({ origin });
    expect(status).toBe(200);
    expect(headers["access-control-allow-origin"]).toBe(origin);
  });

  const foreign: readonly string[] = [
    "",
    "null",
    "Null",
    "undefined",
    "*",
    "https://evil.example",
    "http://evil.example:8080",
    "https://app.example.com.evil.example",
    "https://evil.example/https://app.example.com",
    "https://evilapp.example.com",
    "https://sub.app.example.com",
    "https://example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "https://app.example.com/path",
    "https://app.example.com.",
    "HTTPS://app.example.com",
    "https://APP.example.com",
    "https://app.example.com@evil.example",
    "https://user@app.example.com",
    "http://localhost.evil.example",
    "http://evil.example#localhost",
    "http://evil.example?localhost",
    "http://localhost@evil.example",
    "http://localhost:3000@evil.example",
    "http://localhost:",
    "http://localhost:abc",
    "http://localhost:123456",
    "http://localhost/",
    "http://localhost.",
    "HTTP://LOCALHOST",
    "localhost",
    "localhost:3000",
    "//localhost",
    "ftp://localhost",
    "file://",
    "chrome-extension://abcdef",
    "ws://localhost",
    "http://localhost\\.evil.example",
    "http://127.0.0.2",
    "http://127.1",
    "http://0.0.0.0",
    "http://2130706433",
    "http://0x7f.1",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://127.0.0.1.nip.io",
    "http://127.0.0.1:80:80",
    "http://xn--lcalhost-54a",
    "http://loc%61lhost",
    "http://localhost http://evil.example",
    "http://evil.example http://localhost",
    "http://localhost, http://evil.example",
    "data:text/html,x",
    "about:blank",
    "tasks.example.com",
    "https://tasks.example.com",
  ];

  test("of another site may not call, and learns nothing", async () => {
    expect(foreign.length).toBeGreaterThanOrEqual(40);
    const cases = foreign.map((origin) => [origin, origin] as const);
    expect(await target.deviations(cases, FORBIDDEN, (origin) => post({ origin }))).toEqual([]);
    for (const origin of foreign)
      expect((await post({ origin })).headers).not.toHaveProperty("access-control-allow-origin");
  });

  test("is refused before anything else, whatever the method", async () => {
    for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
      const answer = await target.send({ method, headers: { origin: "https://evil.example" }, body: "{" });
      expect(answer.status).toBe(403);
    }
  });

  test("given twice may not call", async () => {
    for (const pair of [
      ["http://localhost", "https://evil.example"],
      ["https://evil.example", "http://localhost"],
    ]) {
      const { status, handled } = await rawOutcome(() =>
        raw([...GOOD, ...pair.map((origin) => `Origin: ${origin}`)]),
      );
      expect({ status, handled }).toEqual({ status: 403, handled: 0 });
    }
  });

  test("that may call is told so beforehand", async () => {
    const answer = await target.send({ method: "OPTIONS", headers: { origin: "https://app.example.com" } });
    expect(answer.status).toBe(204);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example.com",
      "access-control-allow-methods": "POST",
      vary: "origin",
    });
  });
});

describe("Host", () => {
  test.each([
    "localhost",
    "localhost:80",
    "LOCALHOST",
    "127.0.0.1",
    "127.0.0.1:9999",
    "[::1]",
    "[::1]:1",
    "tasks.example.com",
    "Tasks.Example.Com:443",
  ])("%s is answered", async (host) => {
    expect((await raw(GOOD, { host: `Host: ${host}` })).status).toBe(200);
  });

  const foreign = [
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "localhost.",
    "evil.localhost",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "127.0.0.2",
    "127.1",
    "0.0.0.0",
    "2130706433",
    "0x7f.0.0.1",
    "[::]",
    "[::ffff:127.0.0.1]",
    "::1",
    "localhost:80:80",
    "localhost:",
    "localhost:port",
    "user@localhost",
    "localhost@evil.example",
    "localhost/evil",
    "localhost, evil.example",
    "evil.example, localhost",
    "example.com",
    "sub.tasks.example.com",
    "tasks.example.com.",
    "tasks.example.com.evil.example",
    "metadata.google.internal",
    "169.254.169.254",
    "http://localhost",
  ];

  test.each(foreign)("%s is refused", async (host) => {
    expect(await rawOutcome(() => raw(GOOD, { host: `Host: ${host}` }))).toEqual(FORBIDDEN);
  });

  test.each([
    ["missing", "", 400],
    ["empty", "Host:", 403],
    ["blank", "Host:   ", 403],
    ["given twice", "Host: localhost\r\nHost: localhost", 400],
    ["given twice, once foreign", "Host: localhost\r\nHost: evil.example", 400],
    ["given twice, first foreign", "Host: evil.example\r\nhost: localhost", 400],
  ])("%s is refused", async (_what, host, status) => {
    const outcome = await rawOutcome(() => raw(GOOD, { host }));
    expect({ status: outcome.status, handled: outcome.handled }).toEqual({ status, handled: 0 });
  });

  test("missing in HTTP/1.0 is refused", async () => {
    const body = JSON.stringify(call);
    const head = ["POST /mcp HTTP/1.0", `Content-Length: ${body.length}`, ...GOOD];
    expect(await rawOutcome(() => onSocket(target.url, `${head.join("\r\n")}\r\n\r\n${body}`))).toEqual(
      FORBIDDEN,
    );
  });

  test("is refused before the body is read, and before Origin", async () => {
    const head = ["POST /mcp HTTP/1.1", "Host: evil.example", "Content-Length: 1000000", ...GOOD];
    const { status, text } = await onSocket(target.url, `${head.join("\r\n")}\r\n\r\n{`, { enough: 1 });
    expect(status).toBe(403);
    expect(text).toContain("Host");
  });
});

describe("too many headers", () => {
  const extra = (count: number) => Array.from({ length: count }, (_, index) => `x-${index}: 1`);
  // Host, Content-Length and Connection belong to them.
  const own = GOOD.length + 3;

  test("100 fields are taken, 101 are refused", async () => {
    expect((await raw([...GOOD, ...extra(100 - own)])).status).toBe(200);
    expect(await rawOutcome(() => raw([...GOOD, ...extra(101 - own)]))).toEqual(refused(431, -32600));
  });

  test.each([110, 127, 128, 129, 200, 500])("%i fields are refused", async (count) => {
    expect(await rawOutcome(() => raw([...extra(count - own), ...GOOD]))).toEqual(refused(431, -32600));
  });

  test("of the same name count each", async () => {
    const same = Array.from({ length: 120 }, () => "x-same: 1");
    expect(await rawOutcome(() => raw([...GOOD, ...same]))).toEqual(refused(431, -32600));
  });

  test.each([16_384, 20_000, 1_000_000])("%i bytes in a field are refused", async (length) => {
    const { status, handled, next } = await rawOutcome(() => raw([...GOOD, `x-long: ${"x".repeat(length)}`]));
    expect({ status, handled, next }).toEqual({ status: 431, handled: 0, next: 200 });
  });
});

test("sessions are neither minted nor heeded", async () => {
  const answer = await post({ "mcp-session-id": "abc", "last-event-id": "7" });
  expect(answer.status).toBe(200);
  expect(answer.headers).not.toHaveProperty("mcp-session-id");
});
