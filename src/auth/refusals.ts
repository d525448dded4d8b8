/** What is said of credentials that do not hold. The texts are the guide's where it has them. */

import { AuthenticationError, MCPError, type MCPErrorOptions, refusal } from "../core/errors.ts";

/** Why credentials do not hold. Every request gets an error of its own: its challenge is for it alone. */
export class Refused {
  readonly message: string;
  readonly suggestion: string | undefined;
  /** Whether the credentials may well be meant for another authenticator. */
  readonly foreign: boolean;

  constructor(message: string, suggestion?: string, foreign = false) {
    this.message = message;
    this.suggestion = suggestion;
    this.foreign = foreign;
  }

  toError(): AuthenticationError {
    const { message, suggestion } = this;
    const options: MCPErrorOptions = suggestion === undefined ? {} : { suggestion };
    const error = refusal(() => new AuthenticationError(message, options));
    if (this.foreign) foreign.add(error);
    return error;
  }
}

const foreign = new WeakSet<object>();

/** Whether `error` says no more than that the credentials are not of the authenticator's kind. */
export function isForeign(error: AuthenticationError): boolean {
  return foreign.has(error);
}

/** Who checks the credentials cannot be reached: nobody knows whether they hold, so this asks for no others. */
export function unavailable(cause: unknown): MCPError {
  return refusal(
    () =>
      new MCPError("Credentials cannot be verified at the moment", {
        code: "AUTHENTICATION_ERROR",
        retryable: true,
        suggestion: "Try again in a few seconds.",
        cause,
      }),
  );
}
