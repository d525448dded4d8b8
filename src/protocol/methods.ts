/** The protocol's methods: a request's params, checked, as what is asked of the server. */

import type { Ask, ListKind } from "../core/calls/call.ts";
import { isObject } from "../core/values/json.ts";
import { RPC, type RpcError } from "./jsonrpc.ts";

type Params = Readonly<Record<string, unknown>>;
type Reader = (params: Params) => Ask | string;

const METHODS: Readonly<Record<string, Reader>> = {
  "tools/call": (params) => named("tool", params),
  "prompts/get": (params) => named("prompt", params),
  "resources/read": ({ uri }) =>
    typeof uri === "string" && uri.length <= LONGEST_URI ? { kind: "resource", name: uri } : BAD_URI,
  "completion/complete": completion,
  "tools/list": (params) => list("tools", params),
  "resources/list": (params) => list("resources", params),
  "resources/templates/list": (params) => list("templates", params),
  "prompts/list": (params) => list("prompts", params),
};

const LONGEST_URI = 8_192;
const BAD_URI = `"uri" must be a string of at most ${LONGEST_URI} characters.`;

/** Whether the operation of `method` exists in every revision. */
export function isMethod(method: string): boolean {
  return Object.hasOwn(METHODS, method);
}

/** What a request asks, or the error that its params deserve. */
export function readAsk(
  method: string,
  params: Params,
): { readonly ask: Ask } | { readonly error: RpcError } {
  const ask = (METHODS[method] as Reader)(params);
  return typeof ask === "string"
    ? { error: { code: RPC.invalidParams, message: `Invalid params: ${ask}` } }
    : { ask };
}

function named(kind: "tool" | "prompt", { name, arguments: args = {} }: Params): Ask | string {
  if (typeof name !== "string") return '"name" must be a string.';
  return isObject(args) ? { kind, name, args } : '"arguments" must be an object.';
}

function list(kind: ListKind, { cursor }: Params): Ask | string {
  return cursor === undefined || typeof cursor === "string"
    ? { kind: "list", list: kind, cursor }
    : '"cursor" must be a string.';
}

function completion({ ref, argument, context = {} }: Params): Ask | string {
  if (!isObject(argument) || typeof argument["name"] !== "string" || typeof argument["value"] !== "string") {
    return '"argument" must be an object with the strings "name" and "value".';
  }
  const { arguments: others = {} } = isObject(context) ? context : { arguments: null };
  if (!isObject(others) || !Object.values(others).every((value) => typeof value === "string")) {
    return '"context.arguments" must be an object of strings.';
  }
  const target = isObject(ref) ? reference(ref) : undefined;
  if (!target) return '"ref" must be { type: "ref/prompt", name } or { type: "ref/resource", uri }.';
  const { name, value } = argument;
  return {
    kind: "completion",
    ref: target,
    argument: { name, value },
    context: others as Readonly<Record<string, string>>,
  };
}

function reference({
  type,
  name,
  uri,
}: Params): { readonly prompt: string } | { readonly template: string } | undefined {
  if (type === "ref/prompt" && typeof name === "string") return { prompt: name };
  return type === "ref/resource" && typeof uri === "string" ? { template: uri } : undefined;
}

/** The member of a list result that holds its items. */
export const LIST_MEMBER = {
  tools: "tools",
  resources: "resources",
  templates: "resourceTemplates",
  prompts: "prompts",
} as const;
