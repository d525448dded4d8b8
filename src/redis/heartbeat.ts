/** Whether Redis is there: asked twice a second, and at once where something speaks against it. */

import type { Logger } from "../core/ports.ts";
import { pause } from "../core/values/promises.ts";
import { inTime } from "./in-time.ts";
import type { RedisClient } from "./ioredis.ts";
import { Script } from "./script.ts";
import { isFull, isWrongDatabase, refusalIn, refusedWrite, setupOf } from "./setup.ts";

/** How often it is asked, in milliseconds. */
const BEAT = 500;
/** How long it may take to answer that, in milliseconds. */
const BEAT_LIMIT = 1_000;
/** How often it is looked whether it is set up as it must be, in beats. */
const LOOK_EVERY = 3;
/** How much of it may be in use before one that was full counts as well again. */
const ROOMY = 0.99;
/** How much of it results and messages of sessions may fill. */
const FOR_RESULTS = 0.75;
/** How long a start waits for it, in milliseconds. */
const START_LIMIT = 3_000;

/** Where an answer repeats the arguments of what it refuses, there may be a password. */
const ARGUMENTS = /, with args beginning with.*$/s;

/** What is asked, and who is told. */
export interface Watched {
  readonly commands: RedisClient;
  readonly messages: RedisClient;
  /** Is written to, to see whether that works. */
  readonly key: string;
  /** How long commands may take, in milliseconds. */
  readonly timeout: number;
  readonly logger: Logger;
  /** Is called when Redis can be used again. */
  readonly back: () => void;
}

export class Heartbeat {
  readonly #watched: Watched;
  /** Whether it answers: while it does not, nothing is sent. */
  #answers = false;
  /** Whether it knows the scripts. */
  #isLoaded = false;
  /** Whether messages reach this process. */
  #hears = false;
  /** Why it lets nobody in, and why what is sent would go to another database. */
  #refused: string | undefined;
  #misplaced: string | undefined;
  /** What went wrong with a connection since both answered. */
  #lastError: string | undefined;
  /** How many bytes results may take until the next look. */
  #room = Infinity;
  #isNearlyFull = false;
  #problem: string | undefined = "it has not answered yet";
  #since = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #beating: Promise<void> | undefined;
  #beats = 0;
  #stopped = false;

  constructor(watched: Watched) {
    this.#watched = watched;
    const { commands, messages } = watched;
    for (const client of [commands, messages]) {
      // What else is wrong shows in the next beat.
      client.on("error", (error: Error) => {
        const message = error.message.replace(ARGUMENTS, "");
        this.#refused ??= refusalIn(message);
        this.#lastError = message;
        if (isWrongDatabase(message)) this.#misplaced = refusalIn(message);
      });
    }
    messages.on("close", () => this.hears(false));
    commands.on("ready", () => void this.beat());
    commands.on("close", () => {
      this.#isLoaded = false;
      this.#answers = false;
      this.#misplaced = undefined;
      void this.beat();
    });
  }

  /** Whether commands are answered. */
  get answers(): boolean {
    return this.#answers;
  }

  /** What keeps Redis from being used. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Tells whether messages reach this process. */
  hears(messages: boolean): void {
    this.#hears = messages;
    void this.beat();
  }

  /** Whether there is room for a result: not where the last quarter of what Redis may have is in use, which counts and claims need. */
  hasRoom(text: string): boolean {
    if (text.length > this.#room) return false;
    this.#room -= text.length;
    return true;
  }

  /** Waits a little until Redis is there, and goes on asking. Gives what is wrong, where waiting does not mend it. */
  async begin(): Promise<string | undefined> {
    const { logger } = this.#watched;
    const deadline = performance.now() + START_LIMIT;
    // What else is wrong is not for waiting; the beat that is under way may have begun before messages came.
    for (let there = 0; there < 2 && this.#problem !== undefined && this.#refused === undefined;) {
      if (performance.now() > deadline) break;
      await pause(10);
      if (this.#answers && this.#hears) there += 1;
      await this.beat();
      this.#refused ??= refusalIn(this.#problem ?? "");
    }
    const wrong = this.#refused ?? (await this.#setupProblem());
    if (wrong !== undefined) return wrong;
    if (this.#problem !== undefined)
      logger.warn(
        { problem: this.#problem },
        "Redis cannot be used yet: the server starts, and is not ready",
      );
    this.#schedule();
    return undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#answers = false;
    clearTimeout(this.#timer);
  }

  /** Where Redis is there, what makes it unfit. */
  async #setupProblem(): Promise<string | undefined> {
    if (!this.#answers) return undefined;
    const { commands, logger } = this.#watched;
    // Where it is gone by now, or does not write, the server starts and is not ready.
    const setup = await inTime(setupOf(commands, logger), BEAT_LIMIT).catch(() => undefined);
    return setup?.problem;
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.beat().then(() => this.#schedule()), BEAT);
    this.#timer.unref();
  }

  /** Asks now. */
  beat(): Promise<void> {
    this.#beating ??= this.#look().finally(() => (this.#beating = undefined));
    return this.#beating;
  }

  /** Asks whether Redis answers, can be written to, and reaches this process. */
  async #look(): Promise<void> {
    if (this.#stopped) return;
    const { commands, messages, timeout } = this.#watched;
    // Scripts are also learnt where nothing can be written.
    const written = this.#load(commands).then(() => this.#write(commands));
    const [answer, heard] = await Promise.all([
      answerOf(written, Math.min(timeout, BEAT_LIMIT)),
      this.#hears ? answerOf(messages.ping(), BEAT_LIMIT) : "no messages can be received",
    ]);
    if (this.#stopped) return;
    if (answer === NO_ANSWER) reconnect(commands);
    if (heard === NO_ANSWER) {
      this.#hears = false;
      reconnect(messages);
    }
    // What it refuses, it has answered.
    this.#answers =
      !this.#misplaced && (answer === undefined || (answer !== NO_ANSWER && commands.status === "ready"));
    if (answer === undefined && heard === undefined) this.#lastError = undefined;
    const why = this.#lastError === undefined ? "" : ` (${this.#lastError})`;
    let problem =
      this.#misplaced ??
      (answer === undefined ? heard : answer === NO_ANSWER ? NO_ANSWER + why : refusedWrite(answer));
    if (problem === undefined && (this.#problem !== undefined || this.#beats++ % LOOK_EVERY === 0))
      problem = await inTime(this.#examine(commands), BEAT_LIMIT).catch(String);
    this.#tell(problem);
  }

  async #load(commands: RedisClient): Promise<void> {
    if (!this.#isLoaded) await Script.load(commands);
    this.#isLoaded = true;
  }

  async #write(commands: RedisClient): Promise<void> {
    await commands.set(this.#watched.key, "1", "PX", 60_000);
  }

  /** What makes Redis unfit though it answers and writes. */
  async #examine(commands: RedisClient): Promise<string | undefined> {
    const { logger } = this.#watched;
    const { problem, used, bound } = await setupOf(commands);
    this.#room = Math.max(0, bound * FOR_RESULTS - used);
    if (this.#room === 0 && !this.#isNearlyFull)
      logger.warn(
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
    const { logger, back } = this.#watched;
    const before = this.#problem;
    this.#problem = problem;
    if (!this.#timer) this.#since = performance.now();
    if (problem === undefined && before !== undefined) {
      if (this.#timer)
        logger.info({ missedMs: Math.round(performance.now() - this.#since) }, "Redis can be used again");
      back();
    } else if (problem !== undefined && before === undefined) {
      this.#since = performance.now();
      logger.error({ problem }, "Redis cannot be used");
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
