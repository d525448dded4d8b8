import { type LoggerOptions, ConfigurationError, createLogger } from "gantry-mcp";
import { describe, expect, test, vi } from "vitest";

const BEARER = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl";

function logged(
  fields: object,
  message = "message",
  options: LoggerOptions = {},
): { line: string; entry: Record<string, unknown> } {
  const lines: string[] = [];
  createLogger({ format: "json", ...options, write: (text) => lines.push(text) }).error(fields, message);
  expect(lines).toHaveLength(1);
  const [line = ""] = lines;
  return { line, entry: options.format === "pretty" ? {} : (JSON.parse(line) as Record<string, unknown>) };
}

const pretty = (fields: object, message = "message") => logged(fields, message, { format: "pretty" }).line;

describe("JSON lines", () => {
  test("an entry is one line with time, level, message and fields", () => {
    const lines: string[] = [];
    const logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
    logger.debug({}, "a");
    logger.info({ n: 1, list: [1, "two", null, undefined], none: undefined, when: new Date(0) }, "b");
    logger.warn({}, "c");
    logger.error({}, "d");
    expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
      { level: "debug", message: "a", time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:]+\.\d{3}Z$/) },
      {
        level: "info",
        message: "b",
        n: 1,
        list: [1, "two", null, null],
        when: "1970-01-01T00:00:00.000Z",
        time: expect.any(String),
      },
      expect.objectContaining({ level: "warn", message: "c" }),
      expect.objectContaining({ level: "error", message: "d" }),
    ]);
    const { time } = JSON.parse(lines[0] as string) as { time: string };
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(10_000);
  });

  test("levels below the logger's are not written, and nothing is made for them", () => {
    const lines: string[] = [];
    const read = vi.fn<() => string>(() => "read");
    const fields = Object.defineProperty({}, "lazy", { enumerable: true, get: read });
    for (const level of ["debug", "info", "warn", "error", "silent"] as const) {
      const logger = createLogger({ level, write: (line) => lines.push(line) });
      for (const severity of ["debug", "info", "warn", "error"] as const) {
        read.mockClear();
        lines.length = 0;
        logger[severity](fields, severity);
        expect(lines.length).toBe(logger.isLevelEnabled(severity) ? 1 : 0);
        expect(read).toHaveBeenCalledTimes(lines.length);
      }
      expect(
        ["debug", "info", "warn", "error"].filter((each) => logger.isLevelEnabled(each as "info")),
      ).toEqual(
        ["debug", "info", "warn", "error"].slice(["debug", "info", "warn", "error", "silent"].indexOf(level)),
      );
    }
  });

  test("the environment's LOG_LEVEL counts where no level is given; one that is none is told", () => {
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    vi.stubEnv("LOG_LEVEL", "WARN");
    expect(createLogger({ write }).isLevelEnabled("info")).toBe(false);
    expect(createLogger({ write, level: "debug" }).isLevelEnabled("debug")).toBe(true);
    expect(lines).toEqual([]);
    vi.stubEnv("LOG_LEVEL", "chatty");
    expect(createLogger({ write, format: "json" }).isLevelEnabled("info")).toBe(true);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ level: "warn", LOG_LEVEL: "chatty" });
    vi.unstubAllEnvs();
  });

  test("children add their fields, which a line may replace, each once", () => {
    const lines: string[] = [];
    const logger = createLogger({
      format: "json",
      fields: { service: "tasks" },
      write: (line) => lines.push(line),
    });
    const child = logger.child({ requestId: "a", token: "hunter2" }).child({ step: 1, requestId: "b" });
    child.info({ step: 2 }, "hello");
    expect(lines[0]).toMatch(
      /^\{"time":"[^"]+","level":"info","message":"hello","service":"tasks","requestId":"b","token":"\[redacted\]","step":2\}$/,
    );
  });

  test("fields cannot pass for the time, the level or the message", () => {
    const { entry } = logged({ time: "t", level: "debug", message: "m", nested: { level: "l" } });
    expect(entry).toMatchObject({
      level: "error",
      message: "message",
      _time: "t",
      _level: "debug",
      _message: "m",
      nested: { level: "l" },
    });
  });

  test("an error or a text alone are taken as they are meant", () => {
    const lines: string[] = [];
    const logger = createLogger({ format: "json", write: (line) => lines.push(line) });
    (logger.error as (error: Error) => void)(new Error("gone"));
    (logger.info as (message: unknown) => void)("hello");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { message: "", err: { message: "gone" } },
      { message: "hello" },
    ]);
  });

  test("errors show name, message, code, stack, causes and errors, and nothing that libraries hang on them", () => {
    const inner = Object.assign(new Error("inner", { cause: "root" }), {
      code: "ECONNRESET",
      config: { key: "k" },
    });
    const { entry } = logged({
      err: new TypeError("outer", { cause: inner }),
      all: new AggregateError([new Error("one")], "many"),
    });
    expect(entry["err"]).toEqual({
      name: "TypeError",
      message: "outer",
      stack: expect.stringContaining("log.test.ts"),
      cause: {
        name: "Error",
        message: "inner",
        code: "ECONNRESET",
        cause: "root",
        stack: expect.any(String),
      },
    });
    expect(entry["all"]).toMatchObject({ message: "many", errors: [{ message: "one" }] });
  });

  test("long texts are cut, and so are long entries", () => {
    const { line, entry } = logged({ text: "x".repeat(1_000_000), err: new Error("y".repeat(1_000_000)) });
    expect((entry["text"] as string).length).toBe(8_193);
    expect(line.length).toBeLessThan(40_000);
    const many = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, i) => [`field${i}`, { list: [i, "x"] }]),
    );
    for (const fields of [many, { many }, { list: Object.values(many) }])
      expect(logged(fields).line.length).toBeLessThan(200_000);
  });

  test("what JSON cannot hold does not stop the log, and takes nothing else with it", () => {
    const circular: { self?: unknown } = {};
    circular.self = { circular };
    const throwing = {
      get secret(): string {
        throw new Error("no");
      },
      fine: 1,
    };
    const deep = Array.from({ length: 10_000 }).reduce<object>((inner) => ({ inner }), {});
    const proxy = new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("no");
        },
      },
    );
    const { entry } = logged({
      circular,
      throwing,
      deep,
      proxy,
      n: 10n,
      nan: NaN,
      f: () => 1,
      s: Symbol("s"),
      bytes: Buffer.from("secret"),
      map: new Map([["a", new Set([1])]]),
      date: new Date(NaN),
      toJSON: { toJSON: () => ({ a: 1 }) },
      bad: {
        toJSON() {
          throw new Error("no");
        },
      },
      last: "there",
    });
    expect(entry).toEqual({
      time: expect.any(String),
      level: "error",
      message: "message",
      circular: { self: { circular: "[circular]" } },
      throwing: { secret: "[unreadable]", fine: 1 },
      deep: expect.any(Object),
      proxy: "[unreadable]",
      n: "10",
      nan: null,
      bytes: "[6 bytes]",
      map: { a: [1] },
      date: null,
      toJSON: { a: 1 },
      bad: "[unreadable]",
      last: "there",
    });
    expect(logged(throwing).entry).toMatchObject({ secret: "[unreadable]", fine: 1 });
    expect(logged(proxy).entry).toMatchObject({ message: "message" });
  });
});

