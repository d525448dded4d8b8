/** Handlers as they should not be, and what becomes of a call to each. */

/* oxlint-disable promise/no-multiple-resolved -- what is tried */
import { EventEmitter } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type RequestContext, ToolError } from "gantry-mcp";

/** What stands in everything that the handlers throw, and nowhere in an answer. */
export const CANARY = "CANARY-5a1e";

/** The time limit of every call, in milliseconds. */
export const TIME_LIMIT = 300;

/** How long the handler that blocks does so, in milliseconds. */
export const BLOCK = 2_000;

/** How the zoo is visited. */
export type Way = "modern" | "legacy" | "session" | "stdio";

export interface Kind {
  readonly name: string;
  /** What its caller is told. `none` where the call is answered with what came of it. */
  readonly told: "INTERNAL_ERROR" | "TIMEOUT" | "none" | "any";
  /** What it does as a handler. In a task after the answer there is no context. */
  readonly run: (ctx?: RequestContext, args?: Record<string, unknown>) => unknown;
  /** Whether what is wrong with it is what it returns. */
  readonly returns?: true;
  /** Whether something is thrown that nobody catches, which the process has to survive. */
  readonly uncaught?: true;
  /** Where it is not called. */
  readonly notOver?: readonly Way[];
}

const canary = (more = "") => new Error(`${CANARY} ${more}`);

function raise(error: unknown): never {
  throw error;
}

/** Fails, whatever is asked of it. */
const TRAPS = new Proxy({}, { get: () => () => raise(canary("trap")) });

const failing = (name: string, run: Kind["run"]): Kind => ({ name, told: "INTERNAL_ERROR", run });
const hanging = (name: string, run: Kind["run"]): Kind => ({ name, told: "TIMEOUT", run });
const fine = (name: string, run: Kind["run"]): Kind => ({ name, told: "none", run });
const late = (name: string, run: Kind["run"]): Kind => ({ name, told: "none", run, uncaught: true });
const unsendable = (name: string, run: Kind["run"]): Kind => ({
  name,
  told: "INTERNAL_ERROR",
  run,
  returns: true,
});
const sendable = (name: string, run: Kind["run"]): Kind => ({ name, told: "none", run, returns: true });

const THROWN: readonly Kind[] = [
  failing("throws", () => raise(canary())),
  failing("throws_text", () => raise(CANARY)),
  failing("throws_undefined", () => raise(undefined)),
  failing("throws_null", () => raise(null)),
  failing("throws_symbol", () => raise(Symbol(CANARY))),
  failing("throws_function", () => raise(() => CANARY)),
  failing("throws_proxy", () => raise(new Proxy(canary(), TRAPS))),
  failing("throws_revoked_proxy", () => raise(revoked())),
  failing("throws_frozen", () => raise(Object.freeze(canary()))),
  failing("throws_getters", () => raise(gettersThat(() => raise(canary("getter"))))),
  failing("throws_getters_that_throw_anything", () => raise(gettersThat(() => raise(Object.create(null))))),
  failing("throws_cycle_of_causes", () => {
    const error = canary();
    error.cause = Object.assign(canary("cause"), { cause: error });
    throw error;
  }),
  failing("throws_aggregate", () => raise(new AggregateError([canary(), CANARY], CANARY))),
  failing("throws_what_looks_like_ours", () =>
    raise({ code: "TOOL_ERROR", name: "ToolError", message: CANARY, retryable: false, toBody: () => CANARY }),
  ),
  failing("refuses_with_a_cycle", () => {
    const details: Record<string, unknown> = { CANARY };
    details["self"] = details;
    throw new ToolError(CANARY, { details });
  }),
  failing("refuses_with_getters", () =>
    raise(Object.defineProperty(new ToolError("No."), "message", { get: () => raise(canary()) })),
  ),
  failing("rejects", () => Promise.reject(canary())),
  failing("rejects_after_a_while", async () => {
    await sleep(5);
    throw canary();
  }),
  failing("rejects_with_undefined", () => Promise.reject(undefined)),
  failing("rejects_with_null", () => Promise.reject(null)),
  failing("rejects_with_a_proxy", () => Promise.reject(new Proxy(canary(), TRAPS))),
  failing("rejects_with_a_frozen_error", () => Promise.reject(Object.freeze(canary()))),
  failing("rejects_with_getters", () => Promise.reject(gettersThat(() => raise(canary("getter"))))),
  failing("recurses_without_end", function again(): unknown {
    return [again()];
  }),
  failing("rejects_where_it_recurses_without_end", async function again(): Promise<unknown> {
    return [await again()];
  }),
];

