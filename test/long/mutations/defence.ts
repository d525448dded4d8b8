/** What a defence is, as the proof knows it that each has a test. */

/** A place in the source that refuses, bounds or hides something, and how it is switched off. */
export interface Defence {
  /** What it stands for, in a few words. */
  readonly what: string;
  readonly file: string;
  /** The text that is replaced: it stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Filters of the tests of which one has to fail then. Default: the room's. */
  readonly tests?: readonly string[];
}

/** Defences that belong together. */
export interface Room {
  readonly name: string;
  readonly tests: readonly string[];
  readonly defences: readonly Defence[];
}
