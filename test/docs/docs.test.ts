// Every block of TypeScript in the documentation compiles, runs, and prints what the page says.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Module, type Shown, isShown, links, pattern, printedLines, readPage } from "./page.ts";
import { type Program, Workshop, curl, onPort, root } from "./program.ts";
import { freePort } from "../support/free-port.ts";

const pages = [
  ...readdirSync(root),
  "bench/README.md",
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" }).map((path) => join("docs", path)),
].filter((path) => path.endsWith(".md"));

interface Runnable {
  readonly path: string;
  readonly folder: string;
  readonly modules: readonly Module[];
}

const runnable: readonly Runnable[] = pages
  .map((path) => ({ path, folder: path.replaceAll(/\W+/g, "-"), modules: readPage(read(path)) }))
  .filter(({ modules }) => modules.length > 0);

const workshop = new Workshop();
const ports = new Map<string, number>();

beforeAll(async () => {
  for (const { path, folder, modules } of runnable) {
    const port = await freePort();
    ports.set(path, port);
    for (const module of modules) workshop.write(folder, module, port);
  }
});

afterAll(() => workshop.remove());

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

it("compiles", { timeout: 60_000 }, async () => {
  expect(await workshop.typeCheck()).toBe("");
});

const isTest = ({ file }: Module) => file.endsWith(".test.ts");

describe.each(runnable)("$path", ({ path, folder, modules }) => {
  it.each(modules.filter(isTest))("$file passes", { timeout: 60_000 }, async ({ file }) => {
    expect(await workshop.test(folder, file)).toMatchObject({ code: 0 });
  });

  const programs = modules.filter((module) => !isTest(module));
  it.each(programs)("$file does what the page says", { timeout: 60_000 }, async (module) => {
    const port = ports.get(path) as number;
    const program = workshop.start(folder, module.file);
    const listened = await program.listening(port);
    const wrong: string[] = [];
    for (const shown of module.shown) wrong.push(...(await differs(shown, program, port)));
    const code = await program.end();
    // A server that another framework runs has the default way to end by a signal.
    expect(`${listened && code === "SIGTERM" ? 0 : String(code)} ${code === 0 ? "" : program.stderr}`).toBe(
      "0 ",
    );
    expect(wrong).toEqual([]);
    expect(program.stdout.trimEnd().split("\n")).toEqual(
      printed(module.code, port).map((line) => expect.stringMatching(line) as string),
    );
  });
});

/** What the page shows and the program does not do. */
async function differs(shown: Shown, program: Program, port: number): Promise<readonly string[]> {
  const expected = onPort(shown.expected, port).trim();
  if (shown.command === undefined) {
    const output = await program.printing(pattern(expected));
    return output === undefined ? [] : [`${expected}\nis not in what it prints:\n${output}`];
  }
  const output = await curl(onPort(shown.command, port));
  const same = shown.language === "json" ? sameJson(output, expected) : pattern(expected).test(output);
  return same ? [] : [`${shown.command}\nprints\n${output}\nand not\n${expected}`];
}

function sameJson(output: string, expected: string): boolean {
  try {
    return isShown(JSON.parse(output), JSON.parse(expected));
  } catch {
    return false;
  }
}

function printed(code: string, port: number): readonly RegExp[] {
  const lines = printedLines(onPort(code, port));
  return lines.length === 0 ? [/^$/] : lines.map((line) => new RegExp(`^${pattern(line).source}$`));
}

it("begins with the server that examples/hello holds", () => {
  expect(readPage(read("README.md"))[0]?.code).toBe(read("examples/hello/server.ts"));
});

describe("links", () => {
  it.each(pages)("of %s lead somewhere", (path) => {
    const lost = links(read(path)).filter((target) => !existsSync(join(root, dirname(path), target)));
    expect(lost).toEqual([]);
  });
});
