/** Everything that could be asked of a server: found in the official schemas and in the source, so that what is added is there too. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Definitions {
  readonly [name: string]: { readonly properties?: { readonly method?: { readonly const?: string } } };
}

const schemas = join(root, "test/conformance/schemas");
const official = readdirSync(schemas)
  .filter((file) => file.endsWith(".json"))
  .map((file) => JSON.parse(readFileSync(join(schemas, file), "utf8")) as Record<string, Definitions>)
  .flatMap((schema) => Object.values(schema["$defs"] ?? schema["definitions"] ?? {}))
  .flatMap(({ properties }) => properties?.method?.const ?? []);

const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(root, "src", file), "utf8"))
  .join("\n");

function literals(form: RegExp): readonly string[] {
  return [...source.matchAll(form)].map(([, text = ""]) => text);
}

/** Every method of every revision, and every text of the source that could be one. */
export const methods: readonly string[] = [
  ...new Set([...official, ...literals(/"([a-z]+(?:\/[a-zA-Z_]+)+)"/g), "ping", "initialize", "nope"]),
];

/** Every text of the source that could be the path of a route, the endpoint's among them. */
export const paths: readonly string[] = [
  ...new Set(["/", ...literals(/["'`](\/[A-Za-z.][\w./-]*)/g).map((path) => path.replace(/[./]+$/, ""))]),
];
