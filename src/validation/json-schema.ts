/** Validators for plain JSON Schemas, by ajv. Loaded when the first such schema is sealed. */

import {
  type AnySchema,
  type ErrorObject,
  type Options,
  type ValidateFunction,
  Ajv,
  MissingRefError,
} from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { ConfigurationError } from "../core/errors.ts";
import type { Issue, JsonSchema, Validator } from "../core/ports.ts";

/**
 * Every problem is reported, because a model that corrects itself wants them all; the size of what it can be
 * fed is bounded by the limit on request bodies. Defaults are filled into the freshly parsed arguments.
 */
const OPTIONS: Options = {
  allErrors: true,
  useDefaults: true,
  strict: false,
  validateFormats: true,
};

/** The same, for schemas that name what every object inherits ("constructor"): only what was sent is there. Slower. */
const OWN_OPTIONS: Options = { ...OPTIONS, ownProperties: true };
const INHERITED = new RegExp(`"(?:${Object.getOwnPropertyNames(Object.prototype).join("|")})"`);

type Engine = Ajv | Ajv2019 | Ajv2020;

const DIALECTS: readonly (readonly [pattern: RegExp, Kind: new (options: Options) => Engine])[] = [
  [/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, Ajv2020],
  [/^https:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, Ajv2019],
  [/^http:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, Ajv],
];

const DEFAULT_DIALECT = "https://json-schema.org/draft/2020-12/schema";

const engines = new Map<string, Engine>();

/** Compiles a schema of dialect 2020-12 (the default), 2019-09, draft-07 or draft-06. Nothing is fetched. */
export function compileJsonSchema(schema: JsonSchema): Validator {
  const check = compile(schema);
  return (value) => (check(value) ? { value } : { issues: (check.errors ?? []).map(toIssue) });
}

function compile(schema: JsonSchema): ValidateFunction {
  const engine = engineFor(schema);
  const { $schema: _dialect, ...rest } = schema;
  let check: ValidateFunction;
  try {
    check = engine.compile(rest as AnySchema);
  } catch (error) {
    if (error instanceof MissingRefError) {
      throw new ConfigurationError(
        `refers to ${JSON.stringify(error.missingRef)}, which is not in it, and nothing is fetched. Put that schema under $defs and write { $ref: "#/$defs/name" }.`,
      );
    }
    throw new ConfigurationError(
      `is not a valid JSON Schema: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
  // Forgotten, so that another schema may have the same $id. Pointers to the root need it known until here.
  engine.removeSchema(rest);
  // Such a validator answers by a promise, which would pass for a yes.
  if ("$async" in check) throw new ConfigurationError("has $async, which is not JSON Schema. Leave it out.");
  return check;
}

function engineFor(schema: JsonSchema): Engine {
  const { $schema = DEFAULT_DIALECT } = schema;
  const Kind = DIALECTS.find(([pattern]) => pattern.test(String($schema)))?.[1];
  if (!Kind) {
    throw new ConfigurationError(
      `is of the dialect ${JSON.stringify($schema)}, which is not supported. Use 2020-12 (the default), 2019-09, draft-07 or draft-06.`,
    );
  }
  const own = INHERITED.test(JSON.stringify(schema));
  const key = `${Kind.name} ${own}`;
  let engine = engines.get(key);
  if (!engine) {
    engine = new Kind(own ? OWN_OPTIONS : OPTIONS);
    formats.default(engine);
    engines.set(key, engine);
  }
  return engine;
}

function toIssue({
  instancePath,
  keyword,
  params,
  message = "is invalid",
}: ErrorObject): Issue & { code?: string } {
  const path = instancePath
    .split("/")
    .slice(1)
    .map((segment) => segment.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (keyword === "required") return { path: [...path, String(params["missingProperty"])], message };
  if (keyword === "additionalProperties")
    return { path: [...path, String(params["additionalProperty"])], message: "is not a known field" };
  if (keyword === "enum")
    return { path, message: `must be one of ${JSON.stringify(params["allowedValues"])}` };
  return { path, message, ...(keyword === "type" && { code: "invalid_type" }) };
}
