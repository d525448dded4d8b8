// The import rules of the house (docs/architecture.md), checked on every file of src/.
// Usage: node scripts/check-imports.mjs [project root]
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join, posix, resolve } from "node:path";
import { isMain, root as project } from "./run.mjs";

// ── the tables: a new room, package or rim file is one line here ──

/** src/index.ts is the "face"; every other file is in a room, which is a folder of src. */
const tops = ["agent", "cli", "console", "testing"];
const features = [
  "audit",
  "auth",
  "cache",
  "client",
  "jobs",
  "limits",
  "middleware",
  "observe",
  "redis",
  "validation",
];
const below = ["core", "protocol", "sdk", "transport", ...features];

const mayImport = {
  core: [],
  protocol: ["core"],
  sdk: ["core", "protocol"],
  transport: ["core", "protocol", "sdk"],
  ...Object.fromEntries(features.map((room) => [room, ["core"]])),
  ...Object.fromEntries(tops.map((room) => [room, below])),
  face: below,
};

/** The composition root: the core file that loads rooms, with import() only. */
const compositionRoot = "core/rooms.ts";

/** npm package → the one file of src that imports it (or the one folder, with a slash at the end). */
const packages = {
  "@hono/node-server": "transport/http/node-routes.ts",
  "@modelcontextprotocol/server": "sdk/",
  "@opentelemetry/api": "observe/opentelemetry.ts",
  ajv: "validation/json-schema.ts",
  "ajv-formats": "validation/json-schema.ts",
  zod: "validation/zod.ts",
  hono: "transport/http/routes.ts",
  ioredis: "redis/ioredis.ts",
  jose: "auth/jose.ts",
  oauth4webapi: "auth/oauth4webapi.ts",
  "lru-cache": "auth/verified-tokens.ts",
};

/** Packages of types only, which vanish when compiled: any file may `import type` them. */
const typePackages = ["@standard-schema/spec"];

/** node: modules may be used in these folders and files. */
const rim = [
  "transport/",
  "cli/",
  "auth/crypto.ts",
  "observe/process.ts",
  "audit/crypto.ts",
  "audit/files.ts",
  "redis/crypto.ts",
];

const maxLines = 400;
const vagueNames = /^(utils?|helpers?|common)(\.ts)?$/;

// ── the rules ──

/** Checks `<root>/src` and answers with one line for each violation; none means all is well. */
export function checkImports(root) {
  const files = readSources(join(root, "src"));
  const problems = files.flatMap((file) => [
    ...shape(file),
    ...file.imports.flatMap((edge) => {
      const problem = edge.target === undefined ? outside(file, edge) : inside(file, edge);
      return problem === undefined ? [] : [at(file, edge.line, problem)];
    }),
  ]);
  return [...problems, ...circles(files)];
}

const at = (file, line, problem) => `src/${file.path}:${line} ${problem}`;

function shape(file) {
  const problems = [];
  const lines = file.source.trimEnd().split("\n").length;
  if (lines > maxLines) {
    problems.push(
      at(
        file,
        maxLines,
        `[length] has ${lines} lines, ${maxLines} is the limit: move one concept into a file of its own`,
      ),
    );
  }
  if (file.path.split("/").some((part) => vagueNames.test(part))) {
    problems.push(
      at(file, 1, "[names] utils, helpers and common say nothing: name the file after its concept"),
    );
  }
  if (!(file.room in mayImport)) {
    problems.push(
      at(
        file,
        1,
        `[rooms] "${file.room}" is not a room: put the file into one, or add the room to scripts/check-imports.mjs`,
      ),
    );
  }
  for (const match of file.code.matchAll(/^\s*export\s+default\b|\bas\s+default\b/gm)) {
    problems.push(at(file, lineOf(file.code, match), "[default] is a default export: export it by its name"));
  }
  if (file.room === "face") {
    for (const match of file.code.matchAll(/^\s*export\s*(type\s*)?\*/gm)) {
      problems.push(
        at(file, lineOf(file.code, match), "[star] is a star export: list the public names, in groups"),
      );
    }
  }
  return problems;
}

/** An import of another file of src. */
function inside(file, { target, kind }) {
  const room = roomOf(target);
  const names = `imports ${target}`;
  if (room === "face") return `[face] ${names}: index.ts is for users; import the file that defines the name`;
  if (tops.includes(room) && room !== file.room) {
    return `[direction] ${names}: nothing imports ${room}/; move what both need into the core or a room below`;
  }
  if (room === "sdk" && file.room !== "sdk" && kind === "static") {
    return `[lazy] ${names}: the official SDK is loaded when it is first needed; write await import("…")`;
  }
  if (room === file.room || mayImport[file.room]?.includes(room)) return undefined;
  if (file.path === compositionRoot) {
    if (kind === "dynamic") return undefined;
    return `[core] ${names}: ${file.path} may load a room only with await import("…")`;
  }
  if (file.room === "core") {
    return `[core] ${names}: the core imports the core only; describe what you need in core/ports.ts and let the room implement it`;
  }
  if (features.includes(file.room) && features.includes(room)) {
    return `[rooms] ${names}: feature rooms do not know each other; meet in core/ports.ts`;
  }
  return `[direction] ${names}: ${file.room}/ may import ${mayImport[file.room]?.join(", ") ?? "nothing"}`;
}

