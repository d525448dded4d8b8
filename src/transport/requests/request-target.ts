/** The target of a request as it was sent, before a URL parser makes something else of it. */

/**
 * Whether the path of a request target is in normal form (RFC 3986, section 6.2.2): no dot segments, nothing encoded that need not
 * be, and nothing that is no character of a path. URL parsers resolve and decode the rest, so that a proxy in front, which
 * compares the path as it was sent, would let through to one route what it takes for another.
 */
export function isNormal(target: string): boolean {
  return NORMAL.test(target.replace(/^https?:\/\/[^/?]*/i, "").split("?", 1)[0] || "/");
}

const NORMAL =
  /^(?:\/(?!\.{1,2}(?:\/|$))(?:[\w.~!$&'()*+,;=:@-]|%(?!2[de]|3\d|[46][1-9a-f]|[57][\da]|5f|7e)[\da-f]{2})*)*$/i;
