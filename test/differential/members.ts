/** What may be wrong with the members of a message: each in turn, and any at random. */

import type { Random } from "../reliability/random.ts";
import type { Case } from "./exchange.ts";
import { VERSIONS, asCase } from "./headers.ts";
import { type Json, type JsonObject, METHODS, type Seed, isObject } from "./messages.ts";
import { type Path, at, paths, replaced, without } from "./places.ts";

const WRONG: readonly Json[] = [null, true, 0, 1.5, "", "x", [], {}, ["x"], { x: 1 }];

/** One value of each type. */
const TYPED: readonly Json[] = [null, true, 1.5, "x", [], { x: 1 }];

const IDENTITY = /^io\.modelcontextprotocol\/(protocolVersion|clientInfo)$/;

/** Every member of a message left out, and replaced by values of every other type; or by half of them, in turns. */
export function* everyMember(seed: Seed, { thorough }: { readonly thorough: boolean }): Generator<Case> {
  const { what, message } = seed;
  for (const [turn, path] of paths(message).entries()) {
    // Who calls, and by which revision, is the same in all messages: some of them will do.
    if (!thorough && path.some((key) => IDENTITY.test(String(key)))) continue;
    const place = path.join(".");
    yield asCase({ ...seed, what: `${what}, without ${place}`, message: without(message, path) });
    const values = thorough ? WRONG : TYPED.filter((_, index) => (index + turn) % 2 === 0);
    for (const value of values) {
      const did = `${what}, ${place} = ${JSON.stringify(value)}`;
      yield asCase({ ...seed, what: did, message: replaced(message, path, value) });
    }
  }
}

const TEXTS = [
  "",
  " ",
  "x".repeat(3_000),
  "é🎉",
  "\u0000\u001f",
  "\ud800",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "tools/call",
  "=?base64?eA==?=",
  "null",
];
const NUMBERS = [0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER, 2 ** 53, -0.1];
const IDS: readonly Json[] = ["", "é", 0, -1, 1.5, null, true, [1], { id: 1 }, 1e21, "x".repeat(3_000)];
const CURSORS: readonly Json[] = ["", "x", "dG9vbHM6MQ", 0, null, {}, "x".repeat(3_000)];
const KEYS = ["x", "_meta", "cursor", "name", "toString", "progressToken", "requestState", "inputResponses"];

/** A message that one thing was done to; `seeds` lend what stands in them. */
export function anyMember(seed: Seed, seeds: readonly Seed[], random: Random): Seed {
  const { what, message } = seed;
  const places = paths(message);
  if (places.length === 0) return seed;
  const path = random.pick(places);
  const set = (value: Json, where: Path = path): Seed => ({
    ...seed,
    what: `${what}; ${where.join(".")} = ${JSON.stringify(value).slice(0, 60)}`,
    message: replaced(message, where, value),
  });
  switch (random.int(0, 12)) {
    case 0:
      return { ...seed, what: `${what}; without ${path.join(".")}`, message: without(message, path) };
    case 1:
      return set(random.pick(WRONG));
    case 2:
      return set(random.pick(TEXTS));
    case 3:
      return set(random.pick(NUMBERS));
    case 4:
      return set([at(message, path)]);
    case 5:
      return set({ [random.pick(KEYS)]: at(message, path) });
    case 6:
      return set(random.pick(IDS), ["id"]);
    case 7:
      return set(random.pick(METHODS), ["method"]);
    case 8: {
      const { params } = message as JsonObject;
      return set({ ...(isObject(params) && params), cursor: random.pick(CURSORS) }, ["params"]);
    }
    case 9: {
      // One member more, next to another.
      const above = path.slice(0, -1);
      const value = random.pick([...WRONG, ...TEXTS]);
      const beside = at(message, above);
      return set(isObject(beside) ? { ...beside, [random.pick(KEYS)]: value } : value, above);
    }
    case 10:
      return set(nested(random.int(2, 60)));
    case 11: {
      const other = random.pick(seeds).message;
      return set(at(other, random.pick(paths(other))));
    }
    default: {
      const versions = places.filter((each) => String(each.at(-1)).endsWith("protocolVersion"));
      return versions.length === 0 ? set(null) : set(random.pick(VERSIONS), random.pick(versions));
    }
  }
}

function nested(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}
