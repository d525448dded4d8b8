/** A list in pages. Cursors name the last component given, so that they outlive re-sealing. */

import type { ComponentDefinition } from "../components/definitions.ts";
import type { ListKind } from "../calls/call.ts";
import { MCPError } from "../errors.ts";

/** One page of a list. The same page is the same object until the server is sealed again. */
export interface Page {
  readonly list: ListKind;
  readonly items: readonly object[];
  readonly nextCursor?: string;
}

export class List {
  readonly #kind: ListKind;
  readonly #components: readonly ComponentDefinition[];
  readonly #pageSize: number;
  /** Pages by the order after which they begin; at most one for each component. */
  readonly #pages = new Map<number, Page>();

  constructor(kind: ListKind, components: readonly ComponentDefinition[], pageSize: number) {
    this.#kind = kind;
    this.#components = components;
    this.#pageSize = pageSize;
  }

  /** The page after `cursor`, or the first. Throws on a cursor that this server did not give. */
  page(cursor: string | undefined): Page {
    const after = cursor === undefined ? 0 : decodeCursor(this.#kind, cursor);
    const start = this.#components.findIndex(({ order }) => order > after);
    // Cursors beyond the end, of components since removed, all lead to the one empty page.
    const begin = start < 0 ? Infinity : after;
    let page = this.#pages.get(begin);
    if (!page) {
      page = this.#make(start < 0 ? this.#components.length : start);
      if (this.#pages.size <= this.#components.length) this.#pages.set(begin, page);
    }
    return page;
  }

  #make(start: number): Page {
    const end = start + this.#pageSize;
    const components = this.#components.slice(start, end);
    const last = components.at(-1);
    return {
      list: this.#kind,
      items: components.map(({ item }) => item),
      ...(last && end < this.#components.length && { nextCursor: encodeCursor(this.#kind, last.order) }),
    };
  }
}

function encodeCursor(kind: ListKind, order: number): string {
  return btoa(`${kind}:${order}`).replaceAll("=", "");
}

function decodeCursor(kind: ListKind, cursor: string): number {
  let match: RegExpExecArray | null = null;
  try {
    match = new RegExp(`^${kind}:([1-9]\\d{0,8})$`).exec(atob(cursor));
  } catch {
    // Not base64: refused below like every other text.
  }
  if (!match || encodeCursor(kind, Number(match[1])) !== cursor) {
    throw new MCPError("Invalid cursor", {
      code: "VALIDATION_ERROR",
      suggestion: "Pass nextCursor of the previous page unchanged, or no cursor to begin again.",
    });
  }
  return Number(match[1]);
}
