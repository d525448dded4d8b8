import { ConfigurationError, MCPServer, type MCPServerOptions, text } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import * as mini from "zod/mini";

const description = "What it is for.";
const name = "a_resource";
const handler = () => "done";

/** A server whose methods take what TypeScript would refuse. */
interface Untyped {
  tool(...args: readonly unknown[]): void;
  resource(...args: readonly unknown[]): void;
  prompt(...args: readonly unknown[]): void;
  use(layer: unknown): void;
}

/** Each mistake, and the whole message that its author reads. */
function mistakes(
  cases: Readonly<Record<string, [register: (server: Untyped) => void, message: string | RegExp]>>,
): void {
  it.each(Object.entries(cases))("%s", (_name, [register, message]) => {
    const whole = typeof message === "string" ? new ConfigurationError(message) : message;
    expect(() => register(new MCPServer({ name: "registration", version: "1.0.0" }))).toThrow(whole);
  });
}

describe("a name", () => {
  const use = 'Use 1 to 128 letters, digits, "_", "-" and ".".';
  mistakes({
    "that another tool has": [
      (server) => {
        server.tool("list", { description }, handler);
        server.tool("list", { description }, handler);
      },
      "Tool 'list' is already registered. Choose another name, or remove the first one.",
    ],
    "that another prompt has": [
      (server) => {
        server.prompt("plan", { description }, handler);
        server.prompt("plan", { description }, handler);
      },
      "Prompt 'plan' is already registered. Choose another name, or remove the first one.",
    ],
    "with a space": [
      (server) => server.tool("list tasks", { description }, handler),
      `Tool "list tasks" has a bad name. ${use}`,
    ],
    "with a letter beyond ASCII": [
      (server) => server.prompt("größe", { description }, handler),
      `Prompt "größe" has a bad name. ${use}`,
    ],
    "that is empty": [
      (server) => server.tool("", { description }, handler),
      `Tool "" has a bad name. ${use}`,
    ],
    "that is too long": [
      (server) => server.tool("x".repeat(129), { description }, handler),
      `Tool "${"x".repeat(129)}" has a bad name. ${use}`,
    ],
    "that is none": [(server) => server.tool(7, { description }, handler), `Tool "7" has a bad name. ${use}`],
    "that a resource lacks": [
      (server) => server.resource("config://app", { description }, handler),
      'Resource "config://app" has no name. Write { name: "app_config", … }.',
    ],
  });

  it("may be shared by a tool and a prompt, and used again once it is free", () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    server.tool("list", { description }, handler).prompt("list", { description }, handler);
    expect(() => server.remove({ tool: "list" }).tool("list", { description }, handler)).not.toThrow();
  });

  it("may hold every character that clients carry", () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    expect(() =>
      server.tool("Az09_-.", { description }, handler).tool("x".repeat(128), { description }, handler),
    ).not.toThrow();
  });
});

describe("a description", () => {
  const say = "Say in a sentence what it is for: models choose by it.";
  mistakes({
    "that a tool lacks": [(server) => server.tool("a", {}, handler), `Tool "a" has no description. ${say}`],
    "that is blank": [
      (server) => server.tool("a", { description: " \n" }, handler),
      `Tool "a" has no description. ${say}`,
    ],
    "that a resource lacks": [
      (server) => server.resource("config://app", { name }, handler),
      `Resource "config://app" has no description. ${say}`,
    ],
    "that a prompt lacks": [
      (server) => server.prompt("a", {}, handler),
      `Prompt "a" has no description. ${say}`,
    ],
  });
});

