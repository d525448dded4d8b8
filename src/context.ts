/** What an operation asked of the server looks like, and what its handler and middleware see of it. */

/** The kinds of operation. `list` and `discover` concern the server itself. */
export type OperationKind = "tool" | "resource" | "prompt" | "completion" | "list" | "discover";

/** The four lists. */
export type ListKind = "tools" | "resources" | "templates" | "prompts";

/** Who the client says it is. Self-reported: for display and logs, never for decisions. */
export interface ClientInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
}

/** What the envelope of a request tells, whatever revision it was written in. */
export interface CallEnvelope {
  /** The id under which the call is logged; from `X-Request-ID`, or made. */
  readonly requestId: string;
  /** The protocol revision the client speaks. */
  readonly protocolVersion: string;
  readonly clientInfo?: ClientInfo | undefined;
  readonly clientCapabilities?: Readonly<Record<string, unknown>> | undefined;
  /** The request's `_meta`. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
  readonly cancellation: Cancellation;
}

/** What is asked. */
export type Ask =
  | { readonly kind: "tool"; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: "prompt"; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly kind: "resource"; readonly name: string }
  | {
      readonly kind: "completion";
      readonly ref: { readonly prompt: string } | { readonly template: string };
      /** The argument's name and what the user has typed of it. */
      readonly argument: { readonly name: string; readonly value: string };
      /** The other arguments, as far as the user has given them. */
      readonly context: Readonly<Record<string, string>>;
    }
  | { readonly kind: "list"; readonly list: ListKind; readonly cursor: string | undefined }
  | { readonly kind: "discover" };

/** An operation asked of the server, free of any protocol revision. */
export interface Call {
  readonly ask: Ask;
  readonly envelope: CallEnvelope;
}

/**
 * Why and whether a call has ended early: by disconnect, cancellation, timeout or shutdown. Costs nothing
 * until somebody asks for the signal, and never fires because a call succeeded.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #reason: unknown;
  #cancelled = false;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** A cancellation of its own for a part of the call: the whole cancels the part, not the reverse. */
  fork(): Cancellation {
    const part = new Cancellation();
    this.signal.addEventListener("abort", () => part.cancel(this.#reason), { once: true });
    if (this.#cancelled) part.cancel(this.#reason);
    return part;
  }

  cancel(reason: unknown): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/** The operation a context belongs to. */
export interface Operation {
  readonly kind: OperationKind;
  /** The tool's or prompt's name, the resource's URI as asked for, the list's kind, or `discover`. */
  readonly name: string;
  /** The tags of the component, where it has any. */
  readonly tags: readonly string[];
}

/**
 * What handlers and middleware know about the request they serve.
 *
 * @example
 * ```ts
 * server.tool("export", { description: "Export all tasks." }, async (_args, { signal, requestId }) =>
 *   fetch(`${storage}/export`, { signal, headers: { "x-request-id": requestId } }).then((answer) => answer.json()));
 * ```
 */
export class RequestContext {
  readonly operation: Operation;
  readonly #envelope: CallEnvelope;

  /** @internal */
  constructor(operation: Operation, envelope: CallEnvelope) {
    this.operation = operation;
    this.#envelope = envelope;
  }

  /** Identifies the request in logs, errors and the `X-Request-ID` response header. */
  get requestId(): string {
    return this.#envelope.requestId;
  }

  /** Fires when the client goes away or cancels, at the time limit, and at shutdown. Never on success. */
  get signal(): AbortSignal {
    return this.#envelope.cancellation.signal;
  }

  /** The protocol revision the client speaks, such as `2026-07-28`. */
  get protocolVersion(): string {
    return this.#envelope.protocolVersion;
  }

  /** Who the client says it is, where it says so. Not verified. */
  get clientInfo(): ClientInfo | undefined {
    return this.#envelope.clientInfo;
  }

  /** What the client declared that it can do, where it declared anything with this request. */
  get clientCapabilities(): Readonly<Record<string, unknown>> {
    return this.#envelope.clientCapabilities ?? {};
  }

  /** The request's `_meta`. */
  get meta(): Readonly<Record<string, unknown>> {
    return this.#envelope.meta ?? {};
  }

  /** @internal */
  cancel(reason: unknown): void {
    this.#envelope.cancellation.cancel(reason);
  }
}
