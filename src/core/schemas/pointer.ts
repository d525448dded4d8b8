/** References within one JSON Schema. */

/** What stands behind the `#` of a reference, percent-decoded; `undefined` where there is none. */
export function fragmentOf(reference: string): string | undefined {
  const start = reference.indexOf("#");
  if (start < 0) return undefined;
  const fragment = reference.slice(start + 1);
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

/** What a JSON Pointer names, in the form that it has when it is decoded (RFC 6901, sections 4 and 6); `undefined` where that is nothing. */
export function pointedAt(root: unknown, pointer: string): unknown {
  const [start, ...parts] = pointer.split("/");
  let found = start === "" ? root : undefined;
  for (const part of parts) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return found;
}
