/** A message of the server, held against the official JSON Schema of its revision. */

import { readFileSync } from "node:fs";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

export const REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"] as const;
export type Revision = (typeof REVISIONS)[number];

type Schema = Readonly<Record<string, unknown>>;
type Definitions = Readonly<Record<string, Schema>>;

/** A revision's schema, made ready. */
interface Rules {
  /** The definition of each notification and request that a server may send, by its method. */
  readonly sent: ReadonlyMap<string, string>;
  /** The definition of the result of each request that a client may send, by its method. */
  readonly results: ReadonlyMap<string, string>;
  /** The definitions of errors that have one of their own, by their code. */
  readonly errors: ReadonlyMap<unknown, string>;
  /** The definition of any other error. */
  readonly error: string;
  /** What is wrong with `value`, as a `name` of the schema. */
  check(name: string, value: unknown): readonly string[];
}

/** What is wrong with a message from the server; nothing where all is well. */
export function wireProblems(
  revision: Revision,
  message: Readonly<Record<string, unknown>>,
  answered: string | undefined,
): readonly string[] {
  const rules = rulesOf(revision);
  const { method, error, id } = message;
  if (typeof method === "string") {
    const name = rules.sent.get(method);
    return name ? rules.check(name, message) : [`${method} is no message of a server`];
  }
  if ("error" in message) {
    const code = (error as { readonly code?: unknown } | null)?.code;
    // Over HTTP an error may have no id ("Sending Messages to the Server"), which the older schemas do not know.
    const whole = "id" in message ? message : { ...message, id: 0 };
    return rules.check(rules.errors.get(code) ?? rules.error, whole);
  }
  if (!("result" in message)) return ["neither a request, nor a notification, nor an answer"];
  if (answered === undefined) return [`the result answers no request of id ${JSON.stringify(id)}`];
  const { result, ...envelope } = message;
  return [
    ...rules.check("JSONRPCMessage", { ...envelope, result }),
    ...rules.check(resultName(rules, answered, result), result),
    ...emptyQuestions(result),
  ];
}

/** The definition of what answers `method`. */
function resultName(rules: Rules, method: string, result: unknown): string {
  const isQuestion = (result as { readonly resultType?: unknown } | null)?.resultType === "input_required";
  return isQuestion ? "InputRequiredResult" : (rules.results.get(method) ?? "Result");
}

/** What the specification says of questions, and its schema does not: there is at least one, or a state. */
function emptyQuestions(result: unknown): readonly string[] {
  const { resultType, inputRequests, requestState } = result as Record<string, unknown>;
  return resultType === "input_required" && inputRequests === undefined && requestState === undefined
    ? ["an input_required result has neither inputRequests nor requestState"]
    : [];
}

const ready = new Map<Revision, Rules>();

function rulesOf(revision: Revision): Rules {
  let rules = ready.get(revision);
  if (!rules) ready.set(revision, (rules = prepare(revision)));
  return rules;
}

function prepare(revision: Revision): Rules {
  const file = new URL(`../conformance/schemas/${revision}.json`, import.meta.url);
  const schema = JSON.parse(readFileSync(file, "utf8")) as Schema;
  const key = "$defs" in schema ? "$defs" : "definitions";
  const definitions = corrected(schema[key] as Definitions);
  // The schemas are not written for ajv's strict mode.
  const options = { strict: false, allErrors: true } as const;
  const ajv = key === "$defs" ? new Ajv2020(options) : new Ajv(options);
  formats.default(ajv);
  ajv.addFormat("byte", BASE64);
  ajv.addSchema({ ...schema, [key]: definitions }, "wire");

  const validators = new Map<string, ValidateFunction>();
  const check = (name: string, value: unknown): readonly string[] => {
    let validate = validators.get(name);
    if (!validate) validators.set(name, (validate = ajv.compile({ $ref: `wire#/${key}/${name}` })));
    return validate(value) ? [] : shown(name, validate.errors ?? []);
  };
  return {
    sent: byMethod(definitions, ["ServerNotification", "ServerRequest"]),
    results: resultsByMethod(definitions),
    errors: errorsByCode(definitions),
    error: "JSONRPCErrorResponse" in definitions ? "JSONRPCErrorResponse" : "JSONRPCError",
    check,
  };
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/**
 * Two published schemas say that the bounds and the default of a number are integers, where the definition that
 * they are generated from (schema.ts) says that they are numbers.
 */
function corrected(definitions: Definitions): Definitions {
  const { NumberSchema: number } = definitions;
  if (!number) return definitions;
  const properties = { ...(number["properties"] as Record<string, Schema>) };
  for (const name of ["minimum", "maximum", "default"])
    if (properties[name]?.["type"] === "integer") properties[name] = { ...properties[name], type: "number" };
  return { ...definitions, NumberSchema: { ...number, properties } };
}

/** The members of unions, by the method that each stands for. */
function byMethod(definitions: Definitions, unions: readonly string[]): Map<string, string> {
  const members = unions.flatMap((union) => (definitions[union]?.["anyOf"] ?? []) as { $ref: string }[]);
  return new Map(
    members.map(({ $ref }) => {
      const name = $ref.slice($ref.lastIndexOf("/") + 1);
      const { method } = (definitions[name] as Schema)["properties"] as { method: { const: string } };
      return [method.const, name];
    }),
  );
}

function resultsByMethod(definitions: Definitions): Map<string, string> {
  const requests = [...byMethod(definitions, ["ClientRequest"])];
  return new Map(
    requests.map(([method, name]) => {
      const result = name.replace(/Request$/, "Result");
      return [method, result in definitions ? result : "EmptyResult"];
    }),
  );
}

function errorsByCode(definitions: Definitions): Map<unknown, string> {
  const codes = new Map<unknown, string>();
  for (const [name, { properties }] of Object.entries(definitions)) {
    const { error } = (properties ?? {}) as { error?: { allOf?: { properties?: { code?: Schema } }[] } };
    for (const part of error?.allOf ?? []) {
      const code = part.properties?.code?.["const"];
      if (code !== undefined) codes.set(code, name);
    }
  }
  return codes;
}

/** How much is said of one message. */
const MOST_SHOWN = 20;

function shown(name: string, errors: readonly ErrorObject[]): readonly string[] {
  return errors
    .slice(0, MOST_SHOWN)
    .map(
      ({ instancePath, message, params }) => `${name}${instancePath}: ${message} ${JSON.stringify(params)}`,
    );
}
