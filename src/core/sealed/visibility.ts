/** Lists that show each caller what it may use: pages are made once for each set of components that some caller sees. */

import type { ClientContext } from "../calls/client.ts";
import type { ComponentDefinition } from "../components/definitions.ts";
import type { ListKind } from "../calls/call.ts";
import type { RequestContext } from "../calls/context.ts";
import { List, type Page } from "./list.ts";
import type { Policy } from "../access/policy.ts";

/** How many sets are kept: callers with the same grants see the same, and there are few kinds of callers. */
const MOST_CLASSES = 256;

export class VisibleList {
  readonly #kind: ListKind;
  readonly #components: readonly (readonly [ComponentDefinition, Policy])[];
  readonly #pageSize: number;
  /** The lists by what is shown, one character for each component. */
  readonly #classes = new Map<string, List>();
  readonly #everything: List | undefined;

  /** @param policies - The policy of each component; without it all callers see all. */
  constructor(
    kind: ListKind,
    components: readonly ComponentDefinition[],
    pageSize: number,
    policies: ((component: ComponentDefinition) => Policy) | undefined,
  ) {
    this.#kind = kind;
    this.#pageSize = pageSize;
    this.#components = policies ? components.map((component) => [component, policies(component)]) : [];
    if (this.#components.every(([, { authenticated }]) => !authenticated))
      this.#everything = new List(kind, components, pageSize);
  }

  page(cursor: string | undefined, ctx: RequestContext): Page {
    return (this.#everything ?? this.#for(ctx.client)).page(cursor);
  }

  #for(client: ClientContext): List {
    const visible = this.#components.map(([{ kind }, policy]) => policy.shows(client, kind));
    const key = visible.map(Number).join("");
    let list = this.#classes.get(key);
    if (!list) {
      const shown = this.#components.filter((_, i) => visible[i]).map(([component]) => component);
      list = new List(this.#kind, shown, this.#pageSize);
      // The oldest goes first.
      for (const oldest of this.#classes.keys()) {
        if (this.#classes.size < MOST_CLASSES) break;
        this.#classes.delete(oldest);
      }
      this.#classes.set(key, list);
    }
    return list;
  }
}
