/** What must not stand in a log: known by the name of its field, or by its shape within a text. */

/** What stands in its place. */
export const REDACTED = "[redacted]";

/** Parts of names of fields that hold secrets. */
const SECRET_NAME =
  /authorization|cookie|passw|passphrase|^pass$|pwd|secret|token|(?:api|private)[-_]?key|credential|jwt/i;

/**
 * Texts without any of these have no secret of a known shape: most have none, and cost this one look. A text is looked at once from
 * its beginning to its end, whatever stands in it.
 */
const SUSPICIOUS =
  /bearer|basic|eyJ|:\/\/[^\s/?#]*@|=|passw|pwd|passphrase|secret|token|api[-_]?key|private[-_]?key|credential|authorization|cookie|[rs]k[-_]|gh[a-z]_|github_pat|glpat-|npm_|xox[a-z]-|AKIA|AIza|PRIVATE KEY/i;

/** What secrets are called within texts. */
const CALLED =
  "passw(?:or)?d|pwd|passphrase|secret|token|(?:api|private)[-_]?key|credentials?|signature|\\bsig|[?&]key";

/** Secrets within texts, and what is left of them. What is cut off at the end is found as well. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // `Bearer` and `Basic` (RFC 6750, section 2.1; RFC 7617, section 2); not challenges and plain words, as in `Bearer realm="…"` and
  // `Basic authentication`.
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+|%20)(?!\w+=["\w])(?=\S[a-z]*(?:[A-Z0-9_~+/=-]|\.\w)|\S{16})[^\s"'<>,;]{6,}/g,
    `$1$2${REDACTED}`,
  ],
  // Header fields, to the end of their line.
  [
    /\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(:[ \t]*)(?![ \t]|\w+[ \t]\[redacted)[^\r\n"']+/gi,
    `$1$2${REDACTED}`,
  ],
  // JSON Web Tokens and encrypted ones (RFC 7519, section 3.1).
  [/\beyJ[\w-]{6,}\.[\w.-]*/g, REDACTED],
  // The password of a URL (RFC 3986, section 3.2.1).
  [/:\/\/([^\s/?#:@]*):[^\s/?#]*@/g, `://$1:${REDACTED}@`],
  // `password=…` and the like: of queries, forms and connection strings.
  [new RegExp(String.raw`((?:${CALLED})=)("[^"]*"?|'[^']*'?|[^\s&;,"')]+)`, "gi"), `$1${REDACTED}`],
  // Members of JSON, also where that is a text in JSON itself.
  [new RegExp(String.raw`((?:${CALLED})[\w-]{0,32}"\s*:\s*")(?:[^"\\]|\\.)*`, "gi"), `$1${REDACTED}`],
  [
    new RegExp(String.raw`((?:${CALLED})[\w-]{0,32}\\"\s*:\s*\\")(?:[^"\\]|\\{2,}"?|\\[^"\\])*`, "gi"),
    `$1${REDACTED}`,
  ],
  // `password: …` of YAML and prose, and `--password …` of command lines.
  [new RegExp(String.raw`((?:${CALLED}):\s+)(?=\S*[\d_~+/=]|\S{16})[^\s"',;]+`, "gi"), `$1${REDACTED}`],
  [new RegExp(String.raw`(--(?:[\w-]{0,32}-)?(?:${CALLED})\s+)(?!-)[^\s"']+`, "gi"), `$1${REDACTED}`],
  // Keys that begin as their issuers have them begin.
  [
    /\b(?:sk-|[rs]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|npm_|xox[abeoprs]-|AKIA|AIza)[\w-]{12,}/g,
    REDACTED,
  ],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(?:-----END[A-Z ]*-----|$)/g, REDACTED],
];

/** Whether {@link withoutSecrets} may leave out something of it. */
export function mayHoldSecrets(text: string): boolean {
  return SUSPICIOUS.test(text);
}

/** Leaves out what looks like a secret. */
export function withoutSecrets(text: string): string {
  if (!mayHoldSecrets(text)) return text;
  let left = text;
  for (const [shape, instead] of SHAPES) left = left.replace(shape, instead);
  return left;
}

/** Whether the value of a field is left out whatever it is, as far as it is text or something with texts in it, or not. */
export type Secrecy = "all" | "texts" | "none";

/** Tells it by the field's name. `names` are the author's own. */
export function secrecyBy(names: readonly string[]): (name: string) => Secrecy {
  const own = new Set(names.map((name) => name.toLowerCase()));
  return (name) => (own.has(name.toLowerCase()) ? "all" : SECRET_NAME.test(name) ? "texts" : "none");
}
