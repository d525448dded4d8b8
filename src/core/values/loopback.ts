/** Addresses and names of this machine alone. */

export const LOOPBACK_NAMES: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether `host` is an address or name of this machine alone. */
export function isLoopback(host: string): boolean {
  return LOOPBACK_NAMES.includes(host) || host === "::1" || /^127(?:\.\d{1,3}){3}$/.test(host);
}
