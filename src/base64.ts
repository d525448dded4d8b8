/** Bytes as text. */

const CHUNK = 0x8000;

/** Standard base64 of bytes; text is taken as base64 already. */
export function base64(data: Uint8Array | string): string {
  if (typeof data === "string") return data;
  let binary = "";
  for (let i = 0; i < data.length; i += CHUNK) binary += String.fromCharCode(...data.subarray(i, i + CHUNK));
  return btoa(binary);
}
