/** What the guide's first three steps promise, seen by the official clients over HTTP and stdio. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CallResult, type Driver, Refused, WAYS, connect } from "../support/clients.ts";
import { BASE64, ICON, INSTRUCTIONS, TASKS } from "../support/step-servers.ts";

const REQUEST_ID = expect.stringMatching(/^[0-9a-f]{12}$/);

/** The JSON in a result's one block of text. */
function json(result: CallResult): unknown {
  expect(result.isError).toBeFalsy();
  expect(result.content).toEqual([{ type: "text", text: expect.any(String) }]);
  return JSON.parse(result.content[0]?.text ?? "");
}

/** The error object in a failed result. */
function failure(result: CallResult): unknown {
  expect(result).toMatchObject({ isError: true, content: [{ type: "text", text: expect.any(String) }] });
  expect(result.content).toHaveLength(1);
  expect(result).not.toHaveProperty("structuredContent");
  const text = result.content[0]?.text ?? "";
  const body = JSON.parse(text) as { error: unknown };
  // Compact, and the error alone.
  expect(text).toBe(JSON.stringify({ error: body.error }));
  return body.error;
}

function invalid(fields: Record<string, string>, suggestion?: string) {
  const problems = Object.entries(fields).map(([path, problem]) => `${path}: ${problem}`);
  return {
    code: "VALIDATION_ERROR",
    message: `Invalid input: ${problems.join("; ")}`,
    retryable: false,
    suggestion: suggestion ?? "Check the parameter types and constraints in the tool description.",
    details: { field_errors: fields },
    requestId: REQUEST_ID,
  };
}

const MISTYPED = "Parameter type mismatch. Check that values match the expected types in the tool schema.";
const LACKING = "Required fields are missing. Check that all required parameters are provided.";

/** The refusal that an operation ends in. */
async function refusal(operation: Promise<unknown>): Promise<Refused> {
  const error = await operation.then(
    () => new Error("It was not refused."),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Refused);
  return error as Refused;
}

