/** What is sent to both sides: everything by rule, and as much at random as is wanted. */

import type { Random } from "../reliability/random.ts";
import type { Case } from "./exchange.ts";
import { OTHER_VERBS, VERSIONS, anyHeader, asCase, everyHeader } from "./headers.ts";
import { anyMember, everyMember } from "./members.ts";
import { SEEDS, isObject } from "./messages.ts";
import { anyText, everyText } from "./texts.ts";

/** Kinds of messages whose headers and text are spoilt by rule. */
const KINDS =
  /^(modern|2025-era) (tools\/call (echo|region|ask|1)|subscriptions|notifications\/initialized|initialize|result)/;

const BATCH_SIZES = [0, 1, 2, 3, 5, 20, 21, 101];
const BATCH_VERSIONS = ["2025-03-26", undefined, "2025-06-18", "2026-07-28"];

/**
 * Each message as it is, alone in a batch, and with each member spoilt in turn; one of each kind with each header
 * and its text spoilt; and batches of many. What is drawn is where texts are cut, and which messages a batch has.
 */
export function* byRule(random: Random, { thorough }: { readonly thorough: boolean }): Generator<Case> {
  for (const [index, seed] of SEEDS.entries()) {
    const { what, message } = seed;
    yield asCase(seed);
    yield asCase({ what: `${what}, in a batch`, message: [message], version: "2025-03-26" });
    yield* everyMember(seed, { thorough: thorough || index % 8 === 0 });
    if (!KINDS.test(what)) continue;
    yield* everyHeader(seed);
    yield* everyText(seed, random);
  }
  for (const size of BATCH_SIZES) for (const version of BATCH_VERSIONS) yield batch(size, version, random);
}

export function* atRandom(count: number, random: Random): Generator<Case> {
  for (let made = 0; made < count; made++) yield any(random);
}

/** A message that one to three things were done to, sent with headers that may have suffered too. */
function any(random: Random): Case {
  if (random.chance(0.05)) return batch(random.pick(BATCH_SIZES), random.pick(BATCH_VERSIONS), random);
  const right = random.pick(SEEDS);
  let wrong = random.chance(0.1) ? { ...right, version: random.pick(VERSIONS) } : right;
  const changes = random.chance(0.85) ? random.int(1, 3) : 0;
  for (let done = 0; done < changes; done++) wrong = anyMember(wrong, SEEDS, random);
  let sent = asCase(wrong);
  // A proxy or a careless client leaves the headers as they were.
  if (random.chance(0.15)) sent = { ...sent, headers: asCase({ ...wrong, message: right.message }).headers };
  if (changes === 0 || random.chance(0.15)) sent = anyHeader(sent, random);
  if (random.chance(0.08)) sent = anyText(sent, random);
  if (random.chance(0.01)) sent = { ...sent, verb: random.pick(OTHER_VERBS) };
  return sent;
}

/** Several messages in one body, a few of them wrong. */
function batch(size: number, version: string | undefined, random: Random): Case {
  const kind = random.pick(["2025-era", "2025-era", "2025-era", "modern", ""]);
  const fitting = SEEDS.filter(
    ({ what, message }) => what.startsWith(kind) && isObject(message) && "method" in message,
  );
  const messages = Array.from({ length: size }, (_, index) => {
    const seed = random.pick(fitting);
    const { message } = random.chance(0.03) ? anyMember(seed, SEEDS, random) : seed;
    // Each request has an id of its own, which no notification of a cancellation names.
    const hasId = isObject(message) && ["string", "number"].includes(typeof message["id"]);
    return hasId ? { ...message, id: 100 + index } : message;
  });
  const what = `a batch of ${size} ${kind}, ${version ?? "no revision"}`;
  return asCase({ what, message: messages, version });
}
