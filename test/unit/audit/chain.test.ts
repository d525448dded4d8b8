/** Records as lines that hang together, however many are made at once. */

import { expect, test } from "vitest";
import { Lines, START, type ReadRecord, readRecord } from "../../../src/audit/chain.ts";

/** Reads lines back, and checks that each leads to the next. */
function read(lines: Lines): readonly ReadRecord[] {
  let previous = START.hash;
  return lines
    .take()
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => {
      const record = readRecord(Buffer.from(line)) as ReadRecord;
      expect(record).toMatchObject({ previous });
      previous = record.hash;
      return record;
    });
}

test.each(["a", "é", "漢", "🙂"])(
  "a batch of more than is made at once is whole, and so is the next: %s",
  (character) => {
    const text = character.repeat(5_000);
    const large = new Lines(START);
    for (let record = 0; record < 200; record++) large.add(`"type":"call","text":"${text}"`);
    const records = read(large);
    expect(records).toHaveLength(200);
    expect(records.every(({ record }) => record["text"] === text)).toBe(true);
    expect(large.head).toMatchObject({ sequence: 200, hash: records.at(-1)?.hash });

    const next = new Lines(START);
    next.add('"type":"call"');
    expect(read(next)).toMatchObject([{ sequence: 1, type: "call" }]);
  },
);
