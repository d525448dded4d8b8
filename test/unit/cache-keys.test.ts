/** Which calls are alike: no two callers and no two arguments share a result. */

import { type JsonValue, assert, double, jsonValue, oneof, property, string } from "fast-check";
import { memoryCache, memoryIdempotencyStore } from "gantry-mcp";
import { expect, test } from "vitest";
import { Background } from "../../src/core/calls/background.ts";
import { declaredCaching } from "../../src/cache/declared.ts";
import { dataKey } from "../../src/cache/key.ts";
import { Cancellation } from "../../src/core/calls/cancellation.ts";
import { VerifiedIdentity } from "../../src/core/calls/client.ts";
import { defineTool } from "../../src/core/components/definitions.ts";
import { RequestContext, identify } from "../../src/core/calls/context.ts";
import { toToolResult } from "../../src/core/results/result.ts";
import { capturedLog } from "../support/captured-log.ts";

/** Pieces of which names and arguments are made that might be taken for each other. */
const PIECES = [
  "a",
  '"',
  "\\",
  "[",
  "]",
  "{",
  "}",
  ",",
  ":",
  "null",
  " ",
  "\u0000",
  "\ud800",
  "1",
  "é",
  "-0",
];

test("100,000 calls of adversarial callers and arguments are each given their own", () => {
  const { logger } = capturedLog();
  const store = memoryCache({ maxSize: 1_000_000, maxBytes: 512 * 1024 * 1024 });
  const records = memoryIdempotencyStore();
  const server = { name: "keys", version: "1", middleware: [], timeout: 1_000 };
  const caching = declaredCaching({ ...server, store, records, logger });
  const options = { description: "d", cache: { ttl: "5m" } } as const;
  const around = caching(defineTool(0, "t", options, () => "", "follow-schema"));
  const services = {
    logger,
    background: new Background(),
    limits: { charge: () => ({ allowed: true, states: [] }) },
  };
  const operation = {
    kind: "tool",
    name: "t",
    component: "t",
    tags: [],
    access: "public",
    scopes: [],
  } as const;

  let seed = 1;
  const pick = (count: number) => (seed = (seed * 48_271) % 2_147_483_647) % count;
  const text = () => Array.from({ length: 1 + pick(4) }, () => PIECES[pick(PIECES.length)]).join("");
  const identities = Array.from({ length: 500 }, (_, index) =>
    [
      () => ({ clientId: text() }),
      () => ({ clientId: text(), tenantId: text() }),
      () => ({ clientId: text(), issuer: text(), subject: text() }),
      () => ({ clientId: text(), roles: [text(), text()] }),
      () => ({ clientId: text(), scopes: [text()] }),
    ][index % 5]?.(),
  ).map((identity) => new VerifiedIdentity(identity as { clientId: string }));

  const answers = new Map<string, string>();
  let runs = 0;
  for (let call = 0; call < 100_000; call++) {
    const identity = identities[pick(identities.length)] as VerifiedIdentity;
    const args =
      pick(2) === 0 ? { [text()]: text() } : { [text()]: [text(), { [text()]: null }], b: pick(3) };
    const envelope = {
      requestId: "r",
      protocolVersion: "2026-07-28",
      cancellation: new Cancellation(),
      origin: { header: () => undefined },
    };
    const ctx = new RequestContext(operation, envelope, { ...services, validatorOf: () => Promise.reject() });
    identify(ctx, identity);
    const { clientId, tenantId, issuer, subject, roles, scopes } = identity;
    const who = JSON.stringify([clientId, tenantId, issuer, subject, [...roles].toSorted(), [...scopes]]);
    const expected = `${who} ${JSON.stringify(Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
    const result = around?.(args, ctx, () => {
      runs++;
      return toToolResult(expected);
    });
    expect(result).toMatchObject({ content: [{ text: expected }] });
    answers.set(expected, expected);
  }
  // And equal calls were given what was kept.
  expect(runs).toBe(answers.size);
});

const anyValue = () => oneof(jsonValue(), double(), string({ unit: "binary" }));

test("different data has different keys, equal data in another order the same", () => {
  const shuffled = (value: JsonValue): JsonValue => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value as Record<string, JsonValue>);
    return Object.fromEntries(entries.toReversed().map(([key, inner]) => [key, shuffled(inner)]));
  };
  assert(
    property(jsonValue(), (value) => {
      expect(dataKey(shuffled(value))).toBe(dataKey(value));
    }),
  );
  assert(
    property(anyValue(), anyValue(), (a, b) => {
      let same = true;
      try {
        expect(a).toStrictEqual(b);
      } catch {
        same = false;
      }
      expect(dataKey(a) === dataKey(b)).toBe(same);
    }),
    { numRuns: 1_000 },
  );
});

test("what is no data has no key", () => {
  const circular: unknown[] = [];
  circular.push(circular);
  for (const value of [new URL("https://a.example"), () => 1, Symbol("a"), circular, { a: new WeakMap() }])
    expect(dataKey(value)).toBe(undefined);
});
