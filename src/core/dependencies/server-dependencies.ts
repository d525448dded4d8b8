/** The dependencies that all calls of a server share, and what stands for others in tests. */

import { type Dependency, type Opened, type ServerContext, isDependency } from "./dependencies.ts";
import { ConfigurationError } from "../errors.ts";
import { shown } from "../options/known-options.ts";
import type { Logger } from "../ports.ts";
import { after, isPromise } from "../values/promises.ts";

/** How long one of them may take to close before the next one begins; in milliseconds. */
const CLOSE_WITHIN = 5_000;

type Opening = Opened<unknown> | Promise<Opened<unknown>>;

export class ServerDependencies {
  readonly #replacements = new Map<Dependency<unknown>, Dependency<unknown>>();
  readonly #parts: ServerDependencies[] = [];
  readonly #openings = new Map<Dependency<unknown>, Opening>();
  /** Those that are open, in the order in which they were. */
  readonly #open: Opened<unknown>[] = [];
  /** Clean-ups of calls, some of which have been answered. */
  readonly #underWay = new Set<Promise<unknown>>();
  #planned = false;
  #closed = false;

  /** From now on `replacement` stands for `dependency`, wherever that is injected but in the replacement itself. */
  replace(dependency: Dependency<unknown>, replacement: Dependency<unknown>): void {
    if (this.#planned)
      throw new ConfigurationError(
        "override() comes too late: the server has started. Call it before run(), fetch or node.",
      );
    for (const given of [dependency, replacement]) {
      if (!isDependency(given))
        throw new ConfigurationError(
          `override() takes two dependencies, and one is ${shown(given)}. Write override(database, dependency(() => …)).`,
        );
    }
    if (dependency.scope === "server" && replacement.scope !== "server") {
      throw new ConfigurationError(
        'override(): all calls share that dependency. Give its replacement scope: "server" too.',
      );
    }
    this.#replacements.set(dependency, replacement);
  }

  /** Takes over what stands for others on a server that is mounted. */
  adopt(part: ServerDependencies): void {
    this.#parts.push(part);
  }

  /** What stands for a dependency that is injected `inside` others. */
  actual(dependency: Dependency<unknown>, inside: readonly Dependency<unknown>[]): Dependency<unknown> {
    this.#planned = true;
    const replacement = this.#replacement(dependency);
    return replacement && !inside.includes(replacement) ? replacement : dependency;
  }

  #replacement(dependency: Dependency<unknown>): Dependency<unknown> | undefined {
    const own = this.#replacements.get(dependency);
    if (own || this.#parts.length === 0) return own;
    return this.#parts.map((part) => part.#replacement(dependency)).find((found) => found);
  }

  /** A dependency of the whole server: opened by the first that needs it, and again where that failed. */
  opened(dependency: Dependency<unknown>, logger: Logger): Opening {
    return this.#openings.get(dependency) ?? this.#begin(dependency, { logger }, []);
  }

  #begin(
    dependency: Dependency<unknown>,
    context: ServerContext,
    inside: readonly Dependency<unknown>[],
  ): Opening {
    if (this.#closed) throw new Error("The server has been closed, and opens nothing any more.");
    const names = Object.entries(dependency.inject);
    const injected: Record<string, unknown> = {};
    const fill = (from: number): unknown => {
      for (let at = from; at < names.length; at++) {
        const [name, named] = names[at] as (typeof names)[number];
        const inner = this.actual(named, [...inside, dependency]);
        const opening = this.#openings.get(inner) ?? this.#begin(inner, context, [...inside, dependency]);
        if (isPromise(opening))
          return opening.then(({ value }) => {
            injected[name] = value;
            return fill(at + 1);
          });
        injected[name] = opening.value;
      }
      return undefined;
    };
    const opening = after(
      after(fill(0), () => dependency.open(context as never, injected as never)),
      (opened) => {
        this.#openings.set(dependency, opened);
        this.#open.push(opened);
        return opened;
      },
    );
    if (isPromise(opening)) {
      this.#openings.set(dependency, opening);
      opening.catch(() => this.#openings.delete(dependency));
    }
    return opening;
  }

  /** Keeps the server from closing what `work` may need. */
  tracked<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work);
    const forget = () => void this.#underWay.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** Waits for the clean-ups of calls, and closes in reverse order what the server shares. */
  async close(logger: Logger): Promise<void> {
    await Promise.allSettled(this.#underWay);
    this.#closed = true;
    const openings = [...this.#openings.values()].map(async (opening) => opening);
    await within(CLOSE_WITHIN, Promise.allSettled(openings)).catch((error: unknown) =>
      logger.error({ err: error }, "A dependency of the server is still being opened"),
    );
    this.#openings.clear();
    for (const { close } of this.#open.splice(0).toReversed()) {
      try {
        await within(CLOSE_WITHIN, close?.(undefined));
      } catch (error) {
        logger.error({ err: error }, "A dependency of the server did not close well");
      }
    }
  }
}

async function within(milliseconds: number, work: unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`It is not done within ${milliseconds} ms.`)), milliseconds);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
