/** Dependencies as calls use them: opened in order, closed in reverse, whatever becomes of the call. */

import type { Cancellation } from "../calls/cancellation.ts";
import { type RequestContext, cancellationOf } from "../calls/context.ts";
import type { Dependencies, Dependency, Failure, Opened } from "./dependencies.ts";
import { Suspension } from "../dialogue/inquiry.ts";
import type { Logger } from "../ports.ts";
import { after, isPromise } from "../values/promises.ts";
import type { ServerDependencies } from "./server-dependencies.ts";
import type { Stages } from "../calls/stages.ts";
import { traceFields } from "../calls/trace.ts";

/** How long a handler, and what opens its dependencies, may go on once the call is cancelled; in milliseconds. */
const HANDLER_AFTER = 500;

/** How long a clean-up may go on once the call is cancelled, before the next one begins; in milliseconds. */
const CLEANUP_AFTER = 5_000;

/** One value that a call opens, after those that it is made of. */
interface Step {
  /** How the log calls it: the names by which it is reached. */
  readonly name: string;
  readonly dependency: Dependency<unknown>;
  readonly takes: readonly Place[];
}

/** A name, and the step whose value stands under it. */
type Place = readonly [name: string, step: number];

interface Plan {
  readonly steps: readonly Step[];
  readonly gives: readonly Place[];
}

/** What dependencies are opened with. */
export interface InjectionServices {
  readonly logger: Logger;
  readonly dependencies: ServerDependencies;
  readonly stages?: Stages | undefined;
}

/** `run` with what `inject` names in its context; `run` itself where that is nothing. Made once, at sealing. */
export function injecting<A>(
  inject: Dependencies,
  run: (args: A, ctx: RequestContext) => unknown,
  services: InjectionServices,
): (args: A, ctx: RequestContext) => unknown {
  const plan = planned(inject, services.dependencies);
  if (plan.gives.length === 0) return run;
  return (args, ctx) => new Injection(plan, ctx, services).around(() => run(args, ctx));
}

/** The order in which everything is opened. */
function planned(inject: Dependencies, dependencies: ServerDependencies): Plan {
  const steps: Step[] = [];
  const shared = new Map<Dependency<unknown>, number>();
  const placed = (
    names: Dependencies,
    path: string,
    inside: readonly Dependency<unknown>[],
  ): readonly Place[] =>
    Object.entries(names).map(([name, named]) => {
      const dependency = dependencies.actual(named, inside);
      const known = dependency.scope === "transient" ? undefined : shared.get(dependency);
      if (known !== undefined) return [name, known];
      // What the whole server shares opens what it takes itself.
      const inner = dependency.scope === "server" ? {} : dependency.inject;
      const takes = placed(inner, `${path}${name}.`, [...inside, dependency]);
      const place = steps.push({ name: path + name, dependency, takes }) - 1;
      shared.set(dependency, place);
      return [name, place];
    });
  return { gives: placed(inject, "", []), steps };
}

/** A value of a call that is to be closed. */
interface Lease {
  readonly name: string;
  readonly close: (failure: Failure | undefined) => void | Promise<void>;
}

const LATE = Symbol("late");

/** The dependencies of one call. */
class Injection {
  readonly #plan: Plan;
  readonly #ctx: RequestContext;
  readonly #services: InjectionServices;
  readonly #cancellation: Cancellation;
  readonly #values: unknown[] = [];
  readonly #leases: Lease[] = [];
  /** Ends the wait for what is waited for, where anything is. */
  #letGo: ((late: typeof LATE) => void) | undefined;
  /** How long it is waited for once the call is cancelled, in milliseconds. */
  #patience = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #watching = false;

  constructor(plan: Plan, ctx: RequestContext, services: InjectionServices) {
    this.#plan = plan;
    this.#ctx = ctx;
    this.#services = services;
    this.#cancellation = cancellationOf(ctx);
  }

  /** Opens everything, runs, and closes everything. Stays synchronous where nothing waits. */
  around(run: () => unknown): unknown {
    let result: unknown;
    try {
      result = after(this.#openAll(), () => this.#patiently(run(), HANDLER_AFTER));
    } catch (error) {
      if (this.#leases.length === 0) throw error;
      return this.#tracked(this.#ended({ error }));
    }
    if (!isPromise(result))
      return this.#leases.length === 0 ? result : this.#tracked(this.#ended(undefined, result));
    return this.#tracked(
      result.then(
        (value) => this.#ended(undefined, value),
        (error: unknown) => this.#ended({ error }),
      ),
    );
  }

  /** A call may be answered while its clean-ups go on. */
  #tracked(ending: unknown): unknown {
    return isPromise(ending) ? this.#services.dependencies.tracked(ending) : ending;
  }

  #openAll(): unknown {
    const { stages } = this.#services;
    return stages ? stages.within("dependencies", this.#ctx, () => this.#open(0)) : this.#open(0);
  }

  #open(from: number): void | Promise<void> {
    const { steps, gives } = this.#plan;
    for (let at = from; at < steps.length; at++) {
      const step = steps[at] as Step;
      const opened = this.#opened(step);
      if (isPromise(opened)) return this.#opening(opened, at);
      this.#take(opened, step);
    }
    for (const [name, at] of gives)
      (this.#ctx as unknown as Record<string, unknown>)[name] = this.#values[at];
  }

