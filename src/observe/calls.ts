/** Calls, counted: how many of what came to what, how long they took, how many are under way, and what happened on their way. */

import { type Pass, type PassingLayer, type PassiveLayer, pass } from "../core/calls/compose.ts";
import type { RequestContext } from "../core/calls/context.ts";
import { toldOf } from "../core/sealed/dispatch.ts";
import { ERROR_CODES } from "../core/errors.ts";
import { InputRequired, Suspension } from "../core/dialogue/inquiry.ts";
import type { Operation, OperationKind } from "../core/calls/operation.ts";
import { ToolResult } from "../core/results/result.ts";
import type { CallEvent, CallEventListener, Expect, Observer } from "../core/calls/observers.ts";
import { witnessed } from "../core/calls/time-limit.ts";
import { type Family, type Histogram, OTHER, type Registry, type Value } from "./registry.ts";

/** Boundaries of `mcp.server.operation.duration`, in seconds (OpenTelemetry, "MCP metrics"). */
export const DURATIONS: readonly number[] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

/** The label of what is not there: callers invent names, and metrics keep none of them. */
const UNKNOWN = "(unknown)";

/** The code of calls that ask their client before they go on. */
const ASKED = "INPUT_REQUIRED";

/** So many codes of authors' own are told apart. */
const MOST_CODES = 64;
const LONGEST_CODE = 64;

/** So many components of one kind are told apart, also where they come and go. */
const MOST_COMPONENTS = 2_000;

/** Is told how a call ended, besides the registry: under which labels it is counted, and with which error. */
export type Ended = (ctx: RequestContext, labels: EndLabels, seconds: number, error: unknown) => void;

export interface EndLabels {
  readonly component: string;
  readonly code: string;
}

interface CallFamilies {
  readonly calls: Family<Value>;
  readonly duration: Family<Histogram>;
  readonly inFlight: Family<Value>;
}

/** The series of one component. */
class Calls {
  readonly #families: CallFamilies;
  readonly #kind: OperationKind;
  readonly #component: string;
  readonly #duration: Histogram;
  readonly #inFlight: Value;
  readonly #byCode = new Map<string, Value>();
  readonly #ended: Ended | undefined;

  constructor(families: CallFamilies, kind: OperationKind, component: string, ended: Ended | undefined) {
    this.#families = families;
    this.#kind = kind;
    this.#component = component;
    this.#duration = families.duration.with(kind, component);
    this.#inFlight = families.inFlight.with(kind, component);
    this.#ended = ended;
  }

  begin(): void {
    this.#inFlight.value++;
  }

  /** @param started - On the clock of `performance.now()`. */
  end(ctx: RequestContext, code: string, started: number, error?: unknown): void {
    const seconds = (performance.now() - started) / 1_000;
    this.#inFlight.value--;
    this.#duration.observe(seconds);
    let counted = this.#byCode.get(code);
    if (!counted)
      this.#byCode.set(code, (counted = this.#families.calls.with(this.#kind, this.#component, code)));
    counted.value++;
    this.#ended?.(ctx, { component: this.#component, code }, seconds, error);
  }
}

/** Counts the calls of a server into `registry`. */
export function countingCalls(registry: Registry, ended?: Ended): Observer {
  const families: CallFamilies = {
    calls: registry.counter(
      "gantry_calls_total",
      "Operations that have ended, by what they came to: OK, INPUT_REQUIRED, or the code of the error.",
      "kind",
      "component",
      "code",
    ),
    duration: registry.histogram(
      "mcp_server_operation_duration_seconds",
      "How long operations took, whatever they came to.",
      DURATIONS,
      "kind",
      "component",
    ),
    inFlight: registry.gauge("gantry_calls_in_flight", "Operations under way.", "kind", "component"),
  };
  const known = new Map<OperationKind, Map<string, Calls>>();
  const codes = codeLabels();
  const callsOf = (operation: Operation): Calls => {
    const { kind } = operation;
    let components = known.get(kind);
    if (!components) known.set(kind, (components = new Map<string, Calls>()));
    const component = componentOf(operation);
    const calls = components.get(component);
    if (calls) return calls;
    const label = components.size < MOST_COMPONENTS ? component : OTHER;
    const made = components.get(label) ?? new Calls(families, kind, label, ended);
    components.set(label, made);
    return made;
  };

  const enter: Pass = (ctx, rest) => {
    const calls = callsOf(ctx.operation);
    const started = performance.now();
    calls.begin();
    const end = (code: string, error?: unknown) => calls.end(ctx, code, started, error);
    return witnessed(
      ctx,
      rest,
      (result) => end(success(result)),
      (error) => (error instanceof Suspension ? end(ASKED) : end(codes(toldOf(error, ctx).code), error)),
    );
  };
  const layer: PassiveLayer & PassingLayer = {
    name: "metrics",
    passive: true,
    handle: enter,
    [pass]: enter,
  };
  const { onCallEvent, begin } = countingEvents(registry);
  const expect: Expect = (operation, expected) => {
    const { kind, access } = operation;
    if (!registry.isRoomy) return;
    const isBroken = expected.some((event) => event.kind === "circuit");
    for (const code of [
      ...EXPECTED,
      ...(kind === "tool" ? EXPECTED_OF_TOOLS : []),
      ...(isBroken ? ["CIRCUIT_OPEN"] : []),
      ...(access === "public" ? [] : REFUSED),
    ])
      families.calls.with(kind, componentOf(operation), code);
    const missing = NOT_FOUND.get(kind);
    if (missing !== undefined) families.calls.with(kind, UNKNOWN, missing);
    for (const event of expected) begin(operation, event);
  };
  return { layer, onCallEvent, expect };
}

