/** Digests, by `node:crypto`. */

import { hash } from "node:crypto";

/**
 * A short text that stands for `text` (SHA-256): what callers send is of any length, and names in Redis are for many eyes (`SCAN`,
 * `MONITOR`, `SLOWLOG`). Equal texts have equal digests, so whoever sees one can try what it stands for.
 */
export function digest(text: string): string {
  return hash("sha256", text, "base64url");
}
