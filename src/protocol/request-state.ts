/**
 * The state that travels with a call's questions, sealed (AES-256-GCM): who asked what is bound to it, so
 * that it opens for nobody else, for no other call and not after its time (2026-07-28, "Server Requirements").
 */

import { canonicalJson } from "../core/values/canonical.ts";
import type { Ask } from "../core/calls/call.ts";
import { timeLimit } from "../core/options/duration.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { CallRecord } from "../core/dialogue/inquiry.ts";
import type { StateOptions } from "../core/server-options.ts";

type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const SHORTEST_KEY = 32;
const IV_BYTES = 12;

/** The longest state that is sealed and opened, in characters. */
const LONGEST = 262_144;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class StateCodec {
  /** How long a question may wait for its answer, in milliseconds. */
  readonly ttl: number;
  readonly #keys: Promise<readonly Key[]>;

  constructor({ keys = [randomKey()], ttl = "10m" }: StateOptions) {
    const fits = (key: unknown) => typeof key === "string" && key.length >= SHORTEST_KEY;
    if (!Array.isArray(keys) || keys.length === 0 || !keys.every(fits)) {
      throw new ConfigurationError(
        `requestState.keys: write at least one secret of ${SHORTEST_KEY} characters or more, and no other.`,
      );
    }
    this.ttl = timeLimit(ttl, "requestState.ttl");
    this.#keys = Promise.all(keys.map(importKey));
  }

  /** Seals a record for the retry of `ask` by the same caller. */
  async seal(record: CallRecord, ask: Ask, audience: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const plain = encoder.encode(JSON.stringify({ expires: Date.now() + this.ttl, record }));
    const [key] = await this.#keys;
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: await binding(ask, audience) },
      key as Key,
      plain,
    );
    const state = toBase64Url(iv, new Uint8Array(sealed));
    if (state.length <= LONGEST) return state;
    throw new ConfigurationError(
      `What a call keeps while it asks (answers, and results of ctx.once) comes to ${state.length} characters: at most ${LONGEST} can travel. Keep ids in ctx.once, and documents elsewhere.`,
    );
  }

  /** The record, or `undefined` where the state is altered, foreign, for another call or expired. */
  async open(state: string, ask: Ask, audience: string): Promise<CallRecord | undefined> {
    const bytes = state.length <= LONGEST ? fromBase64Url(state) : undefined;
    if (!bytes || bytes.length <= IV_BYTES) return undefined;
    const additionalData = await binding(ask, audience);
    for (const key of await this.#keys) {
      try {
        const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, IV_BYTES), additionalData };
        const plain = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(IV_BYTES));
        const { expires, record } = JSON.parse(decoder.decode(plain)) as {
          expires: number;
          record: CallRecord;
        };
        return Date.now() < expires ? record : undefined;
      } catch {
        // Sealed with another key, or altered: the next key tells.
      }
    }
    return undefined;
  }
}

function randomKey(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(32)));
}

async function importKey(secret: string): Promise<Key> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(`gantry request state ${secret}`));
  return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** What a state is good for: this server, this operation, these arguments. */
async function binding(ask: Ask, audience: string): Promise<Uint8Array<ArrayBuffer>> {
  const about = canonicalJson([
    audience,
    ask.kind,
    "name" in ask ? ask.name : "",
    "args" in ask ? ask.args : {},
  ]);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(about)));
}

function toBase64Url(...parts: readonly Uint8Array[]): string {
  let binary = "";
  for (const part of parts) for (const byte of part) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes, where `text` is the one way to write them. */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
    return toBase64Url(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}