describe("secrets", () => {
  test("texts in fields named like secrets are left out, wherever they stand", () => {
    const { line, entry } = logged({
      headers: {
        Authorization: "Bearer abc",
        "x-api-key": "abc",
        accept: "*/*",
        "set-cookie": ["abc", "abc"],
      },
      accessToken: "abc",
      credentials: { user: "abc", keys: [{ id: "abc" }] },
      tokens: 3,
    });
    expect(line).not.toContain("abc");
    expect(entry).toMatchObject({
      headers: { Authorization: "[redacted]", "x-api-key": "[redacted]", accept: "*/*" },
      accessToken: "[redacted]",
      tokens: 3,
    });
  });

  test("fields that the author names are left out, whatever they hold", () => {
    const { entry } = logged({ person: { IBAN: 12, iban: { a: 1 }, ibans: 2, name: "Ana" } }, "", {
      redact: ["iban"],
    });
    expect(entry["person"]).toEqual({ IBAN: "[redacted]", iban: "[redacted]", ibans: 2, name: "Ana" });
  });

  test.each([
    [`Bearer ${BEARER}`, "Bearer [redacted]"],
    ["authorization: bearer s3cr3t-t0ken rejected", "authorization: bearer [redacted] rejected"],
    ["Basic dXNlcjpwYXNzd29yZA== was sent", "Basic [redacted] was sent"],
    ["Basic dXNlcjpwYXNz", "Basic [redacted]"],
    [`token ${BEARER}, expired`, "token [redacted], expired"],
    ["redis://user:hunter2@cache:6379/0 is gone", "redis://user:[redacted]@cache:6379/0 is gone"],
    ["redis://:hun@ter2@cache", "redis://:[redacted]@cache"],
    [
      "GET https://api.example.com/x?access_token=hunter2&page=2",
      "GET https://api.example.com/x?access_token=[redacted]&page=2",
    ],
    [
      'connect failed: host=db password="hun ter2" user=ana',
      "connect failed: host=db password=[redacted] user=ana",
    ],
    ["Server=db;Password=hunter2;Database=x", "Server=db;Password=[redacted];Database=x"],
    [
      '{"user":"ada","password":"hunter2","apiKey":"k"}',
      '{"user":"ada","password":"[redacted]","apiKey":"[redacted]"}',
    ],
    [
      String.raw`body: {\"client_secret\":\"hunt\\\"er2\",\"x\":1}`,
      String.raw`body: {\"client_secret\":\"[redacted]\",\"x\":1}`,
    ],
    ["{ password: 'hunter2', user: 'ada' }", "{ password: 'hunter2', user: 'ada' }"],
    ["password: hunter2-real is wrong", "password: [redacted] is wrong"],
    ["x-api-key: hunter two\nnext", "x-api-key: [redacted]\nnext"],
    ["Authorization: Token hunter", "Authorization: [redacted]"],
    ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [redacted]"],
    ["Cookie: sid=hunter; theme=dark", "Cookie: [redacted]"],
    ["psql --password hunter --host db", "psql --password [redacted] --host db"],
    ["https://maps.example.com/x?key=hunter&q=1", "https://maps.example.com/x?key=[redacted]&q=1"],
    ["sk_live_abcdefghijklmnop rejected", "[redacted] rejected"],
    ["key sk-proj-abcdefghijklmnop123 rejected", "key [redacted] rejected"],
    ["ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[redacted]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc-\n-----END RSA PRIVATE KEY-----\nend", "[redacted]\nend"],
    ["-----BEGIN PRIVATE KEY-----\nMIIE", "[redacted]"],
  ])("%j is written without its secret", (text, left) => {
    expect(logged({ text }, text).entry).toMatchObject({ text: left, message: left });
    expect(logged({ err: new Error(text) }).entry["err"]).toMatchObject({ message: left });
    expect(JSON.stringify(logged({ deep: [{ text: [text] }] }).entry)).toContain(
      JSON.stringify(left).slice(1, -1),
    );
    expect(JSON.stringify(logged({ [text]: 1 }).entry)).toContain(JSON.stringify(left).slice(1, -1));
  });

  test.each([
    "Basic authentication is off",
    "Bearer authentication is needed",
    'Bearer realm="tasks", error="invalid_token"',
    'Bearer resource_metadata="https://tasks.example.com/.well-known"',
    "Send a Bearer token.",
    "https://tasks.example.com:8080/a?page=2&name=@ana",
    "The token is 3 characters too long",
    "password: must have at least eight characters",
    "The secret: there is none",
    "risk-management-of-the-whole-company",
    "a = b, x=1",
  ])("%j is written as it is", (text) => {
    expect(logged({ text }).entry["text"]).toBe(text);
  });

  test("a secret across the cut is left out as a whole", () => {
    const text = `${"x".repeat(8_180)} Bearer ${BEARER} ${"y".repeat(100_000)}`;
    expect(logged({ text }).line).not.toContain("eyJ");
    expect(logged({ text: `${"x".repeat(8_180)}://u:${"p".repeat(30)}@host` }).line).not.toContain("pp");
  });
});