describe("options and handlers", () => {
  mistakes({
    "a tool without a handler": [
      (server) => server.tool("a", { description }),
      'Tool "a" has no handler. Pass a function as the last argument.',
    ],
    "a resource without a handler": [
      (server) => server.resource("config://app", { name, description }),
      'Resource "config://app" has no handler. Pass a function as the last argument.',
    ],
    "a prompt whose handler is its text": [
      (server) => server.prompt("a", { description }, "Summarise."),
      'Prompt "a" has no handler. Pass a function as the last argument.',
    ],
    "a tool without options": [
      (server) => server.tool("a", handler),
      'Tool "a" has no options. Write { description: "…" } before the handler.',
    ],
    "a prompt with null for options": [
      (server) => server.prompt("a", null, handler),
      'Prompt "a" has no options. Write { description: "…" } before the handler.',
    ],
    "a time limit in words": [
      (server) => server.tool("a", { description, timeout: "soon" }, handler),
      'Tool "a": timeout is "soon": write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
    ],
    "a negative time limit": [
      (server) => server.resource("config://app", { name, description, timeout: -1 }, handler),
      'Resource "config://app": timeout is -1: write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
    ],
    "a time limit that no timer holds": [
      (server) => server.prompt("a", { description, timeout: "900h" }, handler),
      'Prompt "a": timeout is "900h": write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
    ],
    "a time limit that is no number": [
      (server) => server.tool("a", { description, timeout: Number.NaN }, handler),
      'Tool "a": timeout is NaN: write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
    ],
    "a time limit of nothing": [
      (server) => server.tool("a", { description, timeout: 0 }, handler),
      'Tool "a": timeout is 0: nothing gets done in no time. Write how long it may take, such as "30s".',
    ],
    "a way with unknown arguments that there is not": [
      (server) => server.tool("a", { description, unknownArguments: "reject" }, handler),
      'Tool "a": unknownArguments is "reject": write "follow-schema" or "refuse".',
    ],
    "a title that is no text": [
      (server) => server.prompt("a", { description, title: 7 }, handler),
      'Prompt "a": title is 7: write text.',
    ],
    "a media type that is no text": [
      (server) => server.resource("a://b", { name, description, mimeType: ["text/plain"] }, handler),
      'Resource "a://b": mimeType is an array: write text.',
    ],
    "a size that there is not": [
      (server) => server.resource("a://b", { name, description, size: -1 }, handler),
      'Resource "a://b": size is -1: write how many bytes it has, from 0.',
    ],
    "tags in one text": [
      (server) => server.tool("a", { description, tags: "write" }, handler),
      'Tool "a": tags is "write": write an array of texts, such as ["tasks"].',
    ],
    ...Object.fromEntries(
      ["icon.png", [{}], [{ src: "javascript:alert(1)" }], [{ src: "data:,", theme: "blue" }]].map(
        (icons) => [
          `the icons ${JSON.stringify(icons)}`,
          [
            (server: Untyped) => server.tool("a", { description, icons }, handler),
            'Tool "a": icons are none: write an array such as [{ src: "https://example.com/icon.png" }], with https: or data: addresses.',
          ] as const,
        ],
      ),
    ),
    "metadata that is no object": [
      (server) => server.tool("a", { description, _meta: [1] }, handler),
      'Tool "a": _meta cannot be written as JSON. Use plain JSON values.',
    ],
    "a layer that is none": [
      (server) => server.use({ handel: handler }),
      "use() got an object: write a layer such as logging(), or a function such as async (ctx, next) => next().",
    ],
    "a layer that was forgotten": [
      (server) => server.use(undefined),
      "use() got undefined: write a layer such as logging(), or a function such as async (ctx, next) => next().",
    ],
    "metadata that JSON cannot carry": [
      (server) => server.tool("a", { description, _meta: { size: 1n } }, handler),
      'Tool "a": _meta cannot be written as JSON. Use plain JSON values.',
    ],
  });
});

describe("a resource's URI", () => {
  const absolute = 'is not an absolute URI. Write one with a scheme, such as "config://app".';
  const resource = (uri: string) => (server: Untyped) => server.resource(uri, { name, description }, handler);
  const wrong = (uri: string): [(server: Untyped) => void, string] => [
    resource(uri),
    `Resource "${uri}" ${absolute}`,
  ];
  mistakes({
    "without a scheme": wrong("config/app"),
    "with nothing after the scheme": wrong("config:"),
    "with a space": wrong("config://my app"),
    "with a line break": wrong("config://my\napp"),
    "with a letter beyond ASCII": wrong("config://größe"),
    "with a character that URIs exclude": wrong("config://a|b"),
    "with a brace that closes nothing": wrong("config://app}"),
    "with a bracket that is no address's": wrong("config://app[1]"),
    "with a percent sign that encodes nothing": wrong("config://100%"),
    "that is an object of URLs": [
      (server) => server.resource(new URL("config://app"), { name, description }, handler),
      `Resource "config://app" is not an absolute URI. Write one with a scheme, such as "config://app".`,
    ],
    "that another resource has": [
      (server) => {
        resource("config://app")(server);
        resource("config://app")(server);
      },
      "Resource 'config://app' is already registered. Choose another name, or remove the first one.",
    ],
  });
});

