/** Questions that the type checker answers. */

/** Whether `A` and `B` are the same type, to the letter: being assignable both ways is not enough. */
export type Same<A, B> =
  (<T>(value: T) => T extends A ? 1 : 2) extends <T>(value: T) => T extends B ? 1 : 2 ? true : false;

export type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles only where `T` is `true`. */
export function holds<T extends true>(...proof: [T] | []): T | undefined {
  return proof[0];
}

/** Gives a function that compiles only where its argument's type is exactly `T`. */
export function exactly<T>(): <V>(value: V, ...proof: Same<V, T> extends true ? [] : [never]) => void {
  return () => {};
}