  #opened({ dependency, takes }: Step): Opened<unknown> | Promise<Opened<unknown>> {
    if (dependency.scope === "server") {
      const { dependencies, logger, stages } = this.#services;
      const open = () => dependencies.opened(dependency, logger);
      return stages ? stages.apart(open) : open();
    }
    const injected: Record<string, unknown> = {};
    for (const [name, at] of takes) injected[name] = this.#values[at];
    return dependency.open(this.#ctx as never, injected as never);
  }

  async #opening(opening: Promise<Opened<unknown>>, at: number): Promise<void> {
    const step = this.#plan.steps[at] as Step;
    const opened = await this.#patiently(opening, HANDLER_AFTER);
    if (opened === LATE) {
      this.#closeLate(opening, step);
      throw this.#cancellation.reason;
    }
    this.#take(opened as Opened<unknown>, step);
    if (this.#cancellation.cancelled) throw this.#cancellation.reason;
    return this.#open(at + 1);
  }

  #take({ value, close }: Opened<unknown>, { name, dependency: { scope } }: Step): void {
    this.#values.push(value);
    if (close && scope !== "server") this.#leases.push({ name, close });
  }

  /** What is opened after its call has ended is closed at once. */
  #closeLate(opening: Promise<Opened<unknown>>, { name, dependency: { scope } }: Step): void {
    if (scope === "server") return;
    const error: unknown = this.#cancellation.reason;
    const closed = opening.then(
      async ({ close }) => close?.({ error }),
      () => {},
    );
    const done = closed.catch((cause: unknown) => {
      if (cause !== error) this.#log(name, cause);
    });
    // What is never opened must not keep a server from its end.
    const given = new Promise<void>((resolve) => setTimeout(resolve, HANDLER_AFTER));
    void this.#tracked(Promise.race([done, given]));
  }

  /** Closes everything, each told the truth at its time; then gives the result, or throws what went wrong. */
  #ended(failure: Failure | undefined, result?: unknown): unknown {
    // A handler that was cancelled may fail with anything, and that is not why the call did.
    const known = this.#cancellation.cancelled ? this.#cutShort() : failure;
    return this.#close(this.#leases.length - 1, known, result);
  }

  #close(last: number, failure: Failure | undefined, result: unknown): unknown {
    let known = failure;
    for (let at = last; at >= 0; at--) {
      const { name, close } = this.#leases[at] as Lease;
      known ??= this.#cutShort();
      try {
        const closing = this.#patiently(close(known), CLEANUP_AFTER);
        if (isPromise(closing)) return this.#closing(closing, at, known, result);
      } catch (error) {
        known = this.#unclosed(name, known, error);
      }
    }
    this.#calm();
    known ??= this.#cutShort();
    if (known) throw known.error;
    return result;
  }

  async #closing(
    closing: Promise<unknown>,
    at: number,
    known: Failure | undefined,
    result: unknown,
  ): Promise<unknown> {
    const { name } = this.#leases[at] as Lease;
    let failure = known;
    try {
      const closed = await closing;
      if (closed === LATE) this.#log(name, new Error(`It is not done ${CLEANUP_AFTER} ms after the call.`));
    } catch (error) {
      failure = this.#unclosed(name, known, error);
    }
    return this.#close(at - 1, failure, result);
  }

  #unclosed(name: string, known: Failure | undefined, error: unknown): Failure {
    if (known && error !== known.error) this.#log(name, error);
    // What was to be done after a success and is not makes it none.
    return known ?? { error };
  }

  /** Whether the call has failed although its handler has not: it was cancelled, or has yet to ask its client. */
  #cutShort(): Failure | undefined {
    if (this.#cancellation.cancelled) return { error: this.#cancellation.reason };
    return this.#ctx.inquiry?.pending ? { error: new Suspension() } : undefined;
  }

  /** Waits for `work`; once the call is cancelled, for so many milliseconds more: then it is {@link LATE}. */
  #patiently(work: unknown, milliseconds: number): unknown {
    if (!isPromise(work)) return work;
    this.#calm();
    this.#patience = milliseconds;
    return new Promise((resolve, reject) => {
      this.#letGo = resolve;
      this.#watch();
      work.then(resolve, reject);
    });
  }

  #watch(): void {
    if (this.#cancellation.cancelled) return this.#hurry();
    if (this.#watching) return;
    this.#watching = true;
    this.#cancellation.onCancel(() => this.#hurry());
  }

  #hurry(): void {
    if (this.#letGo) this.#timer = setTimeout(this.#letGo, this.#patience, LATE);
  }

  /** Nothing is waited for. */
  #calm(): void {
    this.#letGo = undefined;
    clearTimeout(this.#timer);
  }

  #log(dependency: string, error: unknown): void {
    const { requestId, operation, trace } = this.#ctx;
    const call = { requestId, operation: operation.kind, name: operation.name, ...traceFields(trace) };
    this.#services.logger.error({ ...call, dependency, err: error }, "A dependency's clean-up failed");
  }
}