describe.each(WAYS)("$client, $era, over $transport", (way) => {
  const connections: Driver[] = [];
  let one: Driver;
  let two: Driver;
  let three: Driver;
  // A 2025-era client without a session cannot be told of anything later.
  const tellsOfChanges = way.era === "modern" || way.transport === "stdio";
  const changes = tellsOfChanges ? { listChanged: true } : {};

  beforeAll(async () => {
    [one, two, three] = await Promise.all([connect(way, 1), connect(way, 2), connect(way, 3)]);
    connections.push(one, two, three);
  });

  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
  });

  const call = async (driver: Driver, name: string, args?: Record<string, unknown>) =>
    json(await driver.callTool(name, args));
  const fail = async (driver: Driver, name: string, args?: Record<string, unknown>) =>
    failure(await driver.callTool(name, args));

  describe("step 1, a basic server", () => {
    test("introduces itself, and offers what it has", () => {
      expect(one.server).toEqual({ name: "task-api", version: "1.0.0" });
      expect(one.capabilities).toEqual({ logging: {}, tools: changes });
      expect(one.instructions).toBeUndefined();
      // The older client does not tell over stdio.
      const told = way.client === "client 2.4" || way.transport === "http";
      expect(one.protocolVersion).toBe(
        told ? (way.era === "modern" ? "2026-07-28" : "2025-11-25") : undefined,
      );
    });

    test("lists its two tools with descriptions and schemas", async () => {
      const tools = (await one.list("tools")).filter(({ name }) => name !== "print");
      expect(tools).toEqual([
        {
          name: "list_tasks",
          description: "List tasks, optionally filtered by status.",
          inputSchema: { type: "object", properties: { status: { type: "string", default: "all" } } },
        },
        {
          name: "create_task",
          description: "Create a new task.",
          inputSchema: {
            type: "object",
            properties: { title: { type: "string" }, assignee: { type: "string", default: "" } },
            required: ["title"],
          },
        },
      ]);
    });

    test("fills in defaults, and filters", async () => {
      expect(await call(one, "list_tasks")).toEqual(TASKS);
      expect(await call(one, "list_tasks", { status: "open" })).toEqual([TASKS[0]]);
      expect(await call(one, "list_tasks", { status: "nope" })).toEqual([]);
      expect(await call(one, "create_task", { title: "X" })).toEqual({
        id: "3",
        title: "X",
        assignee: "",
        status: "open",
      });
    });

    test("tells what is missing and what has the wrong type", async () => {
      expect(await fail(one, "create_task")).toEqual(invalid({ title: "Field required" }, LACKING));
      expect(await fail(one, "create_task", { title: 5 })).toEqual(
        invalid({ title: "expected string, received number" }, MISTYPED),
      );
    });

    test("refuses a tool that is not there", async () => {
      const { code, message, data } = await refusal(one.callTool("nope"));
      expect({ code, message }).toEqual({ code: -32602, message: "Unknown tool: nope" });
      expect(data).toMatchObject({ code: "TOOL_NOT_FOUND", retryable: false, requestId: REQUEST_ID });
    });

    test("drops arguments that the schema does not name", async () => {
      expect(await call(one, "create_task", { title: "X", colour: "red" })).not.toHaveProperty("colour");
    });
  });

  describe("step 2, validation", () => {
    const create = (task: unknown) => two.callTool("create_task", { task });

    test("advertises nested schemas that need no resolving", async () => {
      const tools = await two.list("tools");
      const schemas = Object.fromEntries(tools.map((tool) => [tool.name, tool["inputSchema"]]));
      expect(schemas["create_task"]).toEqual({
        type: "object",
        properties: {
          task: {
            type: "object",
            properties: {
              title: { type: "string", minLength: 1, maxLength: 200, description: "Task title" },
              description: { type: "string", default: "", description: "Detailed description" },
              priority: { type: "integer", minimum: 1, maximum: 5, default: 3, description: "Priority 1-5" },
              tags: { type: "array", items: { type: "string" }, default: [], description: "Tags" },
            },
            required: ["title"],
          },
        },
        required: ["task"],
      });
      expect(schemas["update_task"]).toMatchObject({
        properties: {
          updates: {
            properties: {
              title: { type: ["string", "null"], default: null },
              status: {
                anyOf: [{ type: "string", pattern: "^(open|in_progress|done)$" }, { type: "null" }],
                default: null,
              },
              priority: {
                anyOf: [{ type: "integer", minimum: 1, maximum: 5 }, { type: "null" }],
                default: null,
              },
            },
          },
        },
        required: ["task_id", "updates"],
      });
      const text = JSON.stringify(tools.filter(({ name }) => name !== "count_folders"));
      expect(text).not.toMatch(/\$ref|\$defs|\$schema/);
    });

    test("keeps references where a schema recurses, and resolves them itself", async () => {
      const tool = (await two.list("tools")).find(({ name }) => name === "count_folders");
      expect(JSON.stringify(tool?.["inputSchema"])).toMatch(/"\$ref":"#\/\$defs\//);
      const folder = { name: "a", folders: [{ name: "b", folders: [{ name: "c" }] }, { name: "d" }] };
      expect(await call(two, "count_folders", { folder })).toBe(4);
      expect(await fail(two, "count_folders", { folder: { name: "a", folders: [{ name: 1 }] } })).toEqual(
        invalid({ "folder.folders.0.name": "expected string, received number" }, MISTYPED),
      );
    });

    test("does not send tags to clients", async () => {
      expect(JSON.stringify(await two.list("tools"))).not.toContain('"tags":["tasks","write"]');
    });

    test("fills in nested defaults", async () => {
      expect(json(await create({ title: "A" }))).toEqual({
        id: "new-1",
        title: "A",
        description: "",
        priority: 3,
        tags: [],
      });
    });

    test("names each field that breaks a bound", async () => {
      expect(failure(await create({ title: "" }))).toEqual(
        invalid({ "task.title": "Too small: expected string to have >=1 characters" }),
      );
      expect(failure(await create({ title: "x".repeat(201) }))).toEqual(
        invalid({ "task.title": "Too big: expected string to have <=200 characters" }),
      );
      expect(json(await create({ title: "x".repeat(200) }))).toHaveProperty("title", "x".repeat(200));
      expect(failure(await create({ title: "A", priority: 9 }))).toEqual(
        invalid({ "task.priority": "Too big: expected number to be <=5" }),
      );
    });

    test("joins several problems, and gives each by its path", async () => {
      const wrong = { title: "", priority: 1.5, tags: ["a", 2] };
      expect(failure(await create(wrong))).toEqual(
        invalid(
          {
            "task.title": "Too small: expected string to have >=1 characters",
            "task.priority": "expected int, received number",
            "task.tags.1": "expected string, received number",
          },
          MISTYPED,
        ),
      );
    });

    test("does not echo what it refuses", async () => {
      const canary = "canary-7f3a";
      const results = [
        await create(canary),
        await create({ title: { canary } }),
        await create({ title: "A", priority: canary }),
        await two.callTool("update_task", { task_id: "7", updates: { status: canary } }),
        await two.callTool("create_task_valibot", { title: "A", priority: canary }),
        await two.callTool("create_task_arktype", { title: "A", priority: canary }),
        await two.callTool("create_task_json_schema", { title: "A", priority: canary }),
      ];
      for (const result of results) expect(failure(result)).toMatchObject({ code: "VALIDATION_ERROR" });
      expect(JSON.stringify(results)).not.toContain(canary);
    });

    test("takes an object that was sent as a JSON string", async () => {
      expect(json(await create('{"title":"A"}'))).toEqual(json(await create({ title: "A" })));
      expect(failure(await create("str"))).toEqual(
        invalid({ task: "expected object, received string" }, MISTYPED),
      );
      expect(failure(await create('{"title":""}'))).toEqual(
        invalid({ "task.title": "Too small: expected string to have >=1 characters" }),
      );
    });

    test("takes partial updates", async () => {
      const update = (updates: object) => two.callTool("update_task", { task_id: "7", updates });
      expect(json(await update({ status: "done" }))).toEqual({ id: "7", updated: { status: "done" } });
      expect(json(await update({ status: null, title: "T" }))).toEqual({ id: "7", updated: { title: "T" } });
      expect(failure(await update({ status: "zzz" }))).toEqual(
        invalid({ "updates.status": "Invalid string: must match pattern /^(open|in_progress|done)$/" }),
      );
    });

    test("coerces where the schema says so, and only there", async () => {
      expect(await call(two, "create_task_lax", { priority: "4" })).toEqual({ priority: 4 });
      expect(failure(await create({ title: "A", priority: "4" }))).toEqual(
        invalid({ "task.priority": "expected number, received string" }, MISTYPED),
      );
    });

    test("refuses unknown arguments where the schema is strict", async () => {
      expect(await fail(two, "create_task_strict", { task: { title: "A", colour: "red" } })).toEqual(
        invalid({ task: 'Unrecognized key: "colour"' }),
      );
    });

    test("refuses unknown arguments where the tool says so, naming the nearest", async () => {
      const refused = await fail(two, "create_task_refusing", { task: { titel: "A" }, zzzzzzzzzz: 1 });
      expect(refused).toEqual(
        invalid(
          {
            "task.titel": 'Unknown argument. Did you mean "title"?',
            zzzzzzzzzz: "Unknown argument.",
            "task.title": "Field required",
          },
          "Required fields are missing. Check that all required parameters are provided.",
        ),
      );
    });

    test.each(["valibot", "arktype", "json_schema"])(
      "describes and checks with %s as with zod",
      async (kind) => {
        const name = `create_task_${kind}`;
        const tool = (await two.list("tools")).find((candidate) => candidate.name === name);
        expect(tool?.["inputSchema"]).toMatchObject({
          type: "object",
          properties: {
            title: { type: "string", minLength: 1, maxLength: 200 },
            // ArkType tells no default of what may be sent.
            priority: { type: "integer", minimum: 1, maximum: 5, ...(kind !== "arktype" && { default: 3 }) },
          },
          required: ["title"],
        });
        expect(await call(two, name, { title: "A" })).toEqual({ title: "A", priority: 3 });
        expect(await fail(two, name, {})).toEqual(invalid({ title: "Field required" }, LACKING));
        expect(await fail(two, name, { title: "A", priority: 9 })).toMatchObject({
          code: "VALIDATION_ERROR",
          message: expect.stringMatching(/^Invalid input: priority: ./),
          details: { field_errors: { priority: expect.any(String) } },
        });
      },
    );
  });

  describe("step 3, resources and prompts", () => {
    const names = async (list: "resources" | "templates" | "prompts") =>
      (await three.list(list)).map(({ name }) => name);
    const text = async (uri: string) => {
      const [contents] = await three.read(uri);
      return contents?.["text"] as string;
    };

    test("introduces itself with title, icons, website and instructions", () => {
      expect(three.server).toEqual({
        name: "task-api",
        version: "1.0.0",
        title: "Task API ✓",
        description: "Tasks, for tests.",
        websiteUrl: "https://example.com/tasks",
        icons: [ICON],
      });
      expect(three.instructions).toBe(INSTRUCTIONS);
      expect(three.capabilities).toEqual({
        logging: {},
        completions: {},
        tools: changes,
        resources: { ...changes, ...(tellsOfChanges && { subscribe: true }) },
        prompts: changes,
      });
    });

    test("pages every list", async () => {
      const tools = await three.list("tools");
      expect(new Set(tools.map(({ name }) => name)).size).toBe(tools.length);
      expect(await three.pageSizes("tools")).toEqual([
        ...Array.from({ length: Math.ceil(tools.length / 4) - 1 }, () => 4),
        ((tools.length - 1) % 4) + 1,
      ]);
      expect(await three.pageSizes("resources")).toEqual([4, 4, 1]);
      expect(await three.pageSizes("templates")).toEqual([4, 1]);
      expect(await three.pageSizes("prompts")).toEqual([4, 2]);
    });

    test("refuses a cursor that it did not give", async () => {
      const { nextCursor } = await three.request("tools/list");
      for (const cursor of ["", "x", "dG9vbHM6MA", `${String(nextCursor)}=`, "🎉", "a".repeat(5_000)]) {
        expect(await refusal(three.request("tools/list", { cursor }))).toMatchObject({ code: -32602 });
      }
      expect(await refusal(three.request("prompts/list", { cursor: nextCursor }))).toMatchObject({
        code: -32602,
        message: "Invalid cursor",
      });
    });

    test("lists resources with what is known of them", async () => {
      const [first] = await three.list("resources");
      expect(first).toEqual({
        uri: "config://app",
        name: "app_config",
        title: "App configuration",
        description: "Application configuration.",
        mimeType: "application/json",
        size: 49,
        annotations: { audience: ["assistant"], priority: 1 },
        icons: [ICON],
      });
      expect(await names("resources")).not.toContain("task_detail");
    });

    test("lists templates in the order of registration", async () => {
      const templates = await three.list("templates");
      expect(templates[0]).toEqual({
        uriTemplate: "tasks://{task_id}",
        name: "task_detail",
        description: "Get task details by ID.",
        mimeType: "application/json",
      });
      expect(templates.map(({ uriTemplate }) => uriTemplate)).toEqual([
        "tasks://{task_id}",
        "projects://{project}/files/{+path}",
        "projects://{project}/files/readme",
        "tree://root{/path*}",
        "switched://{id}",
      ]);
    });

    test("reads JSON, text and bytes with their media types", async () => {
      expect(await three.read("config://app")).toEqual([
        {
          uri: "config://app",
          mimeType: "application/json",
          text: '{"version":"1.0.0","environment":"production"}',
        },
      ]);
      expect(await three.read("text://plain")).toEqual([
        { uri: "text://plain", mimeType: "text/plain", text: "naïve – 文字 🎉" },
      ]);
      expect(await three.read("blob://bytes")).toEqual([
        { uri: "blob://bytes", mimeType: "application/octet-stream", blob: BASE64 },
      ]);
      expect(await three.read("parts://two")).toEqual([
        { uri: "parts://two#1", text: "one" },
        { uri: "parts://two#2", mimeType: "image/png", blob: BASE64 },
      ]);
    });

    test("reads through a template, decoded", async () => {
      expect(await three.read("tasks://42")).toEqual([
        { uri: "tasks://42", mimeType: "application/json", text: '{"id":"42","title":"Task 42"}' },
      ]);
      expect(JSON.parse(await text("tasks://%E2%9C%93%20a"))).toEqual({ id: "✓ a", title: "Task ✓ a" });
      expect(JSON.parse(await text("tasks://日本"))).toEqual({ id: "日本", title: "Task 日本" });
    });

    test("reads a URI with non-ASCII text in it", async () => {
      expect(await text("cafe://%E2%9C%93/menu")).toBe("Käse");
      expect(await names("resources")).toContain("Menü");
    });

    test("prefers a static resource, then the more exact template", async () => {
      expect(await text("tasks://first")).toBe('{"static":true}');
      expect(await text("projects://p/files/readme")).toBe('{"readme":"p"}');
      expect(await text("projects://p/files/a/b.txt")).toBe('{"project":"p","path":"a/b.txt"}');
      expect(await text("tree://root/a/b")).toBe("a/b");
    });

    test.each(["nope://x", "tasks://a/b", "tasks://", "tasks://..", "tasks://%2e%2e%2fetc", "tasks://gone"])(
      "finds nothing at %s",
      async (uri) => {
        const { code, message, data } = await refusal(three.read(uri));
        // Over stdio the SDK's server writes the newer number in every era, and the 2.4 client always gives it.
        expect(code).toBe(way.client === "sdk 1.32" && way.transport === "http" ? -32002 : -32602);
        expect(message).toBe(`Resource not found: ${uri}`);
        expect(data).toMatchObject({ uri });
      },
    );

    test("shows why a resource refuses, and masks why it breaks", async () => {
      const refused = await refusal(three.read("fails://refused"));
      expect(refused).toMatchObject({ code: -32603, message: "The archive is closed on Sundays" });
      expect(refused.data).toMatchObject({ code: "RESOURCE_ERROR", retryable: false });

      const broken = await refusal(three.read("fails://broken"));
      expect(broken).toMatchObject({ code: -32603, message: "An internal error occurred." });
      expect(broken.data).toEqual({
        code: "INTERNAL_ERROR",
        message: "An internal error occurred.",
        retryable: false,
        requestId: REQUEST_ID,
      });
      await expectLogged(three, broken.data?.["requestId"], "secret resource password");
    });

    test("lists prompts with their arguments", async () => {
      const prompts = await three.list("prompts");
      expect(prompts[0]).toEqual({
        name: "task_summary",
        description: "Generate a prompt to summarize tasks for a project.",
        arguments: [
          { name: "project", required: true },
          { name: "status", required: false },
        ],
      });
      expect(prompts[1]).toMatchObject({ name: "dialogue", title: "A dialogue", icons: [ICON] });
    });

    test("gets a prompt, with defaults filled in", async () => {
      const message = (words: string) => ({
        messages: [{ role: "user", content: { type: "text", text: words } }],
      });
      expect(await three.prompt("task_summary", { project: "P", status: "open" })).toMatchObject(
        message("Summarize all open tasks for project P."),
      );
      expect(await three.prompt("task_summary", { project: "Ärger 🎉" })).toMatchObject({
        description: "Generate a prompt to summarize tasks for a project.",
        ...message("Summarize all all tasks for project Ärger 🎉."),
      });
      expect(await three.prompt("fixed")).toMatchObject(message("Go."));
    });

    test("gets a prompt of several messages in both voices", async () => {
      expect((await three.prompt("dialogue", { tone: "kind" }))["messages"]).toEqual([
        { role: "user", content: { type: "text", text: "Be kind." } },
        { role: "assistant", content: { type: "text", text: "I will." } },
        { role: "user", content: { type: "image", data: BASE64, mimeType: "image/png" } },
      ]);
    });

    test("refuses prompts that do not fit or are not there", async () => {
      const lacking = await refusal(three.prompt("task_summary", {}));
      expect(lacking).toMatchObject({ code: -32602, message: "Invalid input: project: Field required" });
      expect(lacking.data).toMatchObject({
        code: "VALIDATION_ERROR",
        details: { field_errors: { project: "Field required" } },
      });
      expect(await refusal(three.prompt("x"))).toMatchObject({
        code: -32602,
        message: "Prompt not found: x",
      });
    });

    test("shows why a prompt refuses, and masks why it breaks", async () => {
      const refused = await refusal(three.prompt("refused_prompt"));
      expect(refused).toMatchObject({ code: -32603, message: "Nothing to plan" });
      expect(refused.data).toMatchObject({ code: "PROMPT_ERROR" });
      const broken = await refusal(three.prompt("broken_prompt"));
      expect(broken).toMatchObject({ code: -32603, message: "An internal error occurred." });
      await expectLogged(three, broken.data?.["requestId"], "secret prompt password");
    });

    const complete = async (ref: object, name: string, value: string, context?: Record<string, string>) => {
      const { completion } = await three.request("completion/complete", {
        ref,
        argument: { name, value },
        ...(context && { context: { arguments: context } }),
      });
      return completion;
    };
    const template = (uri: string) => ({ type: "ref/resource", uri });
    const prompt = (name: string) => ({ type: "ref/prompt", name });

    test("completes variables of templates and arguments of prompts", async () => {
      expect(await complete(template("tasks://{task_id}"), "task_id", "1")).toEqual({
        values: ["10", "11"],
        total: 2,
        hasMore: false,
      });
      expect(
        await complete(template("projects://{project}/files/{+path}"), "path", "x", { project: "p" }),
      ).toMatchObject({ values: ["p/xa", "p/xb"] });
      expect(await complete(prompt("task_summary"), "project", "a")).toMatchObject({
        values: ["apollo", "artemis"],
      });
      expect(await complete(prompt("dialogue"), "tone", "KE")).toMatchObject({ values: ["keen"] });
    });

    test("completes nothing where there is no completion, and refuses what is not there", async () => {
      expect(await complete(prompt("task_summary"), "status", "o")).toMatchObject({ values: [] });
      expect(await complete(prompt("task_summary"), "__proto__", "o")).toMatchObject({ values: [] });
      // A reference may name a resource that is no template.
      expect(await complete(template("tasks://first"), "x", "")).toMatchObject({ values: [], total: 0 });
      expect(await refusal(complete(prompt("nope"), "x", ""))).toMatchObject({ code: -32602 });
      expect(await refusal(complete(template("tasks://42"), "x", ""))).toMatchObject({ code: -32602 });
    });
  });

  describe("results", () => {
    test.each([
      ["text", 'plain "text" ✓'],
      ["empty", ""],
      ["number", "1.5"],
      ["boolean", "false"],
      ["undefined", "OK"],
      ["null", "OK"],
      ["array", '[1,"two",null]'],
      ["empty array", "[]"],
      ["object", '{"a":{"b":[true]}}'],
      ["date", '{"at":"2026-03-10T12:00:00.500Z"}'],
      ["bigint", '{"n":"1180591620717411303424"}'],
      ["map", '{"2":["x"],"a":1}'],
      ["bytes", `{"raw":"${BASE64}"}`],
      ["class", '{"price":"12.50"}'],
    ])("renders %s as one block of text", async (kind, rendered) => {
      const { content, isError } = await three.callTool("render", { kind });
      expect(isError).toBeFalsy();
      expect(content).toHaveLength(1);
      expect(content[0]?.text).toBe(rendered);
    });

    test.each(["cycle", "function", "symbol"])("answers %s with an internal error", async (kind) => {
      expect(await fail(three, "render", { kind })).toEqual({
        code: "INTERNAL_ERROR",
        message: "An internal error occurred.",
        retryable: false,
        requestId: REQUEST_ID,
      });
    });

    test.each([
      ["text", [{ type: "text", text: "hello", annotations: { audience: ["user"], priority: 0.5 } }]],
      ["image", [{ type: "image", data: BASE64, mimeType: "image/png" }]],
      ["audio", [{ type: "audio", data: BASE64, mimeType: "audio/wav" }]],
      [
        "link",
        [{ type: "resource_link", uri: "config://app", name: "app_config", mimeType: "application/json" }],
      ],
      [
        "embedded text",
        [{ type: "resource", resource: { uri: "note://1", mimeType: "text/markdown", text: "# Note" } }],
      ],
      ["embedded bytes", [{ type: "resource", resource: { uri: "blob://1", blob: BASE64 } }]],
      [
        "mixed",
        [
          { type: "text", text: "A chart:" },
          { type: "image", data: BASE64, mimeType: "image/png" },
          { type: "text", text: '{"rows":3}' },
        ],
      ],
    ])("sends content: %s", async (kind, blocks) => {
      expect((await three.callTool("content", { kind })).content).toEqual(blocks);
    });

    const structured = async (name: string) => {
      const tools = await three.list("tools");
      const outputSchema = tools.find((tool) => tool.name === name)?.["outputSchema"];
      const { content, structuredContent, isError } = await three.callTool(name);
      expect(isError).toBeFalsy();
      return { outputSchema, text: content[0]?.text, structuredContent };
    };

    test("sends structured output twice: as text, and as data that its schema describes", async () => {
      expect(await structured("structured")).toEqual({
        outputSchema: {
          type: "object",
          properties: {
            total: { type: "integer" },
            items: { type: "array", items: { type: "string" } },
            note: { type: "string", default: "none" },
          },
          required: ["total", "items", "note"],
          additionalProperties: false,
        },
        text: '{"total":2,"items":["a","ü"],"note":"none"}',
        structuredContent: { total: 2, items: ["a", "ü"], note: "none" },
      });
    });

    test("sends output that is no object, to older clients within an object", async () => {
      const forEra = (schema: object, value: unknown) =>
        way.era === "modern"
          ? { outputSchema: schema, structuredContent: value }
          : {
              outputSchema: { type: "object", properties: { result: schema }, required: ["result"] },
              structuredContent: { result: value },
            };
      const list = { type: "array", items: { type: "integer" } };
      expect(await structured("structured_list")).toEqual({ text: "[1,2,3]", ...forEra(list, [1, 2, 3]) });
      expect(await structured("structured_text")).toEqual({
        text: '"abc"',
        ...forEra({ type: "string" }, "abc"),
      });
      expect(await structured("structured_null")).toEqual({
        text: "null",
        ...forEra({ type: ["string", "null"] }, null),
      });
    });

    test("renders what structured output holds", async () => {
      expect(await structured("structured_date")).toMatchObject({
        text: '{"at":"1970-01-01T00:00:00.000Z","n":"7"}',
        structuredContent: { at: "1970-01-01T00:00:00.000Z", n: "7" },
      });
    });

    test("does not deliver output that breaks its schema", async () => {
      const error = (await fail(three, "structured_wrong")) as { code: string; requestId: string };
      expect(error.code).toBe("INTERNAL_ERROR");
      await expectLogged(three, error.requestId, "does not fit the declared output");
    });

    test.each([
      ["text of every kind", 'ünïcödé 文字 🎉 "\\/\b\f\n\r\t\u0000\u2028\u2029\u007f\ufeff'],
      ["numbers", [0, -1.5, 1e21, 5e-324, Number.MAX_SAFE_INTEGER, 1.7976931348623157e308]],
      ["unusual keys", { "": 1, " ": 2, "a.b": 3, constructor: 4, toString: 5, 文字: 6 }],
      ["deep data", JSON.parse(`${"[".repeat(50)}1${"]".repeat(50)}`)],
    ])("carries %s there and back unchanged", async (_what, value) => {
      expect(await call(three, "echo", { value })).toEqual({ value });
    });

    test("lists a tool with title, hints, icons and metadata", async () => {
      const tools = await three.list("tools");
      expect(tools.find(({ name }) => name === "annotated")).toEqual({
        name: "annotated",
        title: "Annotated ✓",
        description: "Has everything a list can show: ünïcödé 🎉.",
        inputSchema: { type: "object", properties: {} },
        annotations: {
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
        icons: [ICON],
        _meta: { "example.com/team": "blue" },
      });
    });

    test("tells handlers about the request", async () => {
      expect(await call(three, "whoami")).toEqual({
        protocolVersion: way.era === "modern" ? "2026-07-28" : "2025-11-25",
        clientName: way.era === "modern" || way.transport === "stdio" ? "steps-test" : null,
        requestId: REQUEST_ID,
        aborted: false,
        operation: {
          kind: "tool",
          name: "whoami",
          component: "whoami",
          tags: [],
          access: "public",
          scopes: [],
        },
      });
    });
  });

  describe("errors", () => {
    test("shows what the author says", async () => {
      expect(await fail(three, "fail", { how: "tool error" })).toEqual({
        code: "TOOL_ERROR",
        message: "Task 7 is already done",
        retryable: false,
        suggestion: "Reopen it first.",
        details: { task: 7 },
        requestId: REQUEST_ID,
      });
      expect(await fail(three, "fail", { how: "own code" })).toMatchObject({
        code: "ARCHIVE_BUSY",
        message: "The archive is being rebuilt",
        retryable: true,
      });
    });

    test.each([
      ["error", "secret password 1"],
      ["rejection", "secret password 3"],
      ["text", "secret password 4"],
      ["nothing", ""],
    ])("masks a thrown %s, whose cause is in the log under the request's id", async (how, cause) => {
      const result = await three.callTool("fail", { how });
      expect(failure(result)).toEqual({
        code: "INTERNAL_ERROR",
        message: "An internal error occurred.",
        retryable: false,
        requestId: REQUEST_ID,
      });
      expect(JSON.stringify(result)).not.toContain("secret");
      const { requestId } = failure(result) as { requestId: string };
      await expectLogged(three, requestId, cause);
    });

    test("ends what takes too long, and says so", async () => {
      expect(await fail(three, "slow")).toMatchObject({
        code: "TIMEOUT",
        message: "Tool 'slow' timed out after 0.05s",
        retryable: true,
      });
    });
  });

  describe("changes after the start", () => {
    const change = (what: string) => three.callTool("change", { what });
    const tools = async () => (await three.list("tools")).map(({ name }) => name);
    const unknown = (name: string) => ({ code: -32602, message: `Unknown tool: ${name}` });

    test("an added tool is there with the next request, can be switched, and goes", async () => {
      expect(await tools()).not.toContain("added");
      await change("add");
      expect((await tools()).at(-1)).toBe("added");
      expect(await three.callTool("added")).toMatchObject({ content: [{ type: "text", text: "added" }] });

      await change("disable tool");
      expect(await tools()).not.toContain("added");
      expect(await refusal(three.callTool("added"))).toMatchObject(unknown("added"));

      await change("enable tool");
      expect(await tools()).toContain("added");
      await change("remove tool");
      expect(await tools()).not.toContain("added");
      expect(await refusal(three.callTool("added"))).toMatchObject(unknown("added"));
    });

    test("a tag switches all that carries it", async () => {
      const seen = async () =>
        (
          await Promise.all(
            (["tools", "resources", "templates", "prompts"] as const).map((list) => three.list(list)),
          )
        ).map((items) => items.some(({ name }) => name.startsWith("switch")));
      expect(await seen()).toEqual([true, true, true, true]);
      await change("disable tag");
      expect(await seen()).toEqual([false, false, false, false]);
      expect(await refusal(three.callTool("switchable_tool"))).toMatchObject(unknown("switchable_tool"));
      expect(await refusal(three.read("switchable://one"))).toHaveProperty("code");
      expect(await refusal(three.read("switched://1"))).toHaveProperty("code");
      expect(await refusal(three.prompt("switchable_prompt"))).toHaveProperty("code", -32602);
      await change("enable tag");
      expect(await seen()).toEqual([true, true, true, true]);
    });
  });

  test("gives its client nothing to complain about", () => {
    expect(connections.flatMap(({ complaints }) => complaints)).toEqual([]);
  });
});

/** Waits until the log has `cause` under a request's id: over stdio it comes on a pipe of its own. */
async function expectLogged(driver: Driver, requestId: unknown, cause: string): Promise<void> {
  await expect
    .poll(() => driver.log().filter((entry) => entry["requestId"] === requestId))
    .toEqual([expect.objectContaining({ level: "error" })]);
  const entry = driver.log().find((candidate) => candidate["requestId"] === requestId);
  expect(JSON.stringify(entry)).toContain(cause);
}
