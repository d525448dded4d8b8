/** What may be wrong with the text of a message, whatever it says. */

import type { Random } from "../reliability/random.ts";
import type { Case } from "./exchange.ts";
import { asCase } from "./headers.ts";
import type { Seed } from "./messages.ts";

type Spoil = (text: string, place: number) => Case["body"];

const first = (member: string) => (text: string) => text.replace("{", `{${member},`);

const WAYS: readonly (readonly [what: string, spoil: Spoil])[] = [
  ["cut", (text, place) => text.slice(0, place)],
  ["no body", () => ""],
  ["a byte order mark", (text) => `\ufeff${text}`],
  ["something after the end", (text) => `${text}}`],
  [
    "a byte that is no UTF-8",
    (text, place) =>
      Buffer.concat([Buffer.from(text.slice(0, place)), Buffer.from([0xff]), Buffer.from(text.slice(place))]),
  ],
  ["a key twice", first('"jsonrpc":"2.0"')],
  ["__proto__", first('"__proto__":{"a":1}')],
  ["a comma too many", (text) => text.replace(/\}$/, ",}")],
  ["deeper than any message", first(`"deep":${"[".repeat(80)}${"]".repeat(80)}`)],
  ["a number too large", first('"large":12345678901234567890')],
];

/** A message whose text is spoilt in every way that is known. */
export function* everyText(seed: Seed, random: Random): Generator<Case> {
  for (const way of WAYS) yield spoilt(asCase(seed), way, random);
}

export function anyText(sent: Case, random: Random): Case {
  return spoilt(sent, random.pick(WAYS), random);
}

function spoilt(sent: Case, [what, spoil]: (typeof WAYS)[number], random: Random): Case {
  const text = sent.body as string;
  return { ...sent, what: `${sent.what}; ${what}`, body: spoil(text, random.int(0, text.length)) };
}