describe("an annotation that clients refuse, and the whole list with it", () => {
  const annotated = (annotations: object) => (server: Untyped) =>
    server.resource("a://b", { name, description, annotations }, handler);
  const hinted = (annotations: object) => (server: Untyped) =>
    server.tool("t", { description, annotations }, handler);
  mistakes({
    "of a priority beyond 1": [
      annotated({ priority: 5 }),
      'Resource "a://b": annotations.priority is 5: write a number from 0 to 1.',
    ],
    "for nobody": [
      annotated({ audience: ["model"] }),
      'Resource "a://b": annotations.audience is not valid: write an array of "user" and "assistant".',
    ],
    ...Object.fromEntries(
      ["yesterday", "2026-11-01", "2026-13-01T12:00:00Z"].map((time) => [
        `of the time ${time}`,
        [
          annotated({ lastModified: time }),
          `Resource "a://b": annotations.lastModified is "${time}": write a time such as "2026-11-01T12:00:00Z", as toISOString() gives it.`,
        ] as const,
      ]),
    ),
    "that tools do not have": [
      hinted({ readonlyHint: true }),
      'Tool "t": annotations: unknown option "readonlyHint". Did you mean "readOnlyHint"?',
    ],
    "that is neither true nor false": [
      hinted({ destructiveHint: "no" }),
      'Tool "t": annotations.destructiveHint is "no": write true or false.',
    ],
    "of a tool whose title is no text": [
      hinted({ title: 7 }),
      'Tool "t": annotations.title is 7: write a name for people.',
    ],
    "on a block": [
      () => void text("x", { annotations: { priority: -1 } }),
      "annotations.priority is -1: write a number from 0 to 1.",
    ],
  });

  it("is not one of these", () => {
    const fine = { audience: ["user", "assistant"], priority: 0, lastModified: new Date(0).toISOString() };
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    expect(() => annotated(fine)(server as Untyped)).not.toThrow();
  });
});

describe("a template", () => {
  const template = (uri: string) => (server: Untyped) => server.resource(uri, { name, description }, handler);
  const wrong = (uri: string, problem: string): [(server: Untyped) => void, string] => [
    template(uri),
    `Resource template "${uri}": ${problem}`,
  ];
  mistakes({
    "whose scheme is a variable": wrong(
      "{scheme}://x",
      'it must begin with a literal scheme, such as "tasks://{task_id}".',
    ),
    "with an expression of another level": wrong(
      "tasks://find{?status}",
      "the expression {?status} is not supported. Write {name}, {+path} or {/path*}.",
    ),
    "with an empty expression": wrong(
      "tasks://{}",
      "the expression {} is not supported. Write {name}, {+path} or {/path*}.",
    ),
    "with one variable twice": wrong(
      "tasks://{id}/{id}",
      "a variable stands twice. Give each a name of its own.",
    ),
    "with variables that touch": wrong(
      "tasks://{a}{b}",
      "two variables touch. Put a separator such as / between them.",
    ),
    "with two variables of several segments": wrong(
      "files://{+a}/to/{+b}",
      "only one of {+path} and {/path*} is allowed.",
    ),
    "with an open brace": wrong(
      "tasks://{id",
      "a brace stands alone. Write {name}, and %7B or %7D for a brace itself.",
    ),
    "with a space outside of its variables": wrong(
      "tasks://my tasks/{id}",
      "it has characters that no URI has. Percent-encode them: %20 for a space.",
    ),
    "that another resource has": [
      (server) => {
        template("tasks://{id}")(server);
        template("tasks://{id}")(server);
      },
      "Resource 'tasks://{id}' is already registered. Choose another name, or remove the first one.",
    ],
    "that matches what another matches": [
      (server) => {
        template("tasks://{id}")(server);
        template("tasks://{task_id}")(server);
      },
      "Resource 'tasks://{task_id}' matches what 'tasks://{id}' matches. Give its URIs another form, or remove the first one.",
    ],
  });

  it("may share its beginning with others", () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    expect(() =>
      server
        .resource("tasks://{id}", { name, description }, handler)
        .resource("tasks://{id}/comments", { name, description }, handler)
        .resource("tasks://{+path}", { name, description }, handler)
        .resource("tasks://all", { name, description }, handler),
    ).not.toThrow();
  });
});