/** An import of a node: module or of an npm package. */
function outside(file, { specifier, kind }) {
  if (isBuiltin(specifier)) {
    if (rim.some((place) => within(file.path, place))) return undefined;
    return `[node] imports ${specifier}: node: modules stay at the rim (${rim.join(", ")}); take it through a port, or name the file in "rim" of scripts/check-imports.mjs`;
  }
  const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
  if (typePackages.includes(name)) {
    return kind === "type" ? undefined : `[packages] imports ${name}: it has types only; write import type`;
  }
  const home = packages[name];
  if (home === undefined) {
    return `[packages] imports ${name}, which has no home: add it to "packages" of scripts/check-imports.mjs with the one file that imports it`;
  }
  if (within(file.path, home)) return undefined;
  return `[packages] imports ${name}: only src/${home} does; use what that file offers`;
}

/** Circles of files by what is loaded, and of folders by anything, types included. */
function circles(files) {
  const ofFiles = new Map(files.map((file) => [file.path, new Set()]));
  const ofFolders = new Map(files.map(({ path }) => [folderOf(path), new Set()]));
  for (const file of files) {
    for (const { target, kind } of file.imports) {
      if (target === undefined) continue;
      if (kind === "static" && ofFiles.has(target)) ofFiles.get(file.path).add(target);
      const root = file.path === compositionRoot && kind === "dynamic";
      const [from, to] = [folderOf(file.path), folderOf(target)];
      if (!root && from !== to && ofFolders.has(to)) ofFolders.get(from).add(to);
    }
  }
  const say = (what) => (circle) =>
    `src/${circle[0]} [circle] ${what}: ${circle.join(" → ")}; move what both need into one that imports neither`;
  return [
    ...findCircles(ofFiles).map(say("files import each other")),
    ...findCircles(ofFolders).map(say("folders import each other")),
  ];
}

/** Depth first; each circle is reported where it closes. */
function findCircles(graph) {
  const done = new Set();
  const found = [];
  const walk = (node, trail) => {
    if (trail.includes(node)) found.push([...trail.slice(trail.indexOf(node)), node]);
    else if (!done.has(node)) {
      for (const next of graph.get(node) ?? []) walk(next, [...trail, node]);
      done.add(node);
    }
  };
  for (const node of graph.keys()) walk(node, []);
  return found;
}

// ── reading ──

function readSources(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true })
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => path.endsWith(".ts"))
    .toSorted()
    .map((path) => {
      const source = readFileSync(join(folder, path), "utf8");
      const code = withoutComments(source);
      return { path, room: roomOf(path), source, code, imports: importsOf(path, code) };
    });
}

function importsOf(path, code) {
  const found = [];
  const add = (match, specifier, kind) => {
    const target = specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined;
    found.push({ specifier, target, kind, line: lineOf(code, match) });
  };
  // import … from "x", export … from "x", import "x". An inline `type` still loads the module (verbatimModuleSyntax).
  const statement = /^[ \t]*(?:import|export)\s+(type\s+)?(?:[\w$\s,*{}]*?\bfrom\s*)?(["'])([^"'\n]+)\2/gm;
  for (const match of code.matchAll(statement)) add(match, match[3], match[1] ? "type" : "static");
  // import("x") at run time; import("x").Name is a type.
  const call = /\bimport\s*\(\s*(["'`])([^"'`\n]+)\1\s*\)(\s*\.\s*(?!then\b|catch\b|finally\b)\w)?/g;
  for (const match of code.matchAll(call)) add(match, match[2], match[3] ? "type" : "dynamic");
  for (const match of code.matchAll(/\bgetBuiltinModule\??\.?\(\s*(["'`])([^"'`\n]+)\1/g))
    add(match, match[2], "dynamic");
  return found;
}

/** Blanks comments and texts of several lines, and keeps the rest in its place; a "//" in a string is no comment. */
function withoutComments(source) {
  const stringOrComment =
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\\n])*`)|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return source.replace(stringOrComment, (text, string) => string ?? text.replace(/[^\n]/g, " "));
}

const roomOf = (path) => (path === "index.ts" ? "face" : path.replace(/\/.*/, ""));
/** What stands in core/ itself is on its own. */
const folderOf = (path) => (/^core\/[^/]*$/.test(path) ? path : posix.dirname(path));
const within = (path, place) => (place.endsWith("/") ? path.startsWith(place) : path === place);
const lineOf = (code, match) => code.slice(0, match.index + match[0].search(/\S/)).split("\n").length;

if (isMain(import.meta.url)) {
  const problems = checkImports(resolve(process.argv[2] ?? project));
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
