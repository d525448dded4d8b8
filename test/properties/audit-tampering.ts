/** Ways to tamper with an audit log, each with the place where that shows first. */

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Head, Lines, readRecord } from "../../src/audit/chain.ts";
import type { Random } from "../reliability/random.ts";

/** The files of a log, by name. */
export type Files = Map<string, Buffer>;

export function readFiles(folder: string): Files {
  return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
}

export function writeFiles(folder: string, files: Files): void {
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
}

/** Where a verifier must find the first thing that is wrong. */
export interface Found {
  readonly file: string;
  readonly line: number;
  readonly sequence?: number;
}

/** A segment taken apart. */
interface Segment {
  readonly name: string;
  readonly lines: Buffer[];
  readonly sequences: readonly number[];
}

/** Changes `files`, and tells where that shows. `other` is a log of the same key. */
export type Tampering = (files: Files, random: Random, other: Files) => Found;

const segmentNames = (files: Files) => [...files.keys()].filter((name) => name.endsWith(".jsonl")).toSorted();
const listOf = (name: string) => name.replace(/\.jsonl$/, ".checkpoints");

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0, end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start))
    lines.push(bytes.subarray(start, end + 1));
  return lines;
}

function sequenceOf(line: Buffer): number {
  return (JSON.parse(line.toString()) as { readonly sequence: number }).sequence;
}

function segmentIn(files: Files, name: string): Segment {
  const lines = linesOf(files.get(name) as Buffer);
  return { name, lines, sequences: lines.map(sequenceOf) };
}

const someSegment = (files: Files, random: Random) => segmentIn(files, random.pick(segmentNames(files)));

const put = (files: Files, { name, lines }: Segment) => files.set(name, Buffer.concat(lines));

/** The place of the line at `index`, from 0. */
const at = ({ name, sequences }: Segment, index: number): Found => ({
  file: name,
  line: index + 1,
  sequence: sequences[index] ?? (sequences.at(-1) ?? 0) + 1,
});

/** Changes a member of a record, and leaves its hash. */
const edit: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const index = random.int(0, segment.lines.length - 1);
  const text = (segment.lines[index] as Buffer).toString();
  const changed = text.includes('"who"')
    ? text.replace(/"who":\{"clientId":"[^"]*"/, '"who":{"clientId":"mallory"')
    : text.replace(/"time":"2/, '"time":"1');
  segment.lines[index] = Buffer.from(changed);
  put(files, segment);
  return at(segment, index);
};

const remove: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const index = random.int(0, segment.lines.length - 1);
  segment.lines.splice(index, 1);
  put(files, segment);
  return at(segment, index);
};

const reorder: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const first = random.int(0, segment.lines.length - 2);
  const second = random.int(first + 1, segment.lines.length - 1);
  const [a, b] = [segment.lines[first] as Buffer, segment.lines[second] as Buffer];
  segment.lines[first] = b;
  segment.lines[second] = a;
  put(files, segment);
  return at(segment, first);
};

const duplicate: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const index = random.int(0, segment.lines.length - 1);
  const line = segment.lines[index] as Buffer;
  segment.lines.splice(index, 0, line);
  put(files, segment);
  return at(segment, index + 1);
};

/** Takes off the last lines, perhaps within one. */
const cut: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const index = random.int(0, segment.lines.length - 1);
  const rest = segment.lines[index] as Buffer;
  const kept = random.chance(0.5) ? 0 : random.int(1, rest.length - 1);
  files.set(segment.name, Buffer.concat([...segment.lines.slice(0, index), rest.subarray(0, kept)]));
  return at(segment, index);
};

/** Puts records of another log in the place of some, or of a whole segment. */
const splice: Tampering = (files, random, other) => {
  const name = random.pick(segmentNames(files).filter((each) => other.has(each)));
  const segment = segmentIn(files, name);
  const foreign = segmentIn(other, name).lines;
  const index = random.int(0, Math.min(segment.lines.length, foreign.length) - 1);
  const count = random.int(1, foreign.length - index);
  segment.lines.splice(index, count, ...foreign.slice(index, index + count));
  put(files, segment);
  return at(segment, index);
};

