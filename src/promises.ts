/** Staying synchronous where nothing waits: a promise costs more than most handlers. */

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** `next` of the value, now if it is there and later if it is promised. */
export function then<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return isPromise(value) ? (value).then(next) : next(value);
}
