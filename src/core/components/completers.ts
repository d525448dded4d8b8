/** What is offered for arguments and variables while they are typed. */

import type { RequestContext } from "../calls/context.ts";
import { ConfigurationError } from "../errors.ts";

/** Values for an argument that is being typed: a fixed list, filtered by prefix, or a function. */
export type Completer =
  | readonly string[]
  | ((
      value: string,
      ctx: RequestContext,
      others: Readonly<Record<string, string>>,
    ) => readonly string[] | Promise<readonly string[]>);

/** Completers of the arguments or variables of these names. */
export type Completers<Name extends string> = [Name] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [N in Name]?: Completer };

/** Throws a {@link ConfigurationError} where one of `completers` is for a name that is not among `names`. */
export function checkCompleters(
  what: string,
  completers: object,
  noun: string,
  names: readonly string[] = [],
): void {
  const name = Object.keys(completers).find((each) => !names.includes(each));
  if (name === undefined) return;
  const known = names.length === 0 ? "It has none: leave it out" : `Write one of: ${names.join(", ")}`;
  throw new ConfigurationError(`${what} completes "${name}", which is not ${noun}. ${known}.`);
}
