/** A request of a fuzzing client. */

/** A session that a client has opened. */
export interface SessionMemory {
  readonly id: string;
  readonly version: string;
  /** Whether the client has begun to end it. */
  isLeft: boolean;
  /** Questions that the server asked and that wait for an answer. */
  readonly open: { readonly id: unknown; readonly method: string }[];
  readonly eventIds: string[];
}

export type Field = readonly [name: string, value: string];

export interface Case {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly Field[];
  readonly body: Buffer;
  /** The session it names. */
  readonly session: SessionMemory | undefined;
  /** Whether it has to be answered with a result: it is in order, and succeeds. */
  readonly sound: boolean;
}

/** What is sent before it is spoilt. */
export interface Draft {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly message?: unknown;
  readonly session?: SessionMemory | undefined;
  readonly succeeds: boolean;
  /** The headers for another message. */
  readonly mirroring?: (message: unknown) => Record<string, string>;
}