describe("completion", () => {
  mistakes({
    "of a variable that the template lacks": [
      (server) => server.resource("tasks://{id}", { name, description, complete: { task: [] } }, handler),
      'Resource "tasks://{id}" completes "task", which is not a variable of its URI. Write one of: id.',
    ],
    "of a fixed URI": [
      (server) => server.resource("config://app", { name, description, complete: { id: [] } }, handler),
      'Resource "config://app" completes "id", which is not a variable of its URI. It has none: leave it out.',
    ],
    "of an argument that the prompt lacks": [
      (server) =>
        server.prompt(
          "plan",
          {
            description,
            input: z.object({ project: z.string(), weeks: z.string() }),
            complete: { week: [] },
          },
          handler,
        ),
      'Prompt "plan" completes "week", which is not an argument of its input. Write one of: project, weeks.',
    ],
    "of a prompt without arguments": [
      (server) => server.prompt("plan", { description, complete: { project: [] } }, handler),
      'Prompt "plan" completes "project", which is not an argument of its input. It has none: leave it out.',
    ],
  });
});

describe("a schema", () => {
  const input = (schema: unknown) => (server: Untyped) =>
    server.tool("a", { description, input: schema }, handler);
  const output = (schema: unknown) => (server: Untyped) =>
    server.tool("a", { description, output: schema }, handler);
  const carry = "Use types and defaults that JSON can carry";
  const digits = "such as z.int() or a z.string() of digits for a bigint.";
  const object =
    "must describe an object, because arguments have names. Wrap it: z.object({ value: … }), or " +
    '{ type: "object", properties: { value: … } } in plain JSON Schema.';
  const none =
    "is not a schema. Write z.object({ … }), another Standard Schema, or a plain JSON Schema object.";
  const valibot = "gives no JSON Schema. Wrap it: toStandardJsonSchema(…) from @valibot/to-json-schema.";
  const cyclic: Record<string, unknown> = { type: "object" };
  cyclic["self"] = cyclic;
  const acme = { "~standard": { version: 1, vendor: "acme", validate: (value: unknown) => ({ value }) } };

  mistakes({
    "with a bigint": [
      input(z.object({ n: z.bigint().default(1n) })),
      `Tool "a": input has no JSON Schema (BigInt cannot be represented in JSON Schema). ${carry}, ${digits}`,
    ],
    "with a bigint for a default": [
      input(z.object({ n: z.unknown().default(1n) })),
      `Tool "a": input has no JSON Schema (BigInt defaults cannot be represented in JSON Schema). ${carry}, ${digits}`,
    ],
    "with a date": [
      input(z.object({ due: z.date() })),
      `Tool "a": input has no JSON Schema (Date cannot be represented in JSON Schema). ${carry}, such as z.iso.datetime() for a date.`,
    ],
    "with a map in the output": [
      output(z.object({ tags: z.map(z.string(), z.string()) })),
      `Tool "a": output has no JSON Schema (Map cannot be represented in JSON Schema). ${carry}.`,
    ],
    "with an example that JSON cannot carry": [
      input(z.object({ n: z.number().meta({ examples: [1n] }) })),
      `Tool "a": input has no JSON Schema (Error converting schema to JSON.). ${carry}.`,
    ],
    "with a default that throws": [
      input(
        z.object({
          n: z.string().default(() => {
            throw new Error("no default today");
          }),
        }),
      ),
      `Tool "a": input has no JSON Schema (no default today). ${carry}.`,
    ],
    "that contains itself": [
      input(cyclic),
      /^Tool "a": input cannot be written as JSON \(Converting circular structure[^]*\)\. Use plain JSON values in defaults and examples\.$/,
    ],
    "of a string": [input(z.string()), `Tool "a": input ${object}`],
    "of an array": [input(z.array(z.string())), `Tool "a": input ${object}`],
    "of a union without an object": [input(z.union([z.string(), z.number()])), `Tool "a": input ${object}`],
    "of a string, plain": [input({ type: "string" }), `Tool "a": input ${object}`],
    "of a prompt's string": [
      (server) => server.prompt("a", { description, input: z.string() }, handler),
      `Prompt "a": input ${object}`,
    ],
    "that is an object of schemas": [
      input({ title: z.string(), done: z.boolean() }),
      'Tool "a": input is an object of schemas, which is not a schema yet. Wrap it: z.object({ title: … }).',
    ],
    "that is an object of schemas, for the output": [
      output({ title: z.string() }),
      'Tool "a": output is an object of schemas, which is not a schema yet. Wrap it: z.object({ title: … }).',
    ],
    "of Valibot without its adapter": [
      input(v.object({ title: v.string() })),
      `Tool "a": input is a schema of valibot that ${valibot}`,
    ],
    "of Valibot without its adapter, for the output": [
      output(v.object({ title: v.string() })),
      `Tool "a": output is a schema of valibot that ${valibot}`,
    ],
    "of zod/mini": [
      input(mini.object({ title: mini.string() })),
      'Tool "a": input is a schema of zod that gives no JSON Schema. zod 3 and zod/mini have none: import { z } from "zod", 4.2 or newer.',
    ],
    "of a library that gives no JSON Schema": [
      input(acme),
      'Tool "a": input is a schema of acme that gives no JSON Schema. Use zod 4, ArkType, Valibot or plain JSON Schema.',
    ],
    "that is a function": [input(() => true), `Tool "a": input ${none}`],
    "that is a word": [input("object"), `Tool "a": input ${none}`],
    "that is null": [output(null), `Tool "a": output ${none}`],
    "that is a list": [output([z.string()]), `Tool "a": output ${none}`],
  });
});

