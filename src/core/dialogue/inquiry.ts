/**
 * Asking the client's user, model or file system while a call runs. Where the client can be asked at once, a
 * question is a request. Where every request stands alone (2026-07-28), the call ends with its questions and
 * runs again with the answers: an answered question gives its recorded answer, the next one ends the call.
 */

import { ConfigurationError, MCPError } from "../errors.ts";
import { type AsJson, toJsonText } from "../values/json.ts";

/** A request to the client, as it is written on the wire. */
export interface InputRequest {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params?: object;
}

/** A question with what makes an answer of the client's response: `undefined` where it is none. */
export interface Question<T> {
  /** Names the answer in the record, where the author gave it a name; unique within the call. */
  readonly key: string | undefined;
  /** What the user reads of it: without a name, an answer counts for these words and for no others. */
  readonly wording?: string;
  readonly request: InputRequest;
  readonly accept: (response: unknown) => T | undefined | Promise<T | undefined>;
}

export interface AskOptions {
  /** Names the answer among those of the call, whatever the question's words. Default: named by its words. */
  readonly key?: string;
}

type Named = Readonly<Record<string, unknown>>;

/** What travels from one run of a call to the next. */
export interface CallRecord {
  /** Answers that the handler has had. */
  readonly answers: Named;
  /** Results of effects. */
  readonly once: Named;
  /** What the call ended with: answers to anything else are not kept. */
  readonly asked: readonly string[];
  /** Answers that came before the handler, running in another order, asked for them. */
  readonly early: Named;
  /** Who was asked, where that is known: nobody else's answers count. */
  readonly principal?: string | undefined;
}

export interface Inquiry {
  ask<T>(question: Question<T>): Promise<T>;
  /** Runs `effect` once in all runs of the call. */
  once(key: string, effect: () => unknown): Promise<unknown>;
  /** Whether questions wait for the end of the call to be asked. */
  readonly pending: boolean;
  /** Whether the call was given answers, in this run or an earlier one. */
  readonly answered: boolean;
  /** How long the call has waited for its client so far, in milliseconds. */
  waited(): number;
  /** Ends the call with its questions, once what is under way is recorded. */
  conclude(): Promise<InputRequired>;
}

/** The result of a call that has to ask first. */
export class InputRequired {
  readonly requests: Readonly<Record<string, InputRequest>>;
  readonly record: CallRecord;

  constructor(requests: Readonly<Record<string, InputRequest>>, record: CallRecord) {
    this.requests = requests;
    this.record = record;
  }
}

/**
 * Unwinds a handler whose question has yet to be asked, so that its `finally` blocks run. Not an error: let
 * it pass. Whatever is caught, the call ends with its questions.
 */
export class Suspension extends Error {
  override readonly name = "Suspension";
  constructor() {
    super("The call waits for an answer: let this pass.");
  }
}

/** The client cannot do what the call needs of it: thrown before anything happened. */
export class ClientCapabilityError extends MCPError {
  override readonly name = "ClientCapabilityError";
  /** What the client would have to declare (specification, "ClientCapabilities"). */
  readonly requiredCapabilities: Readonly<Record<string, object>>;

  constructor(requiredCapabilities: Readonly<Record<string, object>>, message: string) {
    super(message, { code: "CLIENT_CAPABILITY_REQUIRED", details: { requiredCapabilities } });
    this.requiredCapabilities = requiredCapabilities;
  }
}

/** The question, where the client can be asked. Of 2025-era clients without a session it is not known: then it is not they who lack it. */
export function askable<T>(makeQuestion: () => Question<T>, isKnown: boolean): Question<T> {
  try {
    return makeQuestion();
  } catch (error) {
    if (!(error instanceof ClientCapabilityError) || isKnown) throw error;
    throw new ClientCapabilityError(
      error.requiredCapabilities,
      `The client cannot be asked: before revision 2026-07-28 that needs a session, and this request has none.`,
    );
  }
}

/** What a client sent back with its answers is altered, foreign, for another call or too old. */
export class RequestStateError extends MCPError {
  override readonly name = "RequestStateError";
  constructor() {
    super('"requestState" is not one that this request was given, or is too old.', {
      code: "VALIDATION_ERROR",
    });
  }
}

/** The inquiry of a call that is run again for `principal`, with what it recorded. */
export function resumed(
  record: CallRecord | undefined,
  responses: Named,
  principal: string | undefined,
): ReplayInquiry {
  if (record && record.principal !== principal) throw new RequestStateError();
  return new ReplayInquiry(record, responses);
}

