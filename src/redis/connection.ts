/** Redis as the stores see it: commands that wait for nothing, and whether it is there. */

import { ConfigurationError, type MCPError } from "../core/errors.ts";
import { unreadableStore } from "../core/refusals.ts";
import type { BackendOwner, Logger } from "../core/ports.ts";
import { pause } from "../core/values/promises.ts";
import { digest } from "./crypto.ts";
import { type RedisClient, connection } from "./ioredis.ts";
import { inTime } from "./in-time.ts";
import type { RedisSettings } from "./options.ts";
import { isForeign, unavailable } from "./refusals.ts";
import { Script } from "./script.ts";
import { isFull, isWrongDatabase, refusalIn, refusedWrite, setupOf } from "./setup.ts";

/** How often it is asked whether it is there, in milliseconds. */
const BEAT = 500;
/** How long it may take to answer that, in milliseconds. */
const BEAT_LIMIT = 1_000;
/** How often it is looked whether it is set up as it must be, in beats. */
const LOOK_EVERY = 3;
/** How much of it may be in use before one that was full counts as well again. */
const ROOMY = 0.99;
/** How much of it results and messages of sessions may fill. */
const FOR_RESULTS = 0.75;
/** How many keys that cannot be read are told apart, and after how many milliseconds each is told again. */
const COMPLAINTS = 1_000;
const COMPLAIN_AFTER = 60_000;
/** How long a start waits for it, in milliseconds. */
const START_LIMIT = 3_000;
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
  /** Whether it answers: while it does not, nothing is sent. */
  #answers = false;
  /** Whether it knows the scripts. */
  #isLoaded = false;
  /** How many bytes results may take until the next look. */
  #room = Infinity;
  #isNearlyFull = false;
  /** When it was last told of keys that cannot be read. */
  readonly #complaints = new Map<string, number>();
  /** Why what is sent would go to another database. */
  #misplaced: string | undefined;
  /** Whether messages reach this process. */
  #hears = false;
  #problem: string | undefined = "it has not answered yet";
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beating: Promise<void> | undefined;
  #beats = 0;
  #closed = false;
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
    const { target } = this.#settings;
    this.#commands = await connection(target);
    this.#messages = await connection(target);
    let refused: string | undefined;
    for (const client of [this.#commands, this.#messages]) {
      // What else is wrong shows in the next beat.
      client.on("error", ({ message }: Error) => {
        refused ??= refusalIn(message);
        if (isWrongDatabase(message)) this.#misplaced = refusalIn(message);
      });
    }
    this.#messages.on("ready", () => void this.#subscribe());
    this.#messages.on("close", () => {
      this.#hears = false;
      void this.#beat();
    });
    this.#messages.on("message", (channel: string, text: string) => {
      for (const listener of this.#listeners[channel === this.#channel("event") ? "event" : "wake"])
        listener(text);
    });
    this.#commands.on("ready", () => void this.#beat());
    this.#commands.on("close", () => {
      this.#isLoaded = false;
      this.#answers = false;
      this.#misplaced = undefined;
      void this.#beat();
    });
    for (const client of [this.#commands, this.#messages]) client.connect().catch(() => {});
    const deadline = performance.now() + START_LIMIT;
    // What else is wrong is not for waiting; the beat that is under way may have begun before messages came.
    for (let there = 0; there < 2 && this.#problem !== undefined && refused === undefined;) {
      if (performance.now() > deadline) break;
      await pause(10);
      if (this.#answers && this.#hears) there += 1;
      await this.#beat();
      refused ??= refusalIn(this.#problem ?? "");
    }
    const wrong = refused ?? (await this.#setupProblem(logger));
    if (wrong !== undefined) {
      await this.close();
      throw new ConfigurationError(wrong);
    }
    if (this.#problem !== undefined)
      logger.warn(
        { problem: this.#problem },
        "Redis cannot be used yet: the server starts, and is not ready",
      );
    this.#schedule();
  }

  /** Throws with what keeps Redis from being used. */
  probe(): void {
    if (this.#problem !== undefined) throw new Error(`Redis cannot be used: ${this.#problem}`);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const clients = [this.#commands, this.#messages];
    // What is on its way arrives, where it can.
    if (this.#answers) await Promise.race([this.#commands?.quit().catch(() => {}), pause(BEAT)]);
    for (const client of clients) client?.disconnect();
    this.#answers = false;
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

  /** Whether there is room for a result: not where the last quarter of what Redis may have is in use, which counts and claims need. */
  hasRoom(text: string): boolean {
    if (text.length > this.#room) return false;
    this.#room -= text.length;
    return true;
  }

  /** Runs a script. Rejects, soon, with a `BACKEND_UNAVAILABLE` where that cannot be done. */
  async run(script: Script, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#commands;
    if (!client || !this.#answers) throw unavailable(this.#problem);
    try {
      return await inTime(script.run(client, keys, [this.#skew(), ...args]), this.#settings.timeout);
    } catch (error) {
      if (isForeign(error)) throw this.foreign(keys, error);
      // It is found out at once whether it answers at all.
      void this.#beat();
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
  async publish(channel: Channel, text: string): Promise<void> {
    const client = this.#commands;
    if (!client || !this.#answers) throw unavailable(this.#problem);
    try {
      await inTime(client.publish(this.#channel(channel), text), this.#settings.timeout);
    } catch (error) {
      throw unavailable(error);
    }
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

  async #subscribe(): Promise<void> {
    const messages = this.#messages;
    if (!messages) return;
    try {
      await inTime(messages.subscribe(this.#channel("event"), this.#channel("wake")), BEAT_LIMIT);
    } catch {
      messages.disconnect(true);
      return;
    }
    this.#hears = true;
    for (const listener of this.#onGap) listener();
    void this.#beat();
  }

  /** Where Redis is there, what makes it unfit. */
  async #setupProblem(logger: Logger): Promise<string | undefined> {
    if (!this.#commands || !this.#answers) return undefined;
    // Where it is gone by now, or does not write, the server starts and is not ready.
    const setup = await inTime(setupOf(this.#commands, logger), BEAT_LIMIT).catch(() => undefined);
    return setup?.problem;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#beat().then(() => this.#schedule()), BEAT);
    this.#timer.unref();
  }

  #beat(): Promise<void> {
    this.#beating ??= this.#look().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  /** Asks whether Redis answers, can be written to, and reaches this process. */
  async #look(): Promise<void> {
    const [commands, messages] = [this.#commands, this.#messages];
    if (!commands || !messages || this.#closed) return;
    // Scripts are also learnt where nothing can be written.
    const written = this.#load(commands).then(() => this.#write(commands));
    const [answer, heard] = await Promise.all([
      answerOf(written, Math.min(this.#settings.timeout, BEAT_LIMIT)),
      this.#hears ? answerOf(messages.ping(), BEAT_LIMIT) : "no messages can be received",
    ]);
    if (this.#closed) return;
    if (answer === NO_ANSWER) reconnect(commands);
    if (heard === NO_ANSWER) {
      this.#hears = false;
      reconnect(messages);
    }
    // What it refuses, it has answered.
    this.#answers =
      !this.#misplaced && (answer === undefined || (answer !== NO_ANSWER && commands.status === "ready"));
    let problem = this.#misplaced ?? (answer === undefined ? heard : refusedWrite(answer));
    if (problem === undefined && (this.#problem !== undefined || this.#beats++ % LOOK_EVERY === 0))
      problem = await inTime(this.#examine(commands), BEAT_LIMIT).catch(String);
    this.#tell(problem);
  }

  async #load(commands: RedisClient): Promise<void> {
    if (!this.#isLoaded) await Script.load(commands);
    this.#isLoaded = true;
  }

  async #write(commands: RedisClient): Promise<void> {
    await commands.set(this.key("process", this.process), "1", "PX", 60_000);
  }

  /** What makes Redis unfit though it answers and writes. */
  async #examine(commands: RedisClient): Promise<string | undefined> {
    const { problem, used, bound } = await setupOf(commands);
    this.#room = Math.max(0, bound * FOR_RESULTS - used);
    if (this.#room === 0 && !this.#isNearlyFull)
      this.#logger?.warn(
        { used, maxmemory: bound },
        "Redis is three quarters full: results and messages of sessions are no longer kept, so that counts and claims find room",
      );
    // What is written before the next look is no reason to tell it again.
    this.#isNearlyFull = this.#room === 0 || (this.#isNearlyFull && used > bound * FOR_RESULTS * ROOMY);
    // Where it was full, one write that finds room is no end of it.
    const before = this.#problem ?? "";
    return problem ?? (isFull(before) && used > bound * ROOMY ? before : undefined);
  }

  #tell(problem: string | undefined): void {
    const before = this.#problem;
    this.#problem = problem;
    if (!this.#timer) this.#since = performance.now();
    if (problem === undefined && before !== undefined) {
      if (this.#timer)
        this.#logger?.info(
          { missedMs: Math.round(performance.now() - this.#since) },
          "Redis can be used again",
        );
      for (const listener of this.#onBack) listener();
    } else if (problem !== undefined && before === undefined) {
      this.#since = performance.now();
      this.#logger?.error({ problem }, "Redis cannot be used");
    }
  }
}

const NO_ANSWER = "it does not answer";

/** What is wrong with an answer. */
async function answerOf(work: Promise<unknown>, limit: number): Promise<string | undefined> {
  try {
    await inTime(work, limit);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return /^[A-Z]{2,} /.test(message) ? message : NO_ANSWER;
  }
}

/** Connects anew where a connection seems to stand and nothing comes through it. */
function reconnect(client: RedisClient): void {
  if (client.status === "ready" || client.status === "connect") client.disconnect(true);
}
