import { ConfigurationError } from "../errors.ts";

/** Milliseconds, or a number with a unit: `"250ms"`, `"30s"`, `"5m"`, `"1h"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h"}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

/** The longest delay a timer can hold (2³¹ − 1 ms, nearly 25 days). */
const LONGEST = 2_147_483_647;

/** A duration in milliseconds. Throws a {@link ConfigurationError} that names `what` where it is none. */
export function milliseconds(duration: Duration, what: string): number {
  const match = typeof duration === "string" ? /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration) : undefined;
  const value = match ? Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] : duration;
  if (typeof value !== "number" || !(value >= 0 && value <= LONGEST)) {
    throw new ConfigurationError(
      `${what} is ${typeof duration === "string" ? JSON.stringify(duration) : duration}: write milliseconds or a string such as "250ms", "30s", "5m", "1h" (at most 24 days).`,
    );
  }
  return value;
}

/** A limit of time in milliseconds: any duration but none, in which nothing would get done. */
export function timeLimit(duration: Duration, what: string): number {
  const value = milliseconds(duration, what);
  if (value > 0) return value;
  throw new ConfigurationError(
    `${what} is ${JSON.stringify(duration)}: nothing gets done in no time. Write how long it may take, such as "30s".`,
  );
}
