/** Redis as the stores see it: commands that are answered soon or refused, and messages to the other processes. */

import { ConfigurationError, type MCPError } from "../core/errors.ts";
import { unreadableStore } from "../core/refusals.ts";
import type { BackendOwner, Logger } from "../core/ports.ts";
import { pause } from "../core/values/promises.ts";
import { digest } from "./crypto.ts";
import { Heartbeat } from "./heartbeat.ts";
import { type RedisClient, connection } from "./ioredis.ts";
import { inTime } from "./in-time.ts";
import type { RedisSettings } from "./options.ts";
import { isForeign, unavailable } from "./refusals.ts";
import { Script } from "./script.ts";

/** How many keys that cannot be read are told apart, and after how many milliseconds each is told again. */
const COMPLAINTS = 1_000;
const COMPLAIN_AFTER = 60_000;
/** How long what is on its way has to arrive when the connection is closed, in milliseconds. */
const LEAVE_LIMIT = 500;
/** How long listening to messages may take to begin, in milliseconds. */
const LISTEN_LIMIT = 1_000;
/** By way of the node that has the server's slot: in a cluster, messages keep their order only on one way. */
const PUBLISH = new Script("return redis.call('PUBLISH', KEYS[1], ARGV[2])");
/** What the others are told through, besides its text. */
type Channel = "event" | "wake";

export class Connection {
  readonly #settings: RedisSettings;
  /** Added to the clock of Redis, in milliseconds. */
  readonly #skew: () => number;
  /** This process among those that share the store. */
  readonly process: string = crypto.randomUUID();
  #base: string | undefined;
  #logger: Logger | undefined;
  #commands: RedisClient | undefined;
  #messages: RedisClient | undefined;
  #heartbeat: Heartbeat | undefined;
  /** When it was last told of keys that cannot be read. */
  readonly #complaints = new Map<string, number>();
  readonly #listeners = { event: new Set<(text: string) => void>(), wake: new Set<(text: string) => void>() };
  readonly #onBack = new Set<() => void>();
  readonly #onGap = new Set<() => void>();

  constructor(settings: RedisSettings, skew: () => number = () => 0) {
    this.#settings = settings;
    this.#skew = skew;
  }

  /** Connects. Where Redis is not there the server starts and is not ready; where it is set up wrongly, it does not start. */
  async open({ name, logger }: BackendOwner): Promise<void> {
    if (this.#base !== undefined)
      throw new ConfigurationError("A backend serves one server: write redis(…) for each.");
    // All keys of a server lie in one slot of a cluster: what has to happen at once may then concern several of them.
    this.#base = `{${this.#settings.prefix}:${encodeURIComponent(name)}}`;
    this.#logger = logger;
    const { target, timeout } = this.#settings;
    const commands = (this.#commands = await connection(target));
    const messages = (this.#messages = await connection(target));
    const heartbeat = (this.#heartbeat = new Heartbeat({
      commands,
      messages,
      key: this.key("process", this.process),
      timeout,
      logger,
      back: () => this.#onBack.forEach((listener) => listener()),
    }));
    messages.on("ready", () => void this.#subscribe(messages, heartbeat));
    messages.on("message", (channel: string, text: string) => {
      for (const listener of this.#listeners[channel === this.#channel("event") ? "event" : "wake"])
        listener(text);
    });
    for (const client of [commands, messages]) client.connect().catch(() => {});
    const wrong = await heartbeat.begin();
    if (wrong === undefined) return;
    await this.close();
    throw new ConfigurationError(wrong);
  }

  /** Throws with what keeps Redis from being used. */
  probe(): void {
    const problem = this.#problem;
    if (problem !== undefined) throw new Error(`Redis cannot be used: ${problem}`);
  }

  async close(): Promise<void> {
    const commands = this.#commands;
    const answers = this.#heartbeat?.answers;
    this.#heartbeat?.stop();
    // What is on its way arrives, where it can.
    if (answers) await Promise.race([commands?.quit().catch(() => {}), pause(LEAVE_LIMIT)]);
    for (const client of [commands, this.#messages]) client?.disconnect();
  }

  /** The name of something in Redis, of parts that the server gives itself. */
  key(kind: string, text = ""): string {
    return `${this.#base}:${kind}:${text}`;
  }

  /** The name of something that is known by what callers send or who they are: always short, and tells of neither. */
  digestKey(kind: string, text: string): string {
    return this.key(kind, digest(text));
  }

  /** Whether a text is small enough to be kept: what is larger would hold up whatever else goes this way, and fill Redis. */
  fits(text: string): boolean {
    const { maxEntryBytes } = this.#settings;
    // A character takes one to three bytes.
    if (text.length > maxEntryBytes) return false;
    return 3 * text.length <= maxEntryBytes || new TextEncoder().encode(text).length <= maxEntryBytes;
  }

  /** Whether Redis has room for a result. */
  hasRoom(text: string): boolean {
    return this.#heartbeat?.hasRoom(text) ?? true;
  }

  /** Runs a script. Rejects, soon, with a `BACKEND_UNAVAILABLE` where that cannot be done. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#reachable();
    try {
      return await inTime(script.run(client, keys, [this.#skew(), ...args]), this.#settings.timeout);
    } catch (error) {
      if (isForeign(error)) throw this.foreign(keys, error);
      // It is found out at once whether it answers at all.
      void this.#heartbeat?.beat();
      throw unavailable(error);
    }
  }

  /** Tells of what does not belong under one of these keys, each minute, and gives what the caller is told. */
  foreign(keys: readonly string[], cause: unknown): MCPError {
    const [name, now] = [keys.join(" "), performance.now()];
    if (this.#complaints.size >= COMPLAINTS) this.#complaints.clear();
    if (now - (this.#complaints.get(name) ?? -Infinity) >= COMPLAIN_AFTER) {
      this.#complaints.set(name, now);
      this.#logger?.error(
        { keys, err: cause },
        "Redis holds under a key of this server what it cannot read: what needs it is refused until the key is deleted (DEL)",
      );
    }
    return unreadableStore(cause);
  }

  /** Tells the other processes. */
  async publish(text: string): Promise<void> {
    await this.run(PUBLISH, [this.#channel("event")], [text]);
  }

  /** Where scripts publish. */
  get wakeChannel(): string {
    return this.#channel("wake");
  }

  listen(channel: Channel, listener: (text: string) => void): void {
    this.#listeners[channel].add(listener);
  }

  /** Calls `listener` when Redis can be used again. */
  onBack(listener: () => void): void {
    this.#onBack.add(listener);
  }

  /** Calls `listener` when messages may have been missed. */
  onGap(listener: () => void): void {
    this.#onGap.add(listener);
  }

  #channel(channel: Channel): string {
    return this.key("channel", channel);
  }

  get #problem(): string | undefined {
    return this.#heartbeat ? this.#heartbeat.problem : "it is not open yet";
  }

  /** Where commands go. Throws a `BACKEND_UNAVAILABLE` while they would not be answered. */
  #reachable(): RedisClient {
    if (this.#commands && this.#heartbeat?.answers) return this.#commands;
    throw unavailable(this.#problem);
  }

  async #subscribe(messages: RedisClient, heartbeat: Heartbeat): Promise<void> {
    try {
      await inTime(messages.subscribe(this.#channel("event"), this.#channel("wake")), LISTEN_LIMIT);
    } catch {
      messages.disconnect(true);
      return;
    }
    heartbeat.hears(true);
    for (const listener of this.#onGap) listener();
  }
}