/** Answers recorded in earlier runs, and those that came with this one. */
export class ReplayInquiry implements Inquiry {
  readonly #recorded: CallRecord | undefined;
  readonly #responses: Named;
  readonly #answers: Record<string, unknown>;
  readonly #once: Record<string, unknown>;
  readonly #effects = new Map<string, Promise<unknown>>();
  readonly #pending = new Map<string, InputRequest>();
  /** Answers being checked and effects under way: none is to be lost with this run. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #names = new Map<string, number>();
  readonly #keys = new Set<string>();
  #concluded = false;

  constructor(record?: CallRecord, responses: Named = {}) {
    this.#recorded = record;
    this.#responses = responses;
    this.#answers = { ...record?.answers };
    this.#once = { ...record?.once };
  }

  get pending(): boolean {
    return this.#pending.size > 0;
  }

  get answered(): boolean {
    return Object.keys(this.#answers).length > 0;
  }

  waited(): number {
    return 0;
  }

  async ask<T>(question: Question<T>): Promise<T> {
    const key = question.key ?? this.#name(question);
    claim(this.#keys, key);
    const response = this.#response(key);
    const answer = response === undefined ? Promise.resolve(response) : this.#check(key, question, response);
    const answered = answer.then((value) => {
      if (value !== undefined) return value;
      // An unfit answer is asked for again, as a missing one is (specification, "Error Handling").
      this.#pending.set(key, question.request);
      throw new Suspension();
    });
    if (response === undefined) this.#pending.set(key, question.request);
    return answered;
  }

  async once(key: string, effect: () => unknown): Promise<unknown> {
    if (Object.hasOwn(this.#once, key)) return this.#once[key];
    let running = this.#effects.get(key);
    if (!running) {
      // What goes on after the call has ended would be done again by the next run.
      if (this.#concluded) throw new Suspension();
      running = this.#track(async () => (this.#once[key] = plainJson(await effect())));
      this.#effects.set(key, running);
      // What failed may be tried again.
      running.catch(() => this.#effects.delete(key));
    }
    return running;
  }

  async conclude(): Promise<InputRequired> {
    this.#concluded = true;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    return new InputRequired(Object.fromEntries(this.#pending), {
      answers: this.#answers,
      once: this.#once,
      asked: [...this.#pending.keys()],
      early: this.#early(),
    });
  }

  /** Questions alike are told apart by their order, others by their words: in any order, each gets its own answer. */
  #name({ wording, request: { method } }: Question<unknown>): string {
    const name = wording === undefined ? method.replace(/\W.*/, "") : `form_${fingerprint(wording)}`;
    const count = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, count);
    return count === 1 ? name : `${name}_${count}`;
  }

  #response(key: string): unknown {
    const { answers = {}, early = {} } = this.#recorded ?? {};
    const source = [answers, this.#responses, early].find((named) => Object.hasOwn(named, key));
    return source?.[key];
  }

  #early(): Named {
    const { asked = [], early = {} } = this.#recorded ?? {};
    const came = asked.flatMap((key) =>
      Object.hasOwn(this.#responses, key) ? [[key, this.#responses[key]] as const] : [],
    );
    const unused = [...Object.entries(early), ...came].filter(
      ([key]) => !Object.hasOwn(this.#answers, key) && !this.#pending.has(key),
    );
    return Object.fromEntries(unused);
  }

  #check<T>(key: string, { accept }: Question<T>, response: unknown): Promise<T | undefined> {
    return this.#track(async () => {
      const accepted = await accept(response);
      if (accepted !== undefined) this.#answers[key] = response;
      return accepted;
    });
  }

  async #track<T>(work: () => Promise<T>): Promise<T> {
    const running = work();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }
}

/** Questions as requests on a connection that stays. */
export class LiveInquiry implements Inquiry {
  readonly pending = false;
  readonly #request: (request: InputRequest) => Promise<unknown>;
  readonly #once = new Map<string, Promise<unknown>>();
  readonly #keys = new Set<string>();
  #answered = false;
  #open = 0;
  #opened = 0;
  #waited = 0;

  constructor(request: (request: InputRequest) => Promise<unknown>) {
    this.#request = request;
  }

  get answered(): boolean {
    return this.#answered;
  }

  waited(): number {
    return this.#open === 0 ? this.#waited : this.#waited + performance.now() - this.#opened;
  }

  async ask<T>({ key, request, accept }: Question<T>): Promise<T> {
    if (key !== undefined) claim(this.#keys, key);
    const accepted = await accept(await this.#wait(request));
    if (accepted === undefined)
      throw new MCPError("The client's answer does not fit what was asked.", { code: "INPUT_INVALID" });
    this.#answered = true;
    return accepted;
  }

  once(key: string, effect: () => unknown): Promise<unknown> {
    let result = this.#once.get(key);
    if (!result) {
      this.#once.set(key, (result = (async () => plainJson(await effect()))()));
      result.catch(() => this.#once.delete(key));
    }
    return result;
  }

  conclude(): Promise<InputRequired> {
    throw new Error("A question on a connection that stays is never pending.");
  }

  async #wait(request: InputRequest): Promise<unknown> {
    if (this.#open++ === 0) this.#opened = performance.now();
    try {
      return await this.#request(request);
    } finally {
      if (--this.#open === 0) this.#waited += performance.now() - this.#opened;
    }
  }
}

/** A key is one question's: a second question of that key would be given the answer to the first. */
function claim(taken: Set<string>, key: string): void {
  if (taken.has(key)) {
    throw new ConfigurationError(
      `Two questions of one call have the key ${JSON.stringify(key)}. Give each its own, or none.`,
    );
  }
  taken.add(key);
}

/** What an effect gave as every later run will see it: as JSON brings it back. */
function plainJson(value: unknown): unknown {
  return JSON.parse(toJsonText(value ?? null));
}

/** What an effect gave, the same in every run of its call; also where nothing records it. */
export async function recorded<T>(
  inquiry: Inquiry | undefined,
  key: string,
  effect: () => T | Promise<T>,
): Promise<AsJson<T>> {
  return (await (inquiry ? inquiry.once(key, effect) : plainJson(await effect()))) as AsJson<T>;
}

/** A short name for a text (cyrb53): equal for equal texts, and as good as never for others. */
function fingerprint(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    high = Math.imul(high ^ code, 2_654_435_761);
    low = Math.imul(low ^ code, 1_597_334_677);
  }
  high = Math.imul(high ^ (high >>> 16), 2_246_822_507) ^ Math.imul(low ^ (low >>> 13), 3_266_489_909);
  low = Math.imul(low ^ (low >>> 16), 2_246_822_507) ^ Math.imul(high ^ (high >>> 13), 3_266_489_909);
  return (4_294_967_296 * (2_097_151 & low) + (high >>> 0)).toString(36);
}
