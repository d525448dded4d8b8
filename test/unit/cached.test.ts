/** Functions whose results are kept. */

import { type CachedFunctionOptions, ConfigurationError, MCPServer, cached, memoryCache } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { expect, test } from "vitest";
import { z } from "zod";

/** A function that tells how often it has run. */
function counting(options: Partial<CachedFunctionOptions<[object?, unknown?]>> = {}) {
  const runs = { count: 0 };
  const fn = cached((_a?: object, _b?: unknown) => ({ run: ++runs.count, list: [1] }), {
    ttl: "5m",
    ...options,
  });
  return { fn, runs };
}

test("equal arguments run once, others run", async () => {
  const { fn } = counting();
  expect(await fn({ a: 1, b: [1, 2] }, "x")).toEqual({ run: 1, list: [1] });
  expect(await fn({ b: [1, 2], a: 1 }, "x")).toEqual({ run: 1, list: [1] });
  const others = [
    fn({ a: 1, b: [2, 1] }, "x"),
    fn({ a: 1, b: [1, 2] }),
    fn({ a: "1", b: [1, 2] }, "x"),
    fn(new Date(0)),
    fn(new Date(1)),
    fn(new Map([["a", 1]])),
    fn({ a: 0 }),
    fn({ a: -0 }),
    fn({ a: NaN }),
    fn({ a: null }),
    fn({ a: undefined }),
    fn({ a: 1n }),
    fn(new Uint8Array([1])),
    fn(new Set([1])),
    fn([1]),
  ];
  expect((await Promise.all(others)).map(({ run }) => run)).toEqual(others.map((_, index) => index + 2));
});

test("calls at the same time share one run, and nobody can spoil another's result", async () => {
  let runs = 0;
  const fn = cached(
    async (key: string) => {
      runs++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { key, list: [1, 2, 3] };
    },
    { ttl: "5m" },
  );
  const results = await Promise.all(Array.from({ length: 1_000 }, () => fn("a")));
  expect(runs).toBe(1);
  results[0]?.list.push(4);
  results[1]?.list.push(5);
  expect(await fn("a")).toEqual({ key: "a", list: [1, 2, 3] });
});

test("whoever runs the function does not get what it holds, either", async () => {
  const held = { list: [1] };
  const fn = cached(() => held, { ttl: "5m" });
  (await fn()).list.push(2);
  expect(held).toEqual({ list: [1] });
});

test("errors are not kept; nothing is a result", async () => {
  let runs = 0;
  const fn = cached(
    () => {
      if (++runs === 1) throw new Error("not yet");
    },
    { ttl: "5m" },
  );
  await expect(fn()).rejects.toThrow("not yet");
  expect([await fn(), await fn(), runs]).toEqual([undefined, undefined, 2]);
});

test("its time ends, and a tag of its store makes it old", async () => {
  let now = 0;
  const store = memoryCache({ now: () => now });
  const { fn } = counting({ ttl: 1_000, store, name: "f", tags: ["tasks"] });
  const { fn: other } = counting({ ttl: 1_000, store, name: "g" });
  expect([(await fn()).run, (await fn()).run, (await other()).run]).toEqual([1, 1, 1]);
  now += 1_000;
  expect((await fn()).run).toBe(2);
  await store.invalidate(["tasks"]);
  expect([(await fn()).run, (await fn()).run]).toEqual([3, 3]);
});

test("as a handler it keeps results for each caller by itself", async () => {
  let runs = 0;
  const search = cached(
    async ({ query }: { query: string }, ctx: unknown) => `${query} ${++runs} ${typeof ctx}`,
    {
      ttl: "5m",
    },
  );
  const server = new MCPServer({ name: "cached", version: "1.0.0" }).tool(
    "search",
    { description: "Search.", input: z.object({ query: z.string() }) },
    search,
  );
  const client = await TestClient.connect(server);
  expect(await client.call("search", { query: "a" })).toBe("a 1 object");
  expect(await client.call("search", { query: "a" })).toBe("a 1 object");
  expect(await client.call("search", { query: "b" })).toBe("b 2 object");
});

test("what is no plain data is told of, at the first call", async () => {
  const { fn, runs } = counting();
  await expect(fn(new URL("https://a.example"))).rejects.toThrow(
    "Write a key that gives what tells calls apart.",
  );
  expect(runs.count).toBe(0);
  const { fn: keyed } = counting({ key: (url) => (url as URL).href });
  expect((await keyed(new URL("https://a.example"))).run).toBe(1);
  expect((await keyed(new URL("https://b.example"))).run).toBe(2);
  const dates = cached(() => new Date(0), { ttl: "5m" });
  await expect(dates()).rejects.toThrow("the result is not plain data");
});

test.each<readonly [unknown, unknown, string]>([
  [undefined, { ttl: 1 }, "cached() takes a function and its options"],
  [() => 1, undefined, "cached() takes a function and its options"],
  [() => 1, {}, "cached(): ttl is undefined"],
  [() => 1, { ttl: 0 }, "cached(): ttl is 0, which keeps nothing"],
  [() => 1, { ttl: 1, key: "a" }, 'cached(): key is "a": write a function'],
  [() => 1, { ttl: 1, store: memoryCache() }, "Give this one a name"],
  [() => 1, { ttl: 1, staleWhileRevalidate: "1 h" }, 'cached(): staleWhileRevalidate is "1 h": write'],
  [() => 1, { ttl: 1, tags: ["a"] }, "Give it a store, or leave them out."],
  [() => 1, { ttl: 1, scope: "shared" }, 'cached(): unknown option "scope".'],
])("%o with %j is refused, with what to write", (fn, options, message) => {
  const make = () => cached(fn as () => number, options as CachedFunctionOptions<[]>);
  expect(make).toThrow(ConfigurationError);
  expect(make).toThrow(message);
});