describe("on a terminal", () => {
  test("an entry is a line that people read, with the stacks of errors below", () => {
    expect(pretty({ path: "/a b", n: 1, who: "ana" }, "Started")).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} ERROR Started path="\/a b" n=1 who=ana$/,
    );
    const cause = new Error("inner");
    expect(pretty({ err: new TypeError("outer", { cause }) }, "Failed")).toMatch(
      /^\S+ ERROR Failed\n {4}TypeError: outer\n {8}at [^]*\n {4}caused by Error: inner\n {8}at /,
    );
    expect(
      pretty({ err: new AggregateError([new RangeError("first"), "second"], "all failed") }, "Failed"),
    ).toMatch(
      /^\S+ ERROR Failed\n {4}AggregateError: all failed\n {8}at [^]*\n {4}one of its errors: RangeError: first\n {8}at [^]*\n {4}one of its errors: second$/,
    );
  });

  test("what callers send is neutralised", () => {
    const line = pretty(
      { name: "\u001b[2Ja\r\nb\u009b31m", ["\u001b[31m"]: 1 },
      "\u001b]0;owned\u0007\nERROR fake",
    );
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(line).toContain("\\u001b]0;owned\\u0007\\nERROR fake");
    const stack = pretty({ err: new Error("\u001b[2J\rhidden") });
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    expect(stack).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });
});

test.each<readonly [unknown, string]>([
  [
    { level: "loud" },
    'createLogger(): level is "loud": write "debug" or "info" or "warn" or "error" or "silent".',
  ],
  [{ format: "xml" }, 'createLogger(): format is "xml": write "json" or "pretty".'],
  [{ redact: "iban" }, 'createLogger(): redact takes names of fields: write redact: ["iban"].'],
  [{ levels: "info" }, 'createLogger(): unknown option "levels". Did you mean "level"?'],
  [{ fields: "tasks" }, 'createLogger(): fields is "tasks": write { service: "task-api" }.'],
  [{ write: "stdout" }, 'createLogger(): write is "stdout": write a function, (line) => … .'],
  [null, 'createLogger() got null: write createLogger({ level: "info" }).'],
])("%j is refused, with what to write", (options, message) => {
  expect(() => createLogger(options as LoggerOptions)).toThrow(ConfigurationError);
  expect(() => createLogger(options as LoggerOptions)).toThrow(message);
});
