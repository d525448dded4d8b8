/** What can be asked of a server. */

/** The kinds of operation. `list` and `discover` concern the server itself. */
export type OperationKind =
  | "tool"
  | "resource"
  | "prompt"
  | "completion"
  | "list"
  | "discover"
  | "subscription";

/** The kinds as messages name them. */
export const NOUNS: Readonly<Record<OperationKind, string>> = {
  tool: "Tool",
  resource: "Resource",
  prompt: "Prompt",
  completion: "Completion",
  list: "List",
  discover: "Discovery",
  subscription: "Subscription",
};

/** The kinds that may ask their client, in every revision as in 2026-07-28 ("Supported Requests"). */
export const MAY_ASK: ReadonlySet<OperationKind> = new Set(["tool", "prompt", "resource"]);

/** The operation a context belongs to. */
export interface Operation {
  readonly kind: OperationKind;
  /** The tool's or prompt's name, the resource's URI as asked for, the list's kind, or `discover`. */
  readonly name: string;
  /** The name, URI or template under which its component is registered; `undefined` where there is none. */
  readonly component: string | undefined;
  /** The tags of the component, where it has any. */
  readonly tags: readonly string[];
  /** Whether its callers must be known. */
  readonly access: "public" | "authenticated";
  /** The scopes that its callers need. */
  readonly scopes: readonly string[];
}
