/** The body of a request: strict UTF-8, strict JSON. */

import { type ParsedJson, parseStrictJson } from "../core/schemas/strict-json.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Parses `bytes`, or says what is wrong with them in words fit for the sender. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let source: string;
  try {
    source = decoder.decode(bytes);
  } catch {
    return { problem: "The body is not valid UTF-8." };
  }
  return parseStrictJson(source);
}
