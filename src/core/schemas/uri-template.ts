/**
 * URI templates of RFC 6570: level 1 (`{name}`), one reserved expression (`{+path}`) or one exploded path
 * (`{/path*}`). Matching takes time linear in the URI's length: there is no backtracking.
 */

import { ConfigurationError } from "../errors.ts";

type Clean<V extends string> = V extends `+${infer N}` ? N : V extends `/${infer N}*` ? N : V;
type Names<U extends string> = U extends `${string}{${infer V}}${infer R}` ? Clean<V> | Names<R> : never;

/** The variables of template `U`, each a string. */
export type TemplateParams<U extends string> = { [Name in Names<U>]: string };

interface Variable {
  readonly name: string;
  /** `simple` stays within one path segment; `path` and `segments` may span several. */
  readonly kind: "simple" | "path" | "segments";
  /** The literal text between this variable and the next, or the end. */
  readonly after: string;
}

export interface UriTemplate {
  readonly names: readonly string[];
  /** Whether a variable may span several segments: such templates are tried last. */
  readonly greedy: boolean;
  /** The variables' decoded values, or `undefined` where the URI does not match or hides a separator. */
  readonly match: (uri: string) => Record<string, string> | undefined;
}

const EXPRESSION = /\{([^{}]*)\}/g;
const NAME = /^(?:\+([A-Za-z_]\w*)|\/([A-Za-z_]\w*)\*|([A-Za-z_]\w*))$/;

/** Whether `uri` has expressions, and so is a template. */
export function isTemplate(uri: string): boolean {
  return uri.includes("{");
}

/** What may not stand in a URI wherever it is, or not here (RFC 3986, appendix A). */
const ODD = /[^!$-;=?-Z_a-z~]|%(?![\dA-Fa-f]{2})/gu;

/** Brackets are for IP addresses (RFC 3986, section 3.2.2); none, where a template's variable gives it. */
const UP_TO_ADDRESS = /^[a-z][a-z\d+.-]*:\/\/(?:[^@[\]/?#]*@)?\[[\da-f:.]*\](?![^:/?#])/i;

/** Whether all of `text` may stand in a URI; URL parsers mend what may not. */
export function isUriText(text: string): boolean {
  return asUriText(text) === text;
}

/** `text` with all that may not stand in a URI percent-encoded, as addresses in other scripts are (RFC 3987, section 3.1). */
export function asUriText(text: string): string {
  if (text.search(ODD) < 0) return text;
  const address = UP_TO_ADDRESS.exec(text)?.[0].length ?? 0;
  const fragment = text.indexOf("#");
  return text.replace(ODD, (character, at: number) =>
    at === fragment || (at < address && /[[\]]/.test(character)) ? character : percentEncoded(character),
  );
}

function percentEncoded(character: string): string {
  return /[\ud800-\udfff]/u.test(character) ? "%EF%BF%BD" : encodeURIComponent(character);
}

/** Compiles a template. Throws a {@link ConfigurationError} that says what to write. */
export function compileTemplate(template: string): UriTemplate {
  const pieces = template.split(EXPRESSION);
  const prefix = pieces[0] as string;
  const variables: Variable[] = [];
  for (let i = 1; i < pieces.length; i += 2)
    variables.push(variable(template, pieces[i] as string, pieces[i + 1] as string));
  check(template, prefix, variables);
  return {
    names: variables.map(({ name }) => name),
    greedy: variables.some(({ kind }) => kind !== "simple"),
    match: (uri) => matchUri(uri, prefix, variables),
  };
}

function variable(template: string, expression: string, after: string): Variable {
  const match = NAME.exec(expression);
  if (!match) {
    throw new ConfigurationError(
      `Resource template "${template}": the expression {${expression}} is not supported. Write {name}, {+path} or {/path*}.`,
    );
  }
  const [, path, segments, simple] = match;
  const kind = path !== undefined ? "path" : segments !== undefined ? "segments" : "simple";
  return { name: (path ?? segments ?? simple) as string, kind, after };
}

function check(template: string, prefix: string, variables: readonly Variable[]): void {
  const fail = (problem: string) => {
    throw new ConfigurationError(`Resource template "${template}": ${problem}`);
  };
  const names = variables.map(({ name }) => name);
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(prefix))
    fail('it must begin with a literal scheme, such as "tasks://{task_id}".');
  if (new Set(names).size < names.length) fail("a variable stands twice. Give each a name of its own.");
  if (variables.slice(0, -1).some(({ after }) => after === ""))
    fail("two variables touch. Put a separator such as / between them.");
  if (variables.filter(({ kind }) => kind !== "simple").length > 1)
    fail("only one of {+path} and {/path*} is allowed.");
  const literal = template.replace(EXPRESSION, "");
  if (/[{}]/.test(literal)) fail("a brace stands alone. Write {name}, and %7B or %7D for a brace itself.");
  if (!isUriText(literal)) fail("it has characters that no URI has. Percent-encode them: %20 for a space.");
}

function matchUri(
  uri: string,
  prefix: string,
  variables: readonly Variable[],
): Record<string, string> | undefined {
  if (!uri.startsWith(prefix)) return undefined;
  const values: Record<string, string> = {};
  let position = prefix.length;
  for (const [index, { name, kind, after }] of variables.entries()) {
    const rest = variables.slice(index);
    const end =
      rest.length > 1 && kind === "simple" ? uri.indexOf(after, position) : endBeforeRest(uri, rest);
    const raw = end < position ? undefined : uri.slice(position, end);
    const value = raw === undefined ? undefined : decode(raw, kind);
    if (value === undefined) return undefined;
    values[name] = value;
    position = end + after.length;
  }
  return values;
}

/**
 * Where the value of the first of these variables ends if it reaches as far as the others allow, of which each gets at
 * least one character. −1 where they do not fit.
 */
function endBeforeRest(uri: string, [first, ...rest]: readonly Variable[]): number {
  const afters = [first as Variable, ...rest].map(({ after }) => after);
  const last = afters.pop() as string;
  let end = uri.endsWith(last) ? uri.length - last.length : -1;
  for (const after of afters.toReversed())
    end = end > after.length ? uri.lastIndexOf(after, end - 1 - after.length) : -1;
  return end;
}

/**
 * The decoded value, or `undefined` where it is none that the expression allows. Values are checked after
 * decoding, so that `%2e%2e%2f` hides nothing: no separator in a simple variable, no `.` or `..` segment,
 * backslash or control character in any.
 */
function decode(raw: string, kind: Variable["kind"]): string | undefined {
  if (kind === "segments" ? raw !== "" && !raw.startsWith("/") : raw === "") return undefined;
  if (kind === "simple" && /[/?#]/.test(raw)) return undefined;
  let value: string;
  try {
    value = decodeURIComponent(kind === "segments" ? raw.slice(1) : raw);
  } catch {
    return undefined;
  }
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\\\u0000-\u001f\u007f]/.test(value)) return undefined;
  const segments = value.split("/");
  if (kind === "simple" && segments.length > 1) return undefined;
  return segments.some((segment) => segment === "." || segment === "..") ? undefined : value;
}
