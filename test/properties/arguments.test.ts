/** Arguments made by the ten thousand: what fits its schema arrives as it was sent, what does not never arrives. */

import { isDeepStrictEqual } from "node:util";
import { MCPServer } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import {
  CANARY,
  LANGUAGES,
  type ObjectShape,
  argumentShapes,
  filled,
  fits,
  fitting,
  mended,
  spoiltObject,
} from "../support/shapes.ts";

const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_260_728);

/** Schemas for each language, and argument sets for each schema: half of them made to fit. */
const SCHEMAS = 125;
const SETS = 100;

const counted = { valid: 0, invalid: 0 };

afterAll(() => {
  console.info(`${counted.valid} argument sets that fit and ${counted.invalid} that do not, seed ${SEED}`);
});

const NOTHING = Symbol("nothing");

type Sets = readonly Record<string, unknown>[];

const cases = argumentShapes.chain((shape) =>
  fc.tuple(
    fc.constant(shape),
    fc.array(fitting(shape) as fc.Arbitrary<Record<string, unknown>>, {
      minLength: SETS / 2,
      maxLength: SETS / 2,
    }),
    fc.array(spoiltObject(shape), { minLength: SETS / 2, maxLength: SETS / 2 }),
  ),
);

describe.each(LANGUAGES)("with schemas in $name", ({ schema, keepsUnknown, takesLists }) => {
  /** Sends argument sets to a tool of the shape's schema, and tells of those that were not treated as they should be. */
  async function mistreated(shape: ObjectShape, sets: Sets): Promise<readonly unknown[]> {
    let arrived: unknown = NOTHING;
    const input = schema(shape);
    const server = new MCPServer({ name: "properties", version: "1.0.0" });
    server.tool("take", { description: "Takes arguments.", input }, (args: unknown) => {
      arrived = args;
    });
    const client = await TestClient.connect(server);
    const found: unknown[] = [];
    for (const args of sets) {
      arrived = NOTHING;
      const { isError = false, content } = await client.callTool("take", args);
      const told = (content[0] as { text: string }).text;
      const expected = await judged(input, shape, args, { keepsUnknown, takesLists });
      if (expected) {
        counted.valid++;
        if (isError || !isDeepStrictEqual(arrived, expected.value))
          found.push({ args, expected, arrived, told });
      } else {
        counted.invalid++;
        const refused =
          isError && told.startsWith('{"error":{"code":"VALIDATION_ERROR","message":"Invalid input: ');
        if (!refused || arrived !== NOTHING || told.includes(CANARY)) found.push({ args, arrived, told });
      }
    }
    return found;
  }

  test(`${SCHEMAS * SETS} argument sets arrive as sent, or not at all`, { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ([shape, good, bad]) => {
        expect(await mistreated(shape, [...good, ...bad])).toEqual([]);
      }),
      { numRuns: SCHEMAS, seed: SEED, endOnFailure: false },
    );
  });
});

test("both kinds were many", () => {
  expect(counted.valid + counted.invalid).toBeGreaterThanOrEqual(50_000);
  expect(counted.valid).toBeGreaterThan(20_000);
  expect(counted.invalid).toBeGreaterThan(10_000);
});

/**
 * What arguments become, or undefined where they do not fit: told by the schema's own library and by the shape,
 * which must agree; plain JSON Schema has no library here, and so the shape alone tells.
 */
async function judged(
  schema: object,
  shape: ObjectShape,
  args: Record<string, unknown>,
  { keepsUnknown, takesLists }: { readonly keepsUnknown: boolean; readonly takesLists: boolean },
): Promise<{ readonly value: unknown } | undefined> {
  const byShape = (given: Record<string, unknown>) =>
    fits(shape, given) ? { value: filled(shape, given, keepsUnknown) } : undefined;
  const parse = "~standard" in schema ? libraryOf(schema) : byShape;
  const sent = (await parse(args)) ? args : mended(shape, args);
  const [judgement, model] = [await parse(sent), byShape(sent)];
  if (model || !takesLists) expect(isDeepStrictEqual(judgement, model)).toBe(true);
  return judgement;
}

function libraryOf(schema: object): (given: object) => Promise<{ readonly value: unknown } | undefined> {
  const { validate } = (schema as { "~standard": { validate: (given: unknown) => unknown } })["~standard"];
  return async (given) => {
    const { issues, value } = (await validate(structuredClone(given))) as {
      issues?: unknown;
      value: unknown;
    };
    return issues === undefined ? { value } : undefined;
  };
}
