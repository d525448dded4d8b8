/** A page of the documentation as the program it is. */

/** Something that a page shows under a module: a command and what it prints. */
export interface Shown {
  /** A shell command that calls the running program, or nothing where the program itself is meant. */
  readonly command: string | undefined;
  readonly language: "json" | "text";
  readonly expected: string;
}

export interface Module {
  readonly file: string;
  readonly code: string;
  readonly shown: readonly Shown[];
}

export interface Block {
  readonly language: string;
  readonly code: string;
}

/**
 * The modules of a page, in order. Its `ts` blocks are one program, `page.ts`, unless a block begins with
 * `// file: name.ts`. A `sh` block that calls curl belongs to the last module that names port 8080, and is followed
 * by what it prints; a `text` block after a module is part of what that prints.
 */
export function readPage(markdown: string): readonly Module[] {
  const modules = new Map<string, { code: string; shown: Shown[] }>();
  let current: { code: string; shown: Shown[] } | undefined;
  let listening: typeof current;
  let command: string | undefined;
  for (const { language, code } of blocks(markdown)) {
    if (language === "ts") {
      const file = /^\/\/ file: (\S+)\n/.exec(code)?.[1] ?? "page.ts";
      current = modules.get(file) ?? { code: "", shown: [] };
      current.code += code;
      modules.set(file, current);
      if (code.includes("8080")) listening = current;
      command = undefined;
    } else if (language === "sh") {
      command = /^curl /m.test(code) ? code : undefined;
    } else if (language === "json" || language === "text") {
      (command === undefined ? current : listening)?.shown.push({ command, language, expected: code });
      command = undefined;
    }
  }
  return [...modules].map(([file, { code, shown }]) => ({ file, code, shown }));
}

/** The blocks of code of a page, in order. */
export function blocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = "", code = ""]) => ({
    language,
    code,
  }));
}

/** The lines that a module says it prints: `// → …` after the statement, `//   …` where it goes on. */
export function printedLines(code: string): readonly string[] {
  const lines: string[] = [];
  let open = false;
  for (const line of code.split("\n")) {
    const begun: string | undefined = /\/\/ → (.*)$/.exec(line)?.[1];
    const continued: string | undefined = open ? /^\s*\/\/ {3}(.*)$/.exec(line)?.[1] : undefined;
    open = begun !== undefined || continued !== undefined;
    if (begun !== undefined) lines.push(begun);
    else if (continued !== undefined) lines.push(continued);
  }
  return lines;
}

/** A pattern for text in which `…` stands for anything. */
export function pattern(text: string): RegExp {
  const parts = text.split("…");
  return new RegExp(parts.map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, "\\$&")).join("[^]*"));
}

/** Whether `actual` is `expected`, in which the string `…` stands for anything. */
export function isShown(actual: unknown, expected: unknown): boolean {
  if (typeof expected === "string" && expected.includes("…")) {
    return new RegExp(`^${pattern(expected).source}$`).test(String(actual));
  }
  if (typeof expected !== "object" || expected === null) return actual === expected;
  if (typeof actual !== "object" || actual === null) return false;
  const keys = Object.keys(expected);
  return (
    keys.length === Object.keys(actual).length &&
    keys.every((key) =>
      isShown((actual as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key]),
    )
  );
}

/** The files that a page links to, without anchors; addresses of the web are left out. */
export function links(markdown: string): readonly string[] {
  return [...markdown.replace(/^```[^]*?^```$/gm, "").matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target.split("#", 1)[0] as string)
    .filter((target) => target !== "" && !/^[a-z]+:/.test(target));
}
