/** Whatever callers and authors put into a record, it is one line, says what they put there, and is short. */

import { readFileSync } from "node:fs";
import { MCPServer, ToolResponse, audit, authenticate } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { AuditFolder, KEY } from "../support/audited.ts";

const forged = `","hash":"${"0".repeat(64)}"}\n{"sequence":1,"type":"call"}`;

/** What ends lines, moves cursors, ends texts, starts formulas, or pretends to be a record. */
const PARTS: readonly string[] = [
  "\r",
  "\n",
  "\r\n",
  "\u2028",
  "\u2029",
  "\u0085",
  "\v",
  "\f",
  "\0",
  "\u001b[2J",
  "\u009b31m",
  "\u007f",
  "\u202eevil",
  "\ufeff",
  "\t",
  "\b",
  '"',
  "\\",
  "\\n",
  '"}',
  "=cmd|' /C calc'!A0",
  "+1+1",
  "@SUM(A1)",
  "-2+3",
  forged,
  "</script>",
  "__proto__",
  "constructor",
  "🎻",
  "x".repeat(1_000_000),
];

/** Each in five places of a text: 150 texts, each in two records. */
const TEXTS = PARTS.flatMap((part) => [part, `${part}after`, `before${part}`, `a${part}b`, `${part}${part}`]);

const LONGEST = 16_384;

/** What a record says of a text. */
const shown = (text: string) => (text.length > 256 ? `${text.slice(0, 256)}…` : text);

describe("audit records", () => {
  test(`of ${TEXTS.length * 2} hostile texts are one line each, and give them back`, async () => {
    const folder = new AuditFolder();
    const server = new MCPServer({ name: "s", version: "1.0.0", http: { maxBodyBytes: 8_000_000 } })
      .use(audit({ file: folder.file, key: KEY, kinds: ["tool"] }))
      .use(
        authenticate(
          {
            authenticate: ({ token }) => {
              if (token === undefined) return undefined;
              const text = TEXTS[Number(token)] as string;
              return {
                clientId: text,
                subject: text,
                issuer: text,
                tenantId: text,
                claims: { act: { sub: text } },
              };
            },
          },
          { optional: true },
        ),
      )
      .tool(
        "say",
        { description: "Says.", input: z.object({ text: z.string() }), audit: { fields: ["text"] } },
        ({ text }) => new ToolResponse("said", { metadata: { text, [text]: 1 } }),
      );
    for (const [index, text] of TEXTS.entries()) {
      const client = await TestClient.connect(server, { token: String(index) });
      await client.call("say", { text });
      // A name that is not there comes from the caller.
      await expect(client.call(text, {})).rejects.toThrow(Error);
    }
    await server.close();

    const lines = folder
      .segments()
      .flatMap((path) => readFileSync(path, "utf8").split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/))
      .filter((line) => line !== "");
    const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(records.filter(({ type }) => type === "call")).toHaveLength(TEXTS.length * 2);
    expect(lines.join("")).not.toMatch(/[\p{Cc}\u202e\ufeff]/u);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(LONGEST);

    const said = records.filter(({ name }) => name === "say");
    for (const [index, text] of TEXTS.entries()) {
      const record = said[index] as Record<string, unknown>;
      expect(record["fields"]).toEqual({ text: shown(text) });
      const who = { clientId: shown(text), subject: shown(text), issuer: shown(text), tenantId: shown(text) };
      expect(record["who"]).toEqual(who);
      expect(record["actors"]).toEqual([{ subject: shown(text) }]);
    }
    const unknown = records.filter(({ code }) => code === "TOOL_NOT_FOUND");
    expect(unknown.map(({ name }) => name)).toEqual(TEXTS.map(shown));
    expect(await folder.verify()).toMatchObject({ ok: true });
  }, 60_000);
});
