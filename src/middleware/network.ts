/** Addresses as limits count them. */

/**
 * The address itself for IPv4, also where it is written as IPv6 (RFC 4291, section 2.5.5.2); for IPv6 the network of 64 bits
 * that one host has to itself (section 2.5.4), in which it may choose any address.
 */
export function network(address: string): string {
  if (!address.includes(":")) return address;
  const groups = groupsOf(address.split("%", 1)[0] as string);
  if (!groups) return address;
  const isMapped = groups[5] === 0xff_ff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 255])
      .join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight groups of an IPv6 address; `undefined` where it is none. */
function groupsOf(address: string): readonly number[] | undefined {
  const halves = address.split("::");
  if (halves.length > 2) return undefined;
  const [head = [], tail = []] = halves.map((half) => (half === "" ? [] : half.split(":").flatMap(groupOf)));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...tail];
  return groups.some(Number.isNaN) ? undefined : groups;
}

/** One group; two where the last four bytes are written as IPv4. */
function groupOf(text: string): readonly number[] {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (bytes) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes;
    return [a * 256 + b, c * 256 + d];
  }
  return [/^[\da-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN];
}
