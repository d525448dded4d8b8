/** What Redis does in one step, whoever else asks at the same time: a script in Lua. */

import { type RedisClient, isCluster } from "./ioredis.ts";

/** The time in milliseconds, from the clock of Redis: those of processes differ. `ARGV[1]` is added to it. */
const NOW = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000 + ARGV[1]
`;

export class Script {
  static readonly #all: Script[] = [];
  readonly #text: string;
  #digest = "";

  /** Makes scripts known to a server that `client` leads to: what is sent first is then done first. */
  static async load(client: RedisClient): Promise<void> {
    const servers = isCluster(client) ? client.nodes("master") : [client];
    await Promise.all(
      Script.#all.flatMap(async (script) => {
        script.#digest ||= await sha1(script.#text);
        await Promise.all(servers.map((server) => server.script("LOAD", script.#text)));
      }),
    );
  }

  /** @param text - Finds the time in `now`; its own arguments begin at `ARGV[2]`. */
  constructor(text: string) {
    this.#text = NOW + text;
    Script.#all.push(this);
  }

  /** One round trip, and another where Redis has forgotten the script. */
  async run(
    client: RedisClient,
    keys: readonly string[],
    args: readonly (string | number)[],
  ): Promise<unknown> {
    try {
      return await client.evalsha(this.#digest, keys.length, ...keys, ...args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return await client.eval(this.#text, keys.length, ...keys, ...args);
    }
  }
}

/** By this Redis knows scripts (EVALSHA). */
async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
