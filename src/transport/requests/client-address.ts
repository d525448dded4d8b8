/** Where a request comes from: the peer's address, or what proxies that are trusted say of it. */

import { BlockList, isIP } from "node:net";
import { ConfigurationError } from "../../core/errors.ts";
import { shown } from "../../core/options/known-options.ts";

/** As much of a `node:http` request as tells where it comes from, and for what. */
export interface Incoming {
  /** The target as it was sent. */
  readonly url?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly socket: { readonly remoteAddress?: string | undefined };
}

/** The request behind a web-standard one, where `@hono/node-server` tells it (`c.env.incoming`). */
export function incomingIn(bindings: unknown): Incoming | undefined {
  const { incoming } = (bindings ?? {}) as { readonly incoming?: Partial<Incoming> | null };
  return incoming?.socket && incoming.headers ? (incoming as Incoming) : undefined;
}

/** Gives the address of the client that sent a request. */
export type AddressOf = (request: Incoming) => string | undefined;

/**
 * @param trusted - Addresses and networks of proxies: of theirs alone `X-Forwarded-For` is believed, from its end on,
 *   up to the first address that is not a trusted proxy's.
 */
export function clientAddress(trusted: readonly string[] = []): AddressOf {
  if (trusted.length === 0) return peer;
  const proxies = blockList(trusted);
  const isProxy = (address: string) => proxies.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return (request) => {
    let address = peer(request);
    const forwarded = request.headers["x-forwarded-for"];
    const hops = (Array.isArray(forwarded) ? forwarded.join(",") : (forwarded ?? "")).split(",");
    while (address !== undefined && isProxy(address)) {
      const before = plain(hops.pop()?.trim() ?? "");
      // What is no address was not written by a proxy.
      if (isIP(before) === 0) break;
      address = before;
    }
    return address;
  };
}

function peer({ socket: { remoteAddress } }: Incoming): string | undefined {
  return remoteAddress === undefined ? undefined : plain(remoteAddress);
}

/** IPv4 as it is written, also where a socket for both shows it as IPv6. */
function plain(address: string): string {
  return address.toLowerCase().startsWith("::ffff:") && isIP(address.slice(7)) === 4
    ? address.slice(7)
    : address;
}

function blockList(trusted: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of trusted) {
    const [address = "", prefix, ...rest] = entry.split("/");
    const version = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const fits = bits === undefined || (/^\d+$/.test(prefix ?? "") && bits <= (version === 6 ? 128 : 32));
    if (version === 0 || !fits || rest.length > 0) {
      throw new ConfigurationError(
        `http.trustedProxies has ${shown(entry)}: write an address or a network, such as "10.0.0.0/8".`,
      );
    }
    const family = version === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, bits, family);
  }
  return list;
}
