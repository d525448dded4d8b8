/** JSON texts and their bytes, spoilt: what no `JSON.stringify` writes. */

import type { Random } from "../reliability/random.ts";

/** Changes the text of a message, mostly in a way that leaves it close to JSON. */
export function spoilText(text: string, random: Random): string {
  const at = random.int(0, text.length);
  const cut = (piece: string) => text.slice(0, at) + piece + text.slice(at);
  switch (random.int(0, 12)) {
    case 0:
      return sameKeyTwice(text, random);
    case 1:
      return text.replace(/\{/, `{"__proto__":${random.pick(["null", "{}", '{"polluted":1}'])},`);
    case 2:
      return text.replace(/:(?:-?\d+|"[^"]*")/, `:${random.pick(NUMBERS)}`);
    case 3:
      return cut(
        random.pick(['"', "{", "}", "[", "]", ",", ":", "\\", "\u0000", "/* */", "NaN", "\n", "\t"]),
      );
    case 4:
      return text.slice(0, at);
    case 5:
      return text + random.pick([text, ",", " ", "\u0000", "\n\n", "]", "null"]);
    case 6:
      return random.pick(["\ufeff", "\u00a0", "\n", ")]}'\n", "[", "data: "]) + text;
    case 7:
      return text.replaceAll('"', random.pick(["'", '\\"', "”"]));
    case 8:
      return text.replace(/[a-z]/, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
    case 9:
      return cut(random.pick(["\\ud800", "\\udc00", "\\u0000", "\\uzzzz", "\\x41"]));
    case 10:
      return random.pick(["", " ", "null", "true", "0", '""', "[]", "{}", "[[]]", "[{}]", "[null]", "-"]);
    case 11:
      return "[".repeat(random.int(1, 20_000)) + text;
    default: {
      const depth = random.int(1, 20_000);
      return "[".repeat(depth) + "]".repeat(depth);
    }
  }
}

const NUMBERS = [
  "9007199254740993",
  "123456789012345678901234567890",
  "1e400",
  "-1e400",
  "-0",
  "01",
  "1.",
  ".5",
  "+1",
  "0x10",
  "1e",
  "Infinity",
  "NaN",
];

/** Writes a key that is there once more, with another value or the same. */
function sameKeyTwice(text: string, random: Random): string {
  const keys = [...text.matchAll(/"((?:[^"\\]|\\.)*)":/g)];
  if (keys.length === 0) return text + text;
  const { 0: key, index } = random.pick(keys);
  const again = random.chance(0.3)
    ? key.replace(/[a-z]/, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
    : key;
  return `${text.slice(0, index)}${again}${random.pick(["null", "1", '"tools/list"', "{}"])},${text.slice(index)}`;
}

/** Changes bytes: some flipped, cut off, put in, left out or doubled. */
export function spoilBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.int(0, bytes.length);
  const end = Math.min(bytes.length, at + random.int(1, 20));
  const before = bytes.subarray(0, at);
  const rest = bytes.subarray(at);
  switch (random.int(0, 5)) {
    case 0:
      return before;
    case 1:
      return Buffer.concat([before, randomBytes(random), rest]);
    case 2:
      return Buffer.concat([before, bytes.subarray(end)]);
    case 3:
      return Buffer.concat([before, bytes.subarray(at, end), rest]);
    default: {
      const flipped = Buffer.from(bytes);
      for (let i = random.int(1, 5); i > 0 && flipped.length > 0; i--) {
        const index = random.int(0, flipped.length - 1);
        flipped[index] = (flipped[index] as number) ^ (1 << random.int(0, 7));
      }
      return flipped;
    }
  }
}

function randomBytes(random: Random): Buffer {
  if (random.chance(0.5))
    return Buffer.from(
      random.pick(["ff", "c080", "eda080", "f4908080", "00", "fffe", "efbbbf", "0d0a"]),
      "hex",
    );
  return Buffer.from(Array.from({ length: random.int(1, 16) }, () => random.int(0, 255)));
}