const PROMISED: readonly Kind[] = [
  fine(
    "settles_twice",
    () =>
      new Promise((resolve, reject) => {
        resolve("first");
        reject(canary());
        resolve(CANARY);
      }),
  ),
  failing(
    "fails_twice",
    () =>
      new Promise((resolve, reject) => {
        reject(canary("first"));
        resolve(CANARY);
        reject(canary("second"));
      }),
  ),
  fine("thenable_that_calls_both", () =>
    thenable((resolve, reject) => {
      resolve("first");
      reject(canary());
      resolve(CANARY);
    }),
  ),
  fine("thenable_that_calls_later", () => thenable((resolve) => void setTimeout(resolve, 5, "first"))),
  fine("thenable_of_a_promise", () => thenable((resolve) => resolve(Promise.resolve("first")))),
  fine("thenable_that_throws_afterwards", () =>
    thenable((resolve) => {
      resolve("first");
      throw canary();
    }),
  ),
  failing("thenable_that_throws", () => thenable(() => raise(canary()))),
  failing("thenable_that_rejects", () => thenable((_resolve, reject) => reject(canary()))),
  failing("then_is_a_getter_that_throws", () => ({
    // oxlint-disable-next-line unicorn/no-thenable -- what is tried
    get then() {
      return raise(canary());
    },
  })),
  hanging("thenable_that_never_calls", () => thenable(() => {})),
  hanging("never_settles", () => new Promise(() => {})),
  hanging("ignores_the_abort", async () => {
    await sleep(2 * TIME_LIMIT);
    return CANARY;
  }),
  hanging("rejects_after_its_time", async () => {
    await sleep(TIME_LIMIT + 100);
    throw canary("after its time");
  }),
  hanging(
    "waits_for_the_abort_and_rejects_with_anything",
    (ctx) =>
      new Promise((_resolve, reject) => ctx?.signal.addEventListener("abort", () => reject(revoked()))),
  ),
  {
    ...hanging("throws_in_a_listener_of_its_signal", (ctx) => {
      ctx?.signal.addEventListener("abort", () => raise(canary("listener")));
      return new Promise(() => {});
    }),
    uncaught: true,
  },
];

/** What goes wrong when the call has its answer. */
const LATE: readonly Kind[] = [
  late("throws_later", () => {
    setTimeout(() => raise(canary("timer")), 5);
    return "done";
  }),
  late("throws_undefined_later", () => {
    setTimeout(() => raise(undefined), 5);
    return "done";
  }),
  late("throws_proxy_later", () => {
    setTimeout(() => raise(new Proxy(canary(), TRAPS)), 5);
    return "done";
  }),
  late("throws_in_a_microtask", () => {
    queueMicrotask(() => raise(canary("microtask")));
    return "done";
  }),
  late("throws_in_the_next_tick", () => {
    process.nextTick(() => raise(canary("tick")));
    return "done";
  }),
  late("throws_in_an_event_that_nobody_handles", () => {
    setImmediate(() => new EventEmitter().emit("error", canary("event")));
    return "done";
  }),
  late("rejects_unseen", () => {
    void Promise.reject(canary("unseen"));
    return "done";
  }),
  late("rejects_unseen_later", () => {
    setTimeout(() => void Promise.reject(canary("unseen, later")), 5);
    return "done";
  }),
  late("rejects_unseen_with_anything", () => {
    void Promise.reject(undefined);
    void Promise.reject(new Proxy(canary(), TRAPS));
    void Promise.reject(gettersThat(() => raise(Object.create(null))));
    return "done";
  }),
  fine("is_handled_late", () => {
    const rejected = Promise.reject(canary("handled late"));
    setTimeout(() => void rejected.catch(() => {}), 5);
    return "done";
  }),
  fine("speaks_after_its_answer", (ctx) => {
    setTimeout(() => {
      ctx?.progress(1, 2, CANARY);
      ctx?.log("error", CANARY);
      void ctx?.roots();
      ctx?.releaseStream();
      void ctx?.once("effect", () => raise(canary("effect")));
    }, 5);
    return "done";
  }),
];

