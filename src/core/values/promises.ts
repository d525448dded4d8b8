/** Staying synchronous where nothing waits: a promise costs more than most handlers. */

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}

/** What `next` makes of the value: now if it is there, later if it is promised. */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return isPromise(value) ? later(value, next) : next(value);
}

async function later<T, R>(value: Promise<T>, next: (value: T) => R | Promise<R>): Promise<R> {
  return next(await value);
}

/** What `fulfilled` or `rejected` makes of how `work` ends: now if it waits for nothing, later if it does. */
export function either<R>(
  work: () => unknown,
  fulfilled: (value: unknown) => R,
  rejected: (error: unknown) => R,
): R | Promise<R> {
  let result;
  try {
    result = work();
  } catch (error) {
    return rejected(error);
  }
  // A bare `then`, as queries of databases have, gives nothing that could be waited for.
  return isPromise(result) ? Promise.resolve(result).then(fulfilled, rejected) : fulfilled(result);
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** A promise that a handler may leave alone: a question that ends the call ends those who wait for others too. */
export function quietly<T>(work: () => Promise<T>): Promise<T> {
  const promise = work();
  promise.catch(() => {});
  return promise;
}
