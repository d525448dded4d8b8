/** Templates and URIs made by the ten thousand: values come back, and nothing climbs out. */

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compileTemplate } from "../../src/core/schemas/uri-template.ts";

const SEED = Number(process.env["PROPERTY_SEED"] ?? 20_260_728);

type Kind = "simple" | "path" | "segments";

interface Part {
  readonly kind: Kind;
  readonly after: string;
  readonly value: string;
}

const EXPRESSIONS: Readonly<Record<Kind, (name: string) => string>> = {
  simple: (name) => `{${name}}`,
  path: (name) => `{+${name}}`,
  segments: (name) => `{/${name}*}`,
};

/** A value as it stands in a URI. */
const EXPANSIONS: Readonly<Record<Kind, (value: string) => string>> = {
  simple: encodeURIComponent,
  path: (value) => value.split("/").map(encodeURIComponent).join("/"),
  segments: (value) => (value === "" ? "" : `/${value.split("/").map(encodeURIComponent).join("/")}`),
};

const climbs = (value: string) => value.split("/").some((segment) => segment === "." || segment === "..");
/** What no value may hold: separators of other systems, and control characters. */
const FORBIDDEN = /[\\\u007f]|[\u0000-\u001f]/; // eslint-disable-line no-control-regex -- they are what is forbidden

const segment = fc
  .oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
    fc.string({
      unit: fc.constantFrom("%", "2", "e", "f", ".", "?", "#", "é", "🎉", " ", "+"),
      minLength: 1,
      maxLength: 8,
    }),
    fc.constantFrom("%2e%2e", "%2f", "..%2f", "...", "a..", "..a", "~", "{x}", "-end"),
  )
  .filter((value) => !value.includes("/") && !FORBIDDEN.test(value) && !climbs(value));

const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"));

const after = fc.constantFrom("/", "-", "/x/", ".txt", "/files/", "?v=", "-end", "aa");

function part(kind: Kind): fc.Arbitrary<Part> {
  const value = kind === "simple" ? segment : kind === "path" ? path : fc.oneof(path, fc.constant(""));
  return fc.record({ kind: fc.constant(kind), after, value });
}

const parts: fc.Arbitrary<readonly Part[]> = fc
  .tuple(
    fc.array(part("simple"), { maxLength: 2 }),
    fc.array(fc.oneof(part("path"), part("segments")), { maxLength: 1 }),
    fc.array(part("simple"), { maxLength: 2 }),
  )
  .map((groups) => groups.flat())
  .filter((all) => all.length > 0);

test("what is put into a template comes out of it", () => {
  fc.assert(
    fc.property(
      parts,
      fc.constantFrom("tasks://", "a:", "files://root/x/"),
      fc.boolean(),
      (all, prefix, open) => {
        const pieces = all.map(({ kind, after: literal, value }, index) => ({
          raw: EXPANSIONS[kind](value),
          literal: index === all.length - 1 && open ? "" : literal,
          expression: EXPRESSIONS[kind](`v${index}`),
        }));
        // A value ends where the text after it is found first, and one that may span segments where it is found last: values
        // that hold this text belong to no template.
        const spanning = all.findIndex(({ kind }) => kind !== "simple");
        fc.pre(
          pieces
            .slice(0, -1)
            .every(
              ({ raw, literal }, index) =>
                (index === spanning || `${raw}${literal}`.indexOf(literal) === raw.length) &&
                (spanning < 0 ||
                  index < spanning ||
                  `${literal}${pieces[index + 1]?.raw}`.lastIndexOf(literal) === 0),
            ),
        );
        const template = prefix + pieces.map(({ expression, literal }) => expression + literal).join("");
        const uri = prefix + pieces.map(({ raw, literal }) => raw + literal).join("");
        expect(compileTemplate(template).match(uri)).toEqual(
          Object.fromEntries(all.map(({ value }, index) => [`v${index}`, value])),
        );
      },
    ),
    { numRuns: 20_000, seed: SEED },
  );
});

const hostile = fc
  .array(
    fc.constantFrom(
      "/",
      "//",
      "\\",
      ".",
      "..",
      "%2e",
      "%2E",
      "%2f",
      "%2F",
      "%5c",
      "%5C",
      "%00",
      "%0a",
      "%7f",
      "%25",
      "%252e",
      "%252f",
      "%",
      "%c0%af",
      "%ff",
      "a",
      "é",
      "?",
      "#",
      "-end",
      "/x/",
      "；",
      " ",
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

const templates = [
  "t://{a}",
  "t://{a}/x/{b}",
  "t://{a}-end",
  "t://{a}/{+b}",
  "t://{+a}",
  "t://{+a}-end",
  "t://r{/a*}",
  "t://r{/a*}/x/{b}",
].map((template) => ({ template, match: compileTemplate(template).match }));

test("nothing climbs out of a template, however it is written", () => {
  let matched = 0;
  fc.assert(
    fc.property(hostile, fc.constantFrom("t://", "t://r", "t://r/", "t:"), (text, prefix) => {
      for (const { template, match } of templates) {
        const values = match(prefix + text) ?? {};
        for (const [name, value] of Object.entries(values)) {
          matched++;
          expect(climbs(value) || FORBIDDEN.test(value)).toBe(false);
          expect(template.includes(`{${name}}`) && value.includes("/")).toBe(false);
        }
      }
    }),
    { numRuns: 20_000, seed: SEED },
  );
  // Most are refused, and enough are not.
  expect(matched).toBeGreaterThan(2_000);
});

test("any text at all is matched or not, and never more", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 100 }), (text) => {
      for (const { match } of templates) expect(() => match(`t://${text}`)).not.toThrow();
    }),
    { numRuns: 3_000, seed: SEED },
  );
});
