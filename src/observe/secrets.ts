/** What must not stand in a log: known by the name of its field, or by its shape within a text. */

/** What stands in its place. */
export const REDACTED = "[redacted]";

/** Parts of names of fields that hold secrets. */
const SECRET_NAME = /authorization|cookie|passw|passphrase|secret|token|api[-_]?key|credential/i;

/**
 * Texts without any of these have no secret of a known shape: most have none, and cost this one look. A text is looked at once from
 * its beginning to its end, whatever stands in it.
 */
const SUSPICIOUS =
  /bearer|basic|eyJ|:\/\/[^\s/?#]*@|=|sk-|gh[a-z]_|github_pat|xox[a-z]-|AKIA|AIza|PRIVATE KEY/i;

/** Secrets within texts, and what is left of them. What is cut off at the end is found as well. */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  // `Bearer` and `Basic` (RFC 6750, section 2.1; RFC 7617, section 2); not challenges and plain words, as in `Bearer realm="…"` and
  // `Basic authentication`.
  [
    /\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+|%20)(?!\w+=["\w])(?=\S[a-z]*(?:[A-Z0-9_~+/=-]|\.\w)|\S{16})[^\s"'<>,;]{6,}/g,
    `$1$2${REDACTED}`,
  ],
  // JSON Web Tokens and encrypted ones (RFC 7519, section 3.1).
  [/\beyJ[\w-]{6,}\.[\w.-]*/g, REDACTED],
  // The password of a URL (RFC 3986, section 3.2.1).
  [/:\/\/([^\s/?#:@]*):[^\s/?#]*@/g, `://$1:${REDACTED}@`],
  // `password=…` and the like: of queries, forms and connection strings.
  [
    /((?:passw(?:or)?d|pwd|passphrase|secret|token|api[-_]?key|credentials?|signature|\bsig)=)("[^"]*"?|'[^']*'?|[^\s&;,"')]+)/gi,
    `$1${REDACTED}`,
  ],
  // Keys that begin as their issuers have them begin.
  [/\b(?:sk-|gh[opsur]_|github_pat_|xox[abeoprs]-|AKIA|AIza)[\w-]{12,}/g, REDACTED],
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
