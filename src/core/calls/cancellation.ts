/** How a call ends: before its time, or with its answer. */

/**
 * Why and whether a call has ended early: by disconnect, cancellation, timeout or shutdown. Costs nothing
 * until somebody asks for the signal, and never fires because a call succeeded.
 */
export class Cancellation {
  #controller: AbortController | undefined;
  #listeners: ((reason: unknown) => void)[] | undefined;
  #reason: unknown;
  #cancelled = false;
  #settled = false;
  #whole: Cancellation | undefined;
  #afterAnswer: (() => void)[] | undefined;

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Why, where it has been cancelled. */
  get reason(): unknown {
    return this.#reason;
  }

  get settled(): boolean {
    return this.#settled;
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
    part.#whole = this;
    this.onCancel((reason) => part.cancel(reason));
    return part;
  }

  /** Calls `listener` once the call is cancelled, after those that listen to its signal. Costs less than they do. */
  onCancel(listener: (reason: unknown) => void): void {
    if (this.#cancelled) listener(this.#reason);
    else (this.#listeners ??= []).push(listener);
  }

  cancel(reason: unknown): void {
    if (this.#cancelled || this.#settled) return;
    this.#cancelled = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
    for (const listener of this.#listeners ?? []) listener(reason);
  }

  /** Whether something waits for {@link answered}. */
  get awaited(): boolean {
    return this.#afterAnswer !== undefined;
  }

  /** Calls `begin` once the answer is sent; a part of a call is answered with the whole. */
  afterAnswer(begin: () => void): void {
    if (this.#whole) this.#whole.afterAnswer(begin);
    else (this.#afterAnswer ??= []).push(begin);
  }

  /** The answer is sent, or nobody is there any more to receive it. */
  answered(): void {
    for (const begin of this.#afterAnswer?.splice(0) ?? []) begin();
  }

  /** The call has its outcome: what happens from now on, such as that the client leaves, is not its business. */
  settle(): void {
    this.#settled = true;
    // What listened may be let go of before the response is.
    this.#listeners = undefined;
  }
}
