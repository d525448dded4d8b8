import { describe, expect, test } from "vitest";
import type { ComponentDefinition } from "../../../../src/core/components/definitions.ts";
import type { ListKind } from "../../../../src/core/calls/call.ts";
import { List } from "../../../../src/core/sealed/list.ts";

/** Components with these places in the order of registration. */
function components(...orders: readonly number[]): ComponentDefinition[] {
  return orders.map((order) => ({ order, item: { name: `c${order}` } })) as unknown as ComponentDefinition[];
}

const names = (items: readonly object[]) => items.map((item) => (item as { name: string }).name);

/** Walks a list page after page; `between` gives the list as it is for the next page. */
function walk(list: List, between: (page: number) => List = () => list): string[][] {
  const pages: string[][] = [];
  let cursor: string | undefined;
  let current = list;
  do {
    const page = current.page(cursor);
    pages.push(names(page.items));
    cursor = page.nextCursor;
    current = between(pages.length);
  } while (cursor !== undefined);
  return pages;
}

const make = (orders: readonly number[], size = 2, kind: ListKind = "tools") =>
  new List(kind, components(...orders), size);

describe("a list", () => {
  test("comes in pages, in order", () => {
    expect(walk(make([1, 2, 3, 4, 5]))).toEqual([["c1", "c2"], ["c3", "c4"], ["c5"]]);
    expect(walk(make([1, 2, 3, 4]))).toEqual([
      ["c1", "c2"],
      ["c3", "c4"],
    ]);
    expect(walk(make([1, 2, 3], 1_000))).toEqual([["c1", "c2", "c3"]]);
    expect(walk(make([]))).toEqual([[]]);
  });

  test("has the same page for the same cursor until it is made anew", () => {
    const list = make([1, 2, 3]);
    const { nextCursor } = list.page(undefined);
    expect(list.page(undefined)).toBe(list.page(undefined));
    expect(list.page(nextCursor)).toBe(list.page(nextCursor));
  });

  test("goes on where it was when components come and go between pages", () => {
    expect(walk(make([1, 2, 3, 4]), () => make([1, 3, 4]))).toEqual([
      ["c1", "c2"],
      ["c3", "c4"],
    ]);
    expect(walk(make([1, 2, 3, 4]), () => make([3, 4, 5]))).toEqual([["c1", "c2"], ["c3", "c4"], ["c5"]]);
    expect(walk(make([1, 2, 3]), () => make([1]))).toEqual([["c1", "c2"], []]);
  });

  test("refuses cursors that it did not give", () => {
    const list = make([1, 2, 3, 4, 5]);
    const cursor = list.page(undefined).nextCursor ?? "";
    const wrong = [
      "",
      " ",
      "0",
      "2",
      btoa("tools:0"),
      btoa("tools:-1"),
      btoa("tools:01"),
      btoa("tools: 2"),
      btoa("tools:2 "),
      btoa("tools:1e3"),
      btoa("tools:9999999999"),
      btoa("prompts:2").replaceAll("=", ""),
      btoa("TOOLS:2"),
      `${cursor}=`,
      `${cursor} `,
      cursor.toLowerCase(),
      cursor.slice(1),
      `${cursor}${cursor}`,
      "é",
      "🎉",
      "\u0000",
      "a".repeat(100_000),
    ];
    for (const text of wrong) expect(() => list.page(text)).toThrow("Invalid cursor");
    expect(() => make([1, 2, 3], 2, "prompts").page(cursor)).toThrow("Invalid cursor");
  });

  test("takes any cursor of its own form without growing", () => {
    const list = make([1, 2, 3, 4, 5]);
    for (let order = 1; order < 5_000; order++) list.page(btoa(`tools:${order}`).replaceAll("=", ""));
    expect(names(list.page(btoa("tools:4999").replaceAll("=", "")).items)).toEqual([]);
    expect(walk(list)).toEqual([["c1", "c2"], ["c3", "c4"], ["c5"]]);
  });
});
