/**
 * Asking the client's user, model or file system while a call runs. Where the client can be asked at once, a
 * question is a request. Where every request stands alone (2026-07-28), the call ends with its questions and
 * runs again with the answers: an answered question gives its recorded answer, the next one ends the call.
 */

import { MCPError } from "./errors.ts";

/** A request to the client, as it is written on the wire. */
export interface InputRequest {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params?: object;
}

/** A question with what makes an answer of the client's response: `undefined` where it is none. */
export interface Question<T> {
  /** Names the answer in the record; unique within the call. */
  readonly key: string | undefined;
  readonly request: InputRequest;
  readonly accept: (response: unknown) => T | undefined | Promise<T | undefined>;
}

/** What travels from one run of a call to the next. */
export interface CallRecord {
  readonly answers: Readonly<Record<string, unknown>>;
  readonly once: Readonly<Record<string, unknown>>;
}

export interface Inquiry {
  ask<T>(question: Question<T>): Promise<T>;
  /** Runs `effect` once in all runs of the call. */
  once(key: string, effect: () => unknown): Promise<unknown>;
  /** The questions that the call ended with, if any. */
  pending(): InputRequired | undefined;
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

/** Answers recorded in earlier runs, and those that came with this one. */
export class ReplayInquiry implements Inquiry {
  readonly #recorded: CallRecord;
  readonly #responses: Readonly<Record<string, unknown>>;
  readonly #answers: Record<string, unknown>;
  readonly #once: Record<string, unknown>;
  readonly #pending = new Map<string, InputRequest>();
  #asked = 0;

  constructor(
    recorded: CallRecord = { answers: {}, once: {} },
    responses: Readonly<Record<string, unknown>> = {},
  ) {
    this.#recorded = recorded;
    this.#responses = responses;
    this.#answers = { ...recorded.answers };
    this.#once = { ...recorded.once };
  }

  ask<T>({ key, request, accept }: Question<T>): Promise<T> {
    const answer = this.#answer(key ?? `input_${++this.#asked}`, request, accept);
    // A handler may leave its question unawaited; the call ends with it all the same.
    answer.catch(() => {});
    return answer;
  }

  async once(key: string, effect: () => unknown): Promise<unknown> {
    if (!Object.hasOwn(this.#once, key)) this.#once[key] = (await effect()) ?? null;
    return this.#once[key];
  }

  pending(): InputRequired | undefined {
    if (this.#pending.size === 0) return undefined;
    return new InputRequired(Object.fromEntries(this.#pending), { answers: this.#answers, once: this.#once });
  }

  async #answer<T>(key: string, request: InputRequest, accept: Question<T>["accept"]): Promise<T> {
    const { answers } = this.#recorded;
    const response = Object.hasOwn(answers, key)
      ? answers[key]
      : Object.hasOwn(this.#responses, key)
        ? this.#responses[key]
        : undefined;
    // A missing or unfit answer is asked for again, as a missing one is (specification, "Error Handling").
    if (response === undefined) this.#pending.set(key, request);
    const accepted = response === undefined ? undefined : await accept(response);
    if (accepted === undefined) {
      this.#pending.set(key, request);
      throw new Suspension();
    }
    this.#answers[key] = response;
    return accepted;
  }
}

/** Questions as requests on a connection that stays. */
export class LiveInquiry implements Inquiry {
  readonly #request: (request: InputRequest) => Promise<unknown>;
  readonly #once = new Map<string, Promise<unknown>>();

  constructor(request: (request: InputRequest) => Promise<unknown>) {
    this.#request = request;
  }

  async ask<T>({ request, accept }: Question<T>): Promise<T> {
    const accepted = await accept(await this.#request(request));
    if (accepted === undefined)
      throw new MCPError("The client's answer does not fit what was asked.", { code: "INPUT_INVALID" });
    return accepted;
  }

  once(key: string, effect: () => unknown): Promise<unknown> {
    let result = this.#once.get(key);
    if (!result) this.#once.set(key, (result = (async () => (await effect()) ?? null)()));
    return result;
  }

  pending(): undefined {
    return undefined;
  }
}
