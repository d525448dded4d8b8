/** What a server says of itself, its components and its contents, whole on every way over HTTP. */

import {
  MCPServer,
  type MCPServerOptions,
  assistant,
  audio,
  embed,
  image,
  link,
  text,
  user,
} from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { listen } from "../../support/listening.ts";
import { TALKING_WAYS, type Talker, connectTo } from "../../support/talkers.ts";

const BYTES = Uint8Array.of(0, 1, 2, 254, 255);
const BASE64 = "AAEC/v8=";
const ICONS = [
  { src: "https://example.com/light.png", mimeType: "image/png", sizes: ["48x48", "96x96"], theme: "light" },
  { src: "data:image/svg+xml;base64,PHN2Zy8+", mimeType: "image/svg+xml", sizes: ["any"], theme: "dark" },
] as const;
const ANNOTATIONS = {
  audience: ["user", "assistant"],
  priority: 0.25,
  lastModified: "2026-11-01T12:00:00Z",
} as const;
const META = { "example.com/team": { name: "blue", size: 3 } };
const ABOUT = { title: "A title ✓", icons: ICONS, _meta: META } as const;
const MARK = { annotations: ANNOTATIONS, _meta: META };

const blocks = () => [
  text("words", MARK),
  image(BYTES, "image/png", MARK),
  audio(BASE64, "audio/wav", MARK),
  link({
    uri: "fixed://it",
    name: "it",
    title: "It",
    description: "A link.",
    mimeType: "text/plain",
    size: 5,
    icons: ICONS,
    ...MARK,
  }),
  embed({ uri: "note://text", mimeType: "text/markdown", text: "# Note", _meta: META }, MARK),
  embed({ uri: "note://bytes", mimeType: "image/png", blob: BYTES }, MARK),
];

const WRITTEN = [
  { type: "text", text: "words", ...MARK },
  { type: "image", data: BASE64, mimeType: "image/png", ...MARK },
  { type: "audio", data: BASE64, mimeType: "audio/wav", ...MARK },
  {
    type: "resource_link",
    uri: "fixed://it",
    name: "it",
    title: "It",
    description: "A link.",
    mimeType: "text/plain",
    size: 5,
    icons: ICONS,
    ...MARK,
  },
  {
    type: "resource",
    resource: { uri: "note://text", mimeType: "text/markdown", text: "# Note", _meta: META },
    ...MARK,
  },
  { type: "resource", resource: { uri: "note://bytes", mimeType: "image/png", blob: BASE64 }, ...MARK },
];

