/** Runs the modules of a page, each in a process of its own. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { greetingsIn } from "../support/greetings.ts";
import type { Module } from "./page.ts";

export const root: string = fileURLToPath(new URL("../..", import.meta.url));

const bin = (name: string) => join(root, "node_modules", ".bin", name);

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A folder in which the modules of all pages can be compiled and run as a user's would. */
export class Workshop {
  readonly folder: string = mkdtempSync(join(tmpdir(), "gantry-docs-"));

  constructor() {
    const paths = {
      "gantry-mcp": [join(root, "src/index.ts")],
      "gantry-mcp/redis": [join(root, "src/redis/index.ts")],
      "gantry-mcp/testing": [join(root, "src/testing/index.ts")],
    };
    const compilerOptions = { paths, noUnusedLocals: false, noUnusedParameters: false };
    const write = (name: string, value: object) =>
      writeFileSync(join(this.folder, name), JSON.stringify(value));
    write("package.json", { type: "module" });
    write("tsconfig.json", { extends: join(root, "tsconfig.json"), compilerOptions, include: ["*/*.ts"] });
    writeFileSync(
      join(this.folder, "vitest.config.ts"),
      `export default { resolve: { alias: [
        { find: /^gantry-mcp\\/redis$/, replacement: ${JSON.stringify(paths["gantry-mcp/redis"][0])} },
        { find: /^gantry-mcp\\/testing$/, replacement: ${JSON.stringify(paths["gantry-mcp/testing"][0])} },
        { find: /^gantry-mcp$/, replacement: ${JSON.stringify(paths["gantry-mcp"][0])} },
      ] } };\n`,
    );
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"), "junction");
  }

  write(page: string, { file, code }: Module, port: number): void {
    const path = join(this.folder, page, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, onPort(code, port));
  }

  /** What the compiler says about all pages; nothing where all is well. */
  async typeCheck(): Promise<string> {
    const { code, output } = await finished(bin("tsc"), ["-p", this.folder, "--noEmit", "--pretty", "false"]);
    return code === 0 ? "" : output;
  }

  test(page: string, file: string): Promise<Ran> {
    return finished(bin("vitest"), ["run", "--root", this.folder, `${page}/${file}`]);
  }

  start(page: string, file: string): Program {
    const child = spawn(process.execPath, ["--import", "tsx", file], {
      cwd: join(this.folder, page),
      env: { ...process.env, TSX_TSCONFIG_PATH: join(this.folder, "tsconfig.json"), NO_COLOR: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Program(child);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Pages speak of port 8080; here each has one of its own. */
export function onPort(text: string, port: number): string {
  return text.replaceAll(/\b8080\b/g, String(port));
}

export class Program {
  stdout = "";
  stderr = "";
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown[]>;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
  }

  /** Resolves when the program listens on `port` or has come to its end, with whether it listens. */
  async listening(port: number): Promise<boolean> {
    while (this.#child.exitCode === null && this.#child.signalCode === null) {
      if (await accepts(port)) return true;
      await sleep(25);
    }
    return false;
  }

  /** Waits a little for the program to print what `wanted` matches. What it printed instead, if it does not. */
  async printing(wanted: RegExp): Promise<string | undefined> {
    for (let waited = 0; waited < 5_000; waited += 25) {
      if (wanted.test(`${this.stderr}${this.stdout}\n${greetingsIn(this.stderr)}`)) return undefined;
      await sleep(25);
    }
    return this.stderr + this.stdout;
  }

  /** Ends the program, if it has not come to its end, and gives its exit code or signal. */
  async end(): Promise<unknown> {
    this.#child.kill("SIGTERM");
    const [code, signal] = await this.#exit;
    return code ?? signal;
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** What a curl command would print; machines that run the tests need not have curl. Knows -s, -i, -H, -d and a URL. */
export async function curl(command: string): Promise<string> {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? "",
  );
  const headers = new Headers({ accept: "*/*" });
  let url = "";
  const data: string[] = [];
  let withHead = false;
  if (words.shift() !== "curl") throw new Error(`One command that begins with curl, please: ${command}`);
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "-H") {
      const [, name = "", value = ""] = /^([^:]+): *(.*)$/.exec(words.shift() ?? "") ?? [];
      headers.append(name, value);
    } else if (word === "-d") data.push(words.shift() ?? "");
    else if (word === "-i") withHead = true;
    else if (word.startsWith("http://")) url = word;
    else if (word !== "-s") throw new Error(`Teach the test ${word}, which stands in: ${command}`);
  }
  if (data.length > 0 && !headers.has("content-type"))
    headers.set("content-type", "application/x-www-form-urlencoded");
  const answer = await fetch(url, {
    headers,
    ...(data.length > 0 && { method: "POST", body: data.join("&") }),
  });
  const { status, statusText } = answer;
  const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}\n`);
  const head = withHead ? `HTTP/1.1 ${status} ${statusText}\n${fields.join("")}\n` : "";
  return `${head}${await answer.text()}`;
}

export async function finished(command: string, args: readonly string[]): Promise<Ran> {
  try {
    const { stdout, stderr } = await promisify(execFile)(command, [...args], {
      cwd: root,
      env: { ...process.env, NO_COLOR: "1" },
    });
    return { code: 0, output: stdout || stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: code ?? 1, output: stdout + stderr };
  }
}
