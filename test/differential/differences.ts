/** Where Gantry and the official SDK answer differently on purpose, and the page that tells of it. */

import { betweenEras } from "./differences/eras.ts";
import { inHttp } from "./differences/http.ts";
import { inMessages } from "./differences/messages.ts";
import { inOperations } from "./differences/operations.ts";
import type { Difference } from "./matchers.ts";

const GROUPS: Readonly<Record<string, readonly Difference[]>> = {
  HTTP: inHttp,
  Messages: inMessages,
  "Handshake and revisions": betweenEras,
  "Tools, resources, prompts, subscriptions": inOperations,
};

export const DIFFERENCES: readonly Difference[] = Object.values(GROUPS).flat();

/** docs/differences.md. */
export function page(): string {
  const paragraphs = [
    "# Where Gantry answers differently from the official SDK",
    "Gantry serves HTTP by its own wire. A [test](../test/differential) sends the same messages, right and wrong, to Gantry and to the handler of the official TypeScript SDK, both made of the same registrations, and compares status, code and every member of the answers. Words for people (the messages of errors, the texts of failed calls) and sealed state are not compared.",
    "This is what differs, why, and what the specification says of it. What is not listed here fails the test, and so does an entry without which everything would be listed all the same. The page is made of [the table of the test](../test/differential/differences); [proofs.md](proofs.md#gantry-answers-as-the-official-sdk-does-but-for-what-is-listed) has the figures.",
    ...Object.entries(GROUPS).flatMap(([title, differences]) => [
      `## ${title}`,
      ...differences.flatMap(section),
    ]),
  ];
  return `${paragraphs.map(wrapped).join("\n\n")}\n`;
}

function section({ name, what, why, source }: Difference): readonly string[] {
  return [`### ${name}`, what, `${why} (${source})`];
}

const WIDTH = 118;

function wrapped(paragraph: string): string {
  const lines: string[] = [];
  for (const word of paragraph.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.join("\n");
}
