/** A server as it serves: every operation made ready, and what is told of the server. */

import type { CompletionAsk, ListKind } from "../calls/call.ts";
import type { Run } from "../calls/compose.ts";
import type { Operation } from "../calls/operation.ts";
import type { ParamHeader } from "../components/param-headers.ts";
import type { Policy } from "../access/policy.ts";
import type { UriTemplate } from "../schemas/uri-template.ts";

/** An operation made ready: who it is, and its composed onion. */
export interface SealedOperation<A = Readonly<Record<string, unknown>>> {
  readonly operation: Operation;
  readonly run: Run<A>;
  /** Tells whether a caller gets in at all, whatever the arguments; of components whose callers are identified. */
  readonly admission?: Run<undefined> | undefined;
}

/** A resource, which may also be followed by those who may read it. */
export interface SealedResource extends SealedOperation {
  readonly policy: Policy;
}

export interface SealedTemplate extends SealedResource {
  readonly match: UriTemplate["match"];
}

/** What the server is (specification, "Implementation"). */
export interface ServerInfo {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly websiteUrl?: string;
  readonly icons?: readonly object[];
}

/** What is told of the server, and nothing else of its options. */
export function serverInfo({ name, version, title, description, websiteUrl, icons }: ServerInfo): ServerInfo {
  return {
    name,
    version,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(websiteUrl !== undefined && { websiteUrl }),
    ...(icons !== undefined && { icons }),
  };
}

export interface Sealed {
  readonly info: ServerInfo;
  readonly instructions: string | undefined;
  readonly capabilities: Readonly<Record<string, object>>;
  readonly tools: ReadonlyMap<string, SealedOperation>;
  readonly resources: ReadonlyMap<string, SealedResource>;
  readonly templates: readonly SealedTemplate[];
  readonly prompts: ReadonlyMap<string, SealedOperation>;
  readonly completions: ReadonlyMap<string, SealedOperation<CompletionAsk>>;
  readonly lists: Readonly<Record<ListKind, SealedOperation<string | undefined>>>;
  readonly discover: SealedOperation<undefined>;
  readonly subscribe: SealedOperation<object>;
  /** What is no component's and no operation at all, such as a ping: who gets in, where callers are identified. */
  readonly admission: SealedOperation<undefined> | undefined;
  /** Whether what declares nothing is for known callers alone. */
  readonly isPrivate: boolean;
  /** The onions of names that are not there: a refusal is seen by the same middleware as a result. */
  readonly unknown: Readonly<Record<"tool" | "resource" | "prompt", Run<unknown>>>;
  readonly unknownCompletion: Run<CompletionAsk>;
  /** Tools whose output is no object: 2025-era clients get it wrapped as `{ result }`. */
  readonly wrapped: ReadonlySet<string>;
  /** Parameters that headers mirror, of the tools that have any. */
  readonly paramHeaders: ReadonlyMap<string, readonly ParamHeader[]>;
  /** How lists and discovery may be cached, as members of the modern result. */
  readonly listHint: string;
  /** Whether middleware may have had its hands on results. */
  readonly hasMiddleware: boolean;
}
