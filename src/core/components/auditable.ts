/** Arguments that the audit log may show: what a component declares of them. */

import { ConfigurationError } from "../errors.ts";
import { isObject } from "../values/json.ts";
import { checkKnown, shown } from "../options/known-options.ts";
import { nearest } from "../options/nearest.ts";
import type { JsonSchema } from "../ports.ts";
import { REDACTED, sensitiveRedactor } from "../schemas/sensitive.ts";

/** What the audit log shows of a component's calls besides a digest of their arguments. */
export interface AuditFields {
  /** Names of arguments that are written down as they were sent, shortened where they are long. */
  readonly fields: readonly string[];
}

export interface AuditedOptions {
  /**
   * What the audit log shows of the arguments. Default: nothing but their digest. Arguments that the schema marks as sensitive
   * cannot be shown.
   */
  readonly audit?: AuditFields;
}

/** Gives of arguments what may be shown; `undefined` where nothing may. */
export type Auditable = (args: unknown) => Readonly<Record<string, unknown>> | undefined;

/**
 * Reads the `audit` option of a component.
 *
 * @param schema - Describes the arguments.
 * @throws {@link ConfigurationError} where a field is none of the arguments, or is sensitive.
 */
export function auditable(
  what: string,
  { audit }: AuditedOptions,
  schema: JsonSchema,
): { readonly auditable?: Auditable } {
  if (audit === undefined) return {};
  const { fields } = (isObject(audit) ? audit : {}) as Partial<AuditFields>;
  if (!Array.isArray(fields) || !fields.every((field) => typeof field === "string"))
    throw new ConfigurationError(`${what}: audit is ${shown(audit)}: write { fields: ["task_id"] }.`);
  checkKnown(`${what}: audit`, audit, { fields: true });
  const names = Object.keys(schema["properties"] ?? {});
  // A schema that says nothing of further members, or is a union, may have arguments that it does not name here.
  const isClosed = names.length > 0 && !["anyOf", "oneOf", "allOf", "$ref"].some((key) => key in schema);
  const redact = sensitiveRedactor(schema);
  for (const field of fields) {
    if (isClosed && !names.includes(field)) {
      const near = nearest(field, names);
      throw new ConfigurationError(
        `${what}: audit names "${field}", which is not an argument. ${near === undefined ? `Write some of: ${names.join(", ")}.` : `Did you mean "${near}"?`}`,
      );
    }
    const probe = redact?.({ [field]: 0 }) as Record<string, unknown> | undefined;
    if (probe?.[field] === REDACTED)
      throw new ConfigurationError(
        `${what}: audit names "${field}", which its schema marks as sensitive. Leave it out: the digest stands for it.`,
      );
  }
  return {
    auditable: (args) => {
      if (!isObject(args)) return undefined;
      const own = fields.filter((field) => Object.hasOwn(args, field));
      if (own.length === 0) return undefined;
      const picked = Object.fromEntries(own.map((field) => [field, args[field]]));
      return redact ? (redact(picked) as Record<string, unknown>) : picked;
    },
  };
}