/** Changes one bit anywhere, line ends and lists of checkpoints included. */
const flip: Tampering = (files, random) => {
  const name = random.pick([...files.keys()].toSorted());
  const segment = segmentIn(files, name);
  const bytes = Buffer.concat(segment.lines);
  const place = random.int(0, bytes.length - 1);
  bytes[place] = (bytes[place] as number) ^ (1 << random.int(0, 7));
  files.set(name, bytes);
  let end = 0;
  const index = segment.lines.findIndex(({ length }) => place < (end += length));
  return name.endsWith(".jsonl") ? at(segment, index) : { file: name, line: index + 1 };
};

/** Removes a segment, with its list of checkpoints or without; of the last one with both, nothing would be left that tells of it. */
const removeSegment: Tampering = (files, random) => {
  const names = segmentNames(files);
  const index = random.int(0, names.length - 1);
  const name = names[index] as string;
  const { sequences } = segmentIn(files, name);
  files.delete(name);
  if (index < names.length - 1 && random.chance(0.5)) files.delete(listOf(name));
  return { file: name, line: 1, ...(files.has(listOf(name)) && { sequence: sequences[0] as number }) };
};

/** Changes a record and writes all after it anew, as whoever knows the format can; without the key nobody can sign. */
const rewrite: Tampering = (files, random) => {
  const segment = someSegment(files, random);
  const index = random.int(1, segment.lines.length - 2);
  let head = readRecord((segment.lines[index - 1] as Buffer).subarray(0, -1)) as Head;
  for (let each = index; each < segment.lines.length; each++) {
    const text = (segment.lines[each] as Buffer).toString();
    const body = text.replace(/^\{"sequence":\d+,/, "").replace(/,"previous":.*\n$/s, "");
    const changed = each === index ? body.replace(/"time":"2/, '"time":"1') : body;
    const signature = /,"signature":"([^"]+)"/.exec(text)?.[1];
    const forger =
      signature === undefined ? undefined : { algorithm: "ed25519" as const, sign: () => signature };
    const lines = new Lines(head);
    lines.add(changed, forger);
    segment.lines[each] = lines.take();
    ({ head } = lines);
  }
  put(files, segment);
  const vouching = segment.lines.findIndex((line, each) => each >= index && line.includes('"signature":"'));
  return at(segment, vouching);
};

/** The same in the last segment, and in its list: only signatures tell. */
const rewriteWithList: Tampering = (files, random, other) => {
  const name = segmentNames(files).at(-1) as string;
  const alone: Files = new Map([[name, files.get(name) as Buffer]]);
  rewrite(alone, random, other);
  const lines = linesOf(alone.get(name) as Buffer);
  const list = linesOf(files.get(listOf(name)) as Buffer);
  const forged = list.map((line) => lines.find((each) => sequenceOf(each) === sequenceOf(line)) as Buffer);
  files.set(name, alone.get(name) as Buffer);
  files.set(listOf(name), Buffer.concat(forged));
  return {
    file: listOf(name),
    line: forged.findIndex((line, index) => !line.equals(list[index] as Buffer)) + 1,
  };
};

/** Puts the first segment of another log in the place of the own one, with its list: whole, and signed. */
const exchange: Tampering = (files, _random, other) => {
  const [first, second] = segmentNames(files) as [string, string];
  files.set(first, other.get(first) as Buffer);
  files.set(listOf(first), other.get(listOf(first)) as Buffer);
  return at(segmentIn(files, second), 0);
};

export const tamperings: Readonly<Record<string, Tampering>> = {
  edit,
  remove,
  reorder,
  duplicate,
  cut,
  splice,
  flip,
  removeSegment,
  rewrite,
  rewriteWithList,
  exchange,
};
