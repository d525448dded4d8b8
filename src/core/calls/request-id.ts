/** Ids under which requests are logged. */

const POOL_BYTES = 6 * 512;

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

let pool: Uint8Array | undefined;
let used = POOL_BYTES;

/** Twelve random hexadecimal digits. Randomness is drawn for 512 ids at a time. */
export function makeRequestId(): string {
  pool ??= new Uint8Array(POOL_BYTES);
  if (used === POOL_BYTES) {
    crypto.getRandomValues(pool);
    used = 0;
  }
  let id = "";
  for (const end = used + 6; used < end; used++) id += HEX[pool[used] as number];
  return id;
}

/** The client's id where it is fit for logs and headers, else a new one. */
export function requestIdFrom(header: string | undefined): string {
  return header !== undefined && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : makeRequestId();
}