describe("plain JSON Schema that is wrong", () => {
  const dangling = (target: string) =>
    `refers to "${target}", which is not in it, and nothing is fetched. Put that schema under $defs and write { $ref: "#/$defs/name" }.`;
  const object = (properties: unknown) => ({ type: "object", properties });

  it("is told at the start, all together, each with its place", async () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    server
      .tool("shape", { description, input: object(7) as never }, handler)
      .tool("pattern", { description, input: object({ id: { type: "string", pattern: "(" } }) }, handler)
      .tool("output", { description, output: { type: "objekt" } }, handler)
      .tool(
        "dialect",
        { description, input: { $schema: "http://json-schema.org/draft-04/schema#", type: "object" } },
        handler,
      )
      .tool(
        "remote",
        { description, input: object({ task: { $ref: "https://example.com/task.json" } }) },
        handler,
      )
      .tool("dangling", { description, input: object({ task: { $ref: "#/$defs/task" } }) }, handler)
      .tool("async", { description, input: { $async: true, type: "object" } }, handler)
      .tool("fine", { description, input: object({ id: { type: "string" } }) }, handler)
      .prompt("required", { description, input: { type: "object", required: "id" } }, handler);
    const started = server.run({ transport: "http", port: 0, signals: false });
    await expect(started).rejects.toBeInstanceOf(ConfigurationError);
    const { problems, message } = (await started.catch((error: unknown) => error)) as ConfigurationError;
    expect(problems).toEqual([
      'Tool "shape": input is not a valid JSON Schema: schema is invalid: data/properties must be object.',
      'Tool "pattern": input is not a valid JSON Schema: Invalid regular expression: /(/u: Unterminated group.',
      expect.stringMatching(
        /^Tool "output": output is not a valid JSON Schema: schema is invalid: data\/type must be /,
      ),
      'Tool "dialect": input is of the dialect "http://json-schema.org/draft-04/schema#", which is not supported. Use 2020-12 (the default), 2019-09, draft-07 or draft-06.',
      `Tool "remote": input ${dangling("https://example.com/task.json")}`,
      `Tool "dangling": input ${dangling("#/$defs/task")}`,
      'Tool "async": input has $async, which is not JSON Schema. Leave it out.',
      'Prompt "required": input is not a valid JSON Schema: schema is invalid: data/required must be array.',
    ]);
    expect(message).toBe(`8 problems:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  });

  it("is told where it is written once the server runs, which goes on as it was", async () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    server.tool("fine", { description, input: object({}) }, handler);
    const client = await TestClient.connect(server);
    expect(() => server.tool("late", { description, output: { type: "objekt" } }, handler)).toThrow(
      'Tool "late": output is not a valid JSON Schema: ',
    );
    expect((await client.listTools()).map((tool) => tool.name)).toEqual(["fine"]);
  });
});

describe("an option that there is not", () => {
  mistakes({
    "on a tool": [
      (server) => server.tool("t", { description, inputs: z.object({}) }, handler),
      'Tool "t": unknown option "inputs". Did you mean "input"?',
    ],
    "on a tool, like none": [
      (server) => server.tool("t", { description, x_internal_remark: 1 }, handler),
      'Tool "t": unknown option "x_internal_remark". Write one of: description, title, icons, tags, timeout, rateLimit, concurrency, cache, auth, public, roles, scopes, tenant, guards, inject, audit, _meta, input, output, annotations, unknownArguments, invalidates, idempotent.',
    ],
    "that is nearly one that says who may call": [
      (server) => server.tool("t", { description, role: ["admin"] }, handler),
      'Tool "t": unknown option "role". Did you mean "roles"?',
    ],
    "on a tool, in place of a description": [
      (server) => server.tool("t", { descripton: description }, handler),
      'Tool "t": unknown option "descripton". Did you mean "description"?',
    ],
    "on a resource": [
      (server) => server.resource("config://a", { name, description, mimetype: "text/plain" }, handler),
      'Resource "config://a": unknown option "mimetype". Did you mean "mimeType"?',
    ],
    "on a prompt": [
      (server) => server.prompt("p", { description, output: z.string() }, handler),
      'Prompt "p": unknown option "output". Did you mean "input"?',
    ],
    "on a server": [
      () => new MCPServer({ name: "a", version: "1", pagesize: 3 } as MCPServerOptions),
      'MCPServer: unknown option "pagesize". Did you mean "pageSize"?',
    ],
    "on how a server is reached": [
      () => new MCPServer({ name: "a", version: "1", http: { maxBodySize: 1 } as object }),
      'MCPServer: http: unknown option "maxBodySize". Did you mean "maxBodyBytes"?',
    ],
    "on how sessions are kept": [
      () => new MCPServer({ name: "a", version: "1", http: { sessions: { idel: "5m" } as object } }),
      'MCPServer: http.sessions: unknown option "idel". Did you mean "idle"?',
    ],
    "on how questions are sealed": [
      () => new MCPServer({ name: "a", version: "1", requestState: { key: ["k"] } as object }),
      'MCPServer: requestState: unknown option "key". Did you mean "keys"?',
    ],
    "on how a resource may be kept": [
      (server) =>
        server.resource("a://b", { name, description, cacheHint: { ttl: 1, scoop: "public" } }, handler),
      'Resource "a://b": cacheHint: unknown option "scoop". Did you mean "scope"?',
    ],
    "as a name that every object has": [
      (server) => server.tool("t", { description, constructor: 1 }, handler),
      /^Tool "t": unknown option "constructor"\. /,
    ],
  });

  it.each([
    [{ prot: 1 }, 'run(): unknown option "prot". Did you mean "port"?'],
    [{ shutdown: { limits: "1s" } }, 'run(): shutdown: unknown option "limits". Did you mean "limit"?'],
  ])("on run(): %j", async (options, message) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    const started = server.run({ transport: "http", ...(options as object) });
    await expect(started).rejects.toThrow(new ConfigurationError(message));
  });

  it("is told with every other", () => {
    const options = { description, role: [], tag: "a" } as { description: string };
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    expect(() => server.tool("t", options, handler)).toThrow(
      new ConfigurationError([
        'Tool "t": unknown option "role". Did you mean "roles"?',
        'Tool "t": unknown option "tag". Did you mean "tags"?',
      ]),
    );
  });
});

describe("a template", () => {
  mistakes({
    "of a size": [
      (server) => server.resource("a://{b}", { name, description, size: 3 }, handler),
      'Resource "a://{b}" is a template, which has no size. Leave "size" out.',
    ],
  });
});

describe("a server", () => {
  it.each<[string, object, string]>([
    [
      "without a version",
      { name: "task-api" },
      'A server needs a name and a version: new MCPServer({ name: "task-api", version: "1.0.0" }).',
    ],
    [
      "without options",
      undefined as unknown as object,
      'A server needs a name and a version: new MCPServer({ name: "task-api", version: "1.0.0" }).',
    ],
    [
      "with an empty name",
      { name: "", version: "1.0.0" },
      'A server needs a name and a version: new MCPServer({ name: "task-api", version: "1.0.0" }).',
    ],
    [
      "with pages of nothing",
      { name: "a", version: "1", pageSize: 0 },
      "pageSize is 0: write a whole number from 1.",
    ],
    [
      "with sessions in words",
      { name: "a", version: "1", http: { sessions: "yes" } },
      'http.sessions is "yes": write true, or { idle: "10m" }.',
    ],
    [
      "with a store that cannot forget",
      { name: "a", version: "1", http: { sessions: { eventStore: { append() {}, after() {} } } } },
      "http.sessions.eventStore has no forget: write a method of that name.",
    ],
    [
      "with a bus that is none",
      { name: "a", version: "1", eventBus: {} },
      "eventBus has no publish and no subscribe: write a method of that name.",
    ],
    [
      "whose lists may be kept for no time",
      { name: "a", version: "1", cacheHint: "5m" },
      'cacheHint is "5m": write one such as { ttl: "5m" }.',
    ],
    [
      "with a time limit in words",
      { name: "a", version: "1", timeout: "long" },
      'timeout is "long": write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
    ],
    [
      "that refuses in other words",
      { name: "a", version: "1", unknownArguments: "reject" },
      'unknownArguments is "reject": write "follow-schema" or "refuse".',
    ],
    [
      "whose lists are of no kind",
      { name: "a", version: "1", listing: "everything" },
      'listing is "everything": write "permitted" or "all".',
    ],
    [
      "whose instructions are no text",
      { name: "a", version: "1", instructions: ["Read first."] },
      "MCPServer: instructions is an array: write text.",
    ],
    [
      "with a time limit of nothing",
      { name: "a", version: "1", timeout: "0s" },
      'timeout is "0s": nothing gets done in no time. Write how long it may take, such as "30s".',
    ],
  ])("%s", (_name, options, message) => {
    expect(() => new MCPServer(options as MCPServerOptions)).toThrow(new ConfigurationError(message));
  });

  it.each<[string, Parameters<MCPServer["run"]>[0], MCPServerOptions["http"], readonly string[]]>([
    [
      "over a transport that there is not",
      { transport: "sse" as "http" },
      {},
      ['transport is "sse": write "http" or "stdio".'],
    ],
    [
      "on another address than loopback",
      { transport: "http", host: "0.0.0.0" },
      {},
      [
        'host is "0.0.0.0", and whoever reaches it may call every tool: there is no authenticator. Install one: server.use(authenticate(jwtAuth({ … }))), listen on 127.0.0.1, or say why this is safe: run({ allowUnauthenticated: "only our VPN reaches it" }).',
        'host is "0.0.0.0", and no name is known by which clients call the server. Name it: new MCPServer({ http: { publicUrl: "https://tasks.example.com/mcp" } }).',
      ],
    ],
    [
      "known by no URL",
      { transport: "http" },
      { publicUrl: "tasks.example.com" },
      ['http.publicUrl is "tasks.example.com": write a URL such as "https://tasks.example.com/mcp".'],
    ],
    [
      "known by a host with a port",
      { transport: "http" },
      { allowedHosts: ["tasks.example.com:443"] },
      [
        'http.allowedHosts has "tasks.example.com:443": write a lower-case name without port, such as "tasks.example.com".',
      ],
    ],
    [
      "open to an origin with a path",
      { transport: "http" },
      { allowedOrigins: ["https://app.example.com/"] },
      [
        'http.allowedOrigins has "https://app.example.com/": write scheme and host, such as "https://app.example.com".',
      ],
    ],
    [
      "with limits that are none",
      { transport: "http" },
      { maxBodyBytes: "1mb" as unknown as number, maxInFlight: Number.NaN },
      [
        'http.maxBodyBytes is "1mb": write a whole number from 1.',
        "http.maxInFlight is NaN: write a whole number from 1.",
      ],
    ],
    [
      "with limits below one",
      { transport: "http" },
      { maxBodyBytes: -1, maxInFlight: 0.5 },
      [
        "http.maxBodyBytes is -1: write a whole number from 1.",
        "http.maxInFlight is 0.5: write a whole number from 1.",
      ],
    ],
    ...["mcp", "", "/mcp?a", "/mcp#a", "/m cp", "/m/../cp", "/größe"].map(
      (path): [string, Parameters<MCPServer["run"]>[0], MCPServerOptions["http"], readonly string[]] => [
        `at the path "${path}"`,
        { transport: "http" },
        { path },
        [
          `http.path is "${path}": write a path as URLs have it, such as "/mcp", without "?", "#" and spaces.`,
        ],
      ],
    ),
    [
      "with limits of streams and sessions that are none",
      { transport: "http" },
      { maxStreams: 0, sessions: { max: Number.NaN, idle: "long" as "1s" } },
      [
        "http.maxStreams is 0: write a whole number from 1.",
        "http.sessions.max is NaN: write a whole number from 1.",
        'http.sessions.idle is "long": write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
      ],
    ],
    [
      "where its health is asked for",
      { transport: "http" },
      { path: "/health/ready" },
      ['http.path is "/health/ready", where the server tells its health: write another, such as "/mcp".'],
    ],
    [
      "with everything wrong, all at once",
      {
        transport: "http",
        host: "0.0.0.0",
        port: 65_536,
        allowUnauthenticated: true as unknown as string,
        shutdown: { limit: "long" as "1s" },
      },
      {
        path: "mcp",
        maxBodyBytes: null as unknown as number,
        allowedHosts: "a.example" as unknown as string[],
        allowedOrigins: ["b", "c"],
      },
      [
        "port is 65536: write a whole number from 0 to 65535; 0 takes a free port.",
        expect.stringMatching(/^host is "0.0.0.0", and whoever reaches it may call every tool: /) as string,
        'shutdown.limit is "long": write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).',
        'http.path is "mcp": write a path as URLs have it, such as "/mcp", without "?", "#" and spaces.',
        "http.maxBodyBytes is null: write a whole number from 1.",
        'http.allowedHosts is "a.example": write an array of texts.',
        'http.allowedOrigins has "b": write scheme and host, such as "https://app.example.com".',
        'http.allowedOrigins has "c": write scheme and host, such as "https://app.example.com".',
      ],
    ],
  ])("is refused %s", async (_name, options, http = {}, problems) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0", http });
    const started = server.run({ port: 0, signals: false, ...options } as typeof options);
    await expect(started).rejects.toBeInstanceOf(ConfigurationError);
    await expect(started).rejects.toHaveProperty("problems", problems);
  });

  it.each([-1, 0.5, Number.NaN, "8080"])("is refused the port %j", async (port) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    await expect(server.run({ transport: "http", port: port as number })).rejects.toThrow(
      /^port is .+: write a whole number from 0 to 65535; 0 takes a free port\.$/,
    );
  });

  it("is refused through fetch too, before its hooks run", async () => {
    let hooks = 0;
    const server = new MCPServer({
      name: "registration",
      version: "1.0.0",
      http: { maxBodyBytes: -1, path: "x" },
    });
    server.onStartup(() => void hooks++);
    const answered = server.fetch(new Request("http://localhost/x", { method: "POST", body: "{}" }));
    await expect(answered).rejects.toBeInstanceOf(ConfigurationError);
    await expect(answered).rejects.toHaveProperty("problems.length", 2);
    expect(hooks).toBe(0);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a text", "http"],
  ])("says how to run it, given %s", async (_name, options) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    await expect(server.run(options as { transport: "http" })).rejects.toThrow(
      new ConfigurationError(
        'run() needs to know the transport. Write run({ transport: "http" }) or run({ transport: "stdio" }).',
      ),
    );
  });

  it.each([2, "auto"])("has one process on stdio, and not %j", async (processes) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    const started = server.run({ transport: "stdio", processes } as { transport: "stdio" });
    await expect(started).rejects.toThrow(ConfigurationError);
    await expect(started).rejects.toThrow(
      `leave processes out, or serve over HTTP, run({ transport: "http", processes: ${JSON.stringify(processes)} }).`,
    );
  });

  it("takes no middleware once it has started", async () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    await TestClient.connect(server);
    expect(() => server.use((_ctx, next) => next())).toThrow(
      "use() comes too late: the server has started. Call it before run(), fetch or node.",
    );
  });

  it.each([[{ tol: "a" }], [{}], [undefined], [{ tool: "a", tag: "b" }], [{ constructor: "a" }]])(
    "says how to name what is to be switched, given %j",
    (ref) => {
      const server = new MCPServer({ name: "registration", version: "1.0.0" });
      const message = "That names no component. Write { tool }, { resource }, { prompt } or { tag }.";
      for (const method of ["disable", "enable", "remove"] as const)
        expect(() => server[method](ref as { tool: string })).toThrow(new ConfigurationError(message));
    },
  );

  it.each([undefined, null])("sends an empty message for a prompt that returns %s", async (value) => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    server.prompt("p", { description }, () => value);
    const client = await TestClient.connect(server);
    expect((await client.getPrompt("p")).messages).toEqual([
      { role: "user", content: { type: "text", text: "" } },
    ]);
  });

  it("says what it has not, when it is to be switched", () => {
    const server = new MCPServer({ name: "registration", version: "1.0.0" });
    expect(() => server.remove({ tool: "a" })).toThrow('Tool "a" is not registered.');
    expect(() => server.disable({ tag: "b" })).toThrow('No component has the tag "b".');
  });
});