// Prometheus sees a counter grow from its second value on: what an operator is told of begins at 0, not with its first burst.

const EXPECTED = ["OK", "INTERNAL_ERROR", "TIMEOUT"];
const EXPECTED_OF_TOOLS = ["TOOL_ERROR", "VALIDATION_ERROR"];
const REFUSED = ["AUTHENTICATION_ERROR", "ACCESS_DENIED"];
const NOT_FOUND: ReadonlyMap<OperationKind, string> = new Map([
  ["tool", "TOOL_NOT_FOUND"],
  ["resource", "RESOURCE_NOT_FOUND"],
  ["prompt", "PROMPT_NOT_FOUND"],
]);

/** What happens on the way of calls. */
function countingEvents(registry: Registry): {
  readonly onCallEvent: CallEventListener;
  readonly begin: Expected;
} {
  const cached = registry.counter(
    "gantry_cache_results_total",
    "Results of components with a cache, by where they came from: hit, miss, stale, or shared with a call under way.",
    "kind",
    "component",
    "outcome",
  );
  const idempotent = registry.counter(
    "gantry_idempotent_calls_total",
    "Calls of idempotent tools: first ones, which run, and replayed ones, which are given the result of the first.",
    "component",
    "outcome",
  );
  const limited = registry.counter(
    "gantry_limit_decisions_total",
    "What limits of rate and concurrency decided.",
    "limit",
    "kind",
    "component",
    "outcome",
  );
  const opened = registry.counter(
    "gantry_circuit_opened_total",
    "How often circuit breakers have opened.",
    "circuit",
  );
  const circuits = registry.gauge(
    "gantry_circuit_open",
    "State of circuit breakers: 1 open, 0.5 half-open, 0 closed.",
    "circuit",
  );
  /** When circuits that are open become half-open, on the clock of `performance.now()`. */
  const until = new Map<string, number>();
  registry.onRead(() => {
    for (const [circuit, at] of until) circuits.with(circuit).value = performance.now() < at ? 1 : 0.5;
  });
  const begin: Expected = (operation, event) => {
    const component = componentOf(operation);
    switch (event.kind) {
      case "cache":
        return cached.with(operation.kind, component, event.outcome);
      case "idempotency":
        return idempotent.with(component, event.outcome);
      case "limit":
        return limited.with(event.limit, operation.kind, component, event.outcome);
      case "circuit":
        circuits.with(circuitOf(event));
        return opened.with(circuitOf(event));
    }
  };
  const onCallEvent: CallEventListener = ({ operation }, event) => {
    if (event.kind !== "circuit") {
      begin(operation, event).value++;
      return;
    }
    const circuit = circuitOf(event);
    if (event.state === "open") opened.with(circuit).value++;
    if (event.state === "closed") {
      until.delete(circuit);
      circuits.with(circuit).value = 0;
    } else until.set(circuit, performance.now() + event.recovery);
  };
  return { onCallEvent, begin };
}

/** Gives the counter of an event, which begins at 0. */
type Expected = (operation: Operation, event: CallEvent) => Value;

const circuitOf = ({ circuit }: Extract<CallEvent, { kind: "circuit" }>) =>
  circuit === "" ? "shared" : circuit;

/** What a call is counted under, whatever its caller wrote: the component, or which of the server's own operations it is. */
function componentOf({ kind, name, component }: Operation): string {
  if (component !== undefined) return component;
  return kind === "list" || kind === "discover" || kind === "subscription" ? name : UNKNOWN;
}

function success(result: unknown): string {
  if (result instanceof InputRequired) return ASKED;
  return result instanceof ToolResult && result.isError ? "TOOL_ERROR" : "OK";
}

/** Gives codes that authors make up a label each, as long as they are few and short. */
function codeLabels(): (code: string) => string {
  const own = new Set<string>();
  return (code) => {
    if (Object.hasOwn(ERROR_CODES, code) || own.has(code)) return code;
    if (own.size >= MOST_CODES || code.length > LONGEST_CODE) return OTHER;
    own.add(code);
    return code;
  };
}