const ELSEWHERE: readonly Kind[] = [
  fine("mutates_what_it_is_given", (ctx, args = {}) => {
    for (const name of Object.keys(args)) delete args[name];
    Object.assign(args, { text: CANARY, extra: CANARY });
    for (const given of [ctx?.meta, ctx?.operation, ctx?.client, ctx?.clientInfo, ctx?.clientCapabilities])
      attempt(() => Object.assign(given ?? {}, { name: CANARY, clientId: CANARY, tags: [CANARY] }));
    return "done";
  }),
  fine("mutates_what_it_is_given_later", (_ctx, args = {}) => {
    setTimeout(() => Object.assign(args, { text: CANARY }), 5);
    return "done";
  }),
  fine("freezes_what_it_is_given", (_ctx, args) => {
    Object.freeze(args);
    return "done";
  }),
  fine("floods_progress", (ctx) => {
    for (let i = 0; i < 20_000; i++) ctx?.progress(i, 20_000, "x".repeat(100));
    return "done";
  }),
  fine("floods_messages", (ctx) => {
    for (let i = 0; i < 20_000; i++) ctx?.log("error", { line: "x".repeat(100) });
    return "done";
  }),
  fine("says_what_cannot_be_said", (ctx) => {
    ctx?.progress(Number.NaN, Infinity, "nothing");
    ctx?.log(
      "error",
      gettersThat(() => raise(canary("said"))),
    );
    ctx?.log("error", revoked());
    return "done";
  }),
  fine("warns_of_itself", () => {
    process.emitWarning(CANARY, { type: "DeprecationWarning", code: "ZOO" });
    return "done";
  }),
  fine("deletes_globals", () => {
    for (const name of ["structuredClone", "fetch", "WebAssembly", "setImmediate", "escape"])
      Reflect.deleteProperty(globalThis, name);
    return "done";
  }),
  {
    ...fine("writes_to_every_object", () => {
      const everywhere = Object.prototype as unknown as Record<string, unknown>;
      everywhere["inherited"] = CANARY;
      setTimeout(() => delete everywhere["inherited"], 50);
      return "done";
    }),
    // The SDK's schemas take what objects inherit for what was sent, and refuse it.
    notOver: ["session", "stdio"],
  },
  fine("spoils_stack_traces", () => {
    Error.prepareStackTrace = () => raise(canary("stack"));
    setTimeout(() => Reflect.deleteProperty(Error, "prepareStackTrace"), 50);
    return "done";
  }),
  fine("prints", () => {
    console.log(CANARY);
    process.stdout.write(`${CANARY}\n`);
    console.table([{ CANARY }]);
    return "done";
  }),
];

const RETURNED: readonly Kind[] = [
  unsendable("returns_a_cycle", () => {
    const value: Record<string, unknown> = { CANARY };
    value["self"] = [value];
    return value;
  }),
  unsendable("returns_a_function", () => ({ run: () => CANARY })),
  unsendable("returns_a_symbol", () => [Symbol(CANARY)]),
  unsendable("returns_promises", () => [Promise.resolve(CANARY)]),
  unsendable("returns_an_iterator_without_end", function* () {
    for (;;) yield CANARY;
  }),
  unsendable("returns_an_iterator_that_throws", function* () {
    yield raise(canary());
  }),
  unsendable("returns_an_async_iterator", async function* () {
    yield CANARY;
  }),
  unsendable("returns_what_is_too_deep", () => {
    let value: unknown = CANARY;
    for (let depth = 0; depth < 100_000; depth++) value = [value];
    return value;
  }),
  unsendable("returns_a_getter_that_throws", () => ({
    get value() {
      return raise(canary());
    },
  })),
  unsendable("returns_a_getter_that_throws_the_second_time", () => getterThatThrows(2)),
  { ...sendable("returns_a_getter_that_throws_the_third_time", () => getterThatThrows(3)), told: "any" },
  unsendable("returns_to_json_that_throws", () => ({ toJSON: () => raise(canary()) })),
  unsendable("returns_to_json_without_end", function again() {
    return { toJSON: again };
  }),
  unsendable("returns_a_revoked_proxy", () => revoked()),
  unsendable("returns_a_proxy_that_throws", () => new Proxy({}, TRAPS)),
  sendable("returns_a_bigint", () => ({ count: 2n ** 70n })),
  sendable("returns_an_error", () => canary()),
  sendable("returns_half_a_character", () => ({ text: "\ud800" })),
  sendable("returns_what_is_no_number", () => [Number.NaN, Infinity, -0]),
  sendable("returns_nothing_as_a_prototype", () => Object.assign(Object.create(null), { ["__proto__"]: 1 })),
  sendable("returns_much", () => "x".repeat(262_144)),
  sendable("returns_a_set_without_end", () =>
    Object.assign(new Set(["one"]), {
      *[Symbol.iterator]() {
        for (;;) yield CANARY;
      },
    }),
  ),
  sendable("returns_an_empty_array_of_great_length", () => ({ length: 2 ** 53, 0: "one" })),
];

/** Those that can be called all at once. */
export const KINDS: readonly Kind[] = [...THROWN, ...PROMISED, ...LATE, ...ELSEWHERE, ...RETURNED];

/** Keeps everybody waiting. */
export function block(): string {
  const end = performance.now() + BLOCK;
  while (performance.now() < end);
  return "done";
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function gettersThat(get: () => unknown): Error {
  const error = canary();
  // The stack first: to replace it, its text is made, of the name and the message.
  for (const name of ["stack", "name", "message", "cause", "code", "toJSON", "constructor"])
    Object.defineProperty(error, name, { get });
  return error;
}

function getterThatThrows(time: number): object {
  let asked = 0;
  return {
    get value() {
      return ++asked < time ? "fine" : raise(canary());
    },
  };
}

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void;

/** The least that `await` takes for a promise: `then` returns nothing. */
function thenable(then: Then): object {
  // oxlint-disable-next-line unicorn/no-thenable -- what is tried
  return Object.defineProperty({}, "then", { value: then });
}

function attempt(work: () => unknown): void {
  try {
    work();
  } catch {
    // What cannot be changed is safe.
  }
}