function described(options: Partial<MCPServerOptions>): MCPServer {
  return new MCPServer({
    name: "described",
    version: "1.2.3",
    title: "A server ✓",
    description: "Says much of itself.",
    websiteUrl: "https://example.com/",
    icons: ICONS,
    instructions: "Ask for everything.\nThen ask again.",
    ...options,
  })
    .tool(
      "everything",
      {
        ...ABOUT,
        description: "Gives every kind of content.",
        annotations: {
          title: "Everything",
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
      },
      blocks,
    )
    .tool(
      "structured",
      { description: "Gives a value.", output: z.object({ rows: z.array(z.number()).describe("The rows") }) },
      () => ({ rows: [1, 2] }),
    )
    .resource(
      "fixed://it",
      {
        ...ABOUT,
        name: "it",
        description: "Fixed.",
        mimeType: "text/plain",
        size: 5,
        annotations: ANNOTATIONS,
      },
      () => "12345",
    )
    .resource(
      "item://{id}",
      { ...ABOUT, name: "item", description: "An item.", mimeType: "image/png", annotations: ANNOTATIONS },
      () => BYTES,
    )
    .resource("page://it", { name: "page", description: "Says more of its contents." }, () =>
      embed({ uri: "page://it", mimeType: "text/html", text: "<p>", _meta: META }),
    )
    .prompt(
      "everything",
      {
        ...ABOUT,
        description: "Says every kind of content.",
        input: z.object({
          who: z.string().meta({ title: "Who", description: "To whom" }),
          how: z.string().optional(),
        }),
      },
      ({ who }) => [`Dear ${who}`, ...blocks().map((block) => user(block)), assistant("Yes?")],
    );
}

describe.each(TALKING_WAYS.filter(({ over }) => over !== "stdio"))("$client, $era, over $over", (way) => {
  let talker: Talker;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const running = await listen(described({ http: { sessions: way.over === "sessions" } }));
    stop = running.close;
    talker = await connectTo(running.url, way);
  });

  afterAll(async () => {
    await talker.close();
    await stop();
  });

  test("the server", () => {
    expect(talker.server).toEqual({
      name: "described",
      version: "1.2.3",
      title: "A server ✓",
      description: "Says much of itself.",
      websiteUrl: "https://example.com/",
      icons: ICONS,
    });
    expect(talker.instructions).toBe("Ask for everything.\nThen ask again.");
  });

  test("tools", async () => {
    expect(await talker.list("tools")).toEqual([
      {
        name: "everything",
        description: "Gives every kind of content.",
        inputSchema: { type: "object", properties: {} },
        annotations: {
          title: "Everything",
          readOnlyHint: true,
          destructiveHint: false,
          idempotentHint: true,
          openWorldHint: false,
        },
        ...ABOUT,
      },
      {
        name: "structured",
        description: "Gives a value.",
        inputSchema: { type: "object", properties: {} },
        outputSchema: {
          type: "object",
          properties: { rows: { type: "array", items: { type: "number" }, description: "The rows" } },
          required: ["rows"],
          additionalProperties: false,
        },
      },
    ]);
  });

  test("resources, templates and prompts", async () => {
    expect(await talker.list("resources")).toEqual([
      {
        uri: "fixed://it",
        name: "it",
        description: "Fixed.",
        mimeType: "text/plain",
        size: 5,
        annotations: ANNOTATIONS,
        ...ABOUT,
      },
      { uri: "page://it", name: "page", description: "Says more of its contents." },
    ]);
    const { resourceTemplates } = await talker.request("resources/templates/list");
    expect(resourceTemplates).toEqual([
      {
        uriTemplate: "item://{id}",
        name: "item",
        description: "An item.",
        mimeType: "image/png",
        annotations: ANNOTATIONS,
        ...ABOUT,
      },
    ]);
    expect(await talker.list("prompts")).toEqual([
      {
        name: "everything",
        description: "Says every kind of content.",
        arguments: [
          { name: "who", description: "To whom", required: true },
          { name: "how", required: false },
        ],
        ...ABOUT,
      },
    ]);
  });

  test("every kind of content a tool may give", async () => {
    const result = await talker.callTool("everything");
    expect(result.content).toEqual(WRITTEN);
    expect(result).not.toHaveProperty("structuredContent");
    expect(await talker.callTool("structured")).toMatchObject({
      content: [{ type: "text", text: '{"rows":[1,2]}' }],
      structuredContent: { rows: [1, 2] },
    });
  });

  test("every kind of content a prompt may say", async () => {
    const { description, messages } = await talker.prompt("everything", { who: "Ada" });
    expect(description).toBe("Says every kind of content.");
    expect(messages).toEqual([
      { role: "user", content: { type: "text", text: "Dear Ada" } },
      ...WRITTEN.map((content) => ({ role: "user", content })),
      { role: "assistant", content: { type: "text", text: "Yes?" } },
    ]);
  });

  test("contents of resources", async () => {
    expect(await talker.read("fixed://it")).toEqual([
      { uri: "fixed://it", mimeType: "text/plain", text: "12345" },
    ]);
    expect(await talker.read("item://7")).toEqual([{ uri: "item://7", mimeType: "image/png", blob: BASE64 }]);
    expect(await talker.read("page://it")).toEqual([
      { uri: "page://it", mimeType: "text/html", text: "<p>", _meta: META },
    ]);
  });

  test("no client has found anything to complain of", () => {
    expect(talker.complaints).toEqual([]);
  });
});

// The official clients drop it.
test("an argument's title", async () => {
  const client = await TestClient.connect(described({}));
  expect(await client.listPrompts()).toMatchObject([
    { arguments: [{ name: "who", title: "Who" }, { name: "how" }] },
  ]);
});
