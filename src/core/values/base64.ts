/** Bytes as text. */

const CHUNK = 0x8000;

/** Standard base64 of bytes. */
export function base64(data: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < data.length; i += CHUNK) binary += String.fromCharCode(...data.subarray(i, i + CHUNK));
  return btoa(binary);
}

/** Whether `text` is standard base64, padded (RFC 4648, section 4). */
export function isBase64(text: string): boolean {
  const padding = text.indexOf("=");
  return (
    text.length % 4 === 0 &&
    !/[^A-Za-z0-9+/=]/.test(text) &&
    (padding === -1 || /^={1,2}$/.test(text.slice(padding)))
  );
}
