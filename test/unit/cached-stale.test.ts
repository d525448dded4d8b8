/** Functions whose old results are given while new ones are made. */

import { type CachedFunctionOptions, MCPServer, type RequestContext, cached, memoryCache } from "gantry-mcp";
import { TestClient } from "gantry-mcp/testing";
import { afterEach, expect, test, vi } from "vitest";
import { capturedLog } from "../support/captured-log.ts";

const about = { description: "About it." };

afterEach(() => void vi.useRealTimers());

/** A function that tells how often it has run, a store whose time the test tells, and what is logged. */
function counting(
  run: (count: number) => unknown = (count) => count,
  options: Partial<CachedFunctionOptions<[]>> = {},
) {
  let now = 0;
  const log = capturedLog();
  const runs = { count: 0 };
  const store = memoryCache({ now: () => now });
  const logger = log.logger;
  const ages = { ttl: "1m", staleWhileRevalidate: "1h" } as const;
  const fn = cached(async () => run(++runs.count), { ...ages, store, name: "f", logger, ...options });
  return { fn, runs, store, entries: log.entries, advance: (time: number) => void (now += time) };
}

test("an old result is given while one new one is made behind it", async () => {
  const { fn, runs, advance } = counting();
  expect([await fn(), await fn()]).toEqual([1, 1]);
  advance(60_000);
  expect(await Promise.all([fn(), fn(), fn()])).toEqual([1, 1, 1]);
  // Whoever was given the old one goes on first.
  expect(runs.count).toBe(1);
  await vi.waitFor(async () => expect(await fn()).toBe(2));
  expect([await fn(), runs.count]).toEqual([2, 2]);
  advance(61 * 60_000);
  expect(await fn()).toBe(3);
});

test("without it, an old result is given to nobody", async () => {
  const { fn, advance } = counting(undefined, { staleWhileRevalidate: 0 });
  expect(await fn()).toBe(1);
  advance(60_000);
  expect(await fn()).toBe(2);
});

test("what fails behind it is told in the log alone, and tried again by the next call", async () => {
  const { fn, runs, entries, advance } = counting((count) => {
    if (count === 2) throw new Error("The bank is closed");
    return count;
  });
  await fn();
  advance(60_000);
  expect(await fn()).toBe(1);
  await vi.waitFor(() => expect(entries().length).toBe(1));
  expect(entries()[0]).toMatchObject({
    level: "error",
    message: "A kept result could not be made anew",
    function: "f",
    err: { message: "The bank is closed" },
  });
  expect([await fn(), runs.count]).toEqual([1, 2]);
  await vi.waitFor(async () => expect(await fn()).toBe(3));
});

test("where no logger was given, it is told on stderr", async () => {
  const lines: string[] = [];
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  const { fn, advance } = counting(
    (count) => {
      if (count > 1) throw new Error("The bank is closed");
    },
    { logger: undefined as never },
  );
  await fn();
  advance(60_000);
  await fn();
  await vi.waitFor(() => expect(lines.length).toBe(1));
  stderr.mockRestore();
  expect(lines[0]).toContain("A kept result could not be made anew");
});

test("what hangs behind it is given up after 30 s, and blocks nobody", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const { fn, entries, advance } = counting((count) => (count === 2 ? new Promise(() => {}) : count));
  await fn();
  advance(60_000);
  expect(await fn()).toBe(1);
  await vi.advanceTimersByTimeAsync(29_000);
  expect([await fn(), entries().length]).toEqual([1, 0]);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(entries()).toMatchObject([{ err: { message: "It was not done within 30000 ms." } }]);
  expect(await fn()).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(await fn()).toBe(3);
});

test("what changes while it is made is not in the result that is kept", async () => {
  let done = () => {};
  const { fn, runs, store, advance } = counting(
    (count) => (count === 2 ? new Promise((resolve) => (done = () => resolve("before"))) : count),
    { tags: ["rates"] },
  );
  await fn();
  advance(60_000);
  expect(await fn()).toBe(1);
  await vi.waitFor(() => expect(runs.count).toBe(2));
  await store.invalidate(["rates"]);
  done();
  expect(await fn()).toBe(3);
});

test("a new result is made for the caller, after the call, and a shutdown waits for it", async () => {
  let now = 0;
  const store = memoryCache({ now: () => now });
  const { logger, entries } = capturedLog();
  const made: string[] = [];
  let fail = false;
  const rates = cached(
    async (ctx: RequestContext) => {
      if (fail) throw new Error("The bank is closed");
      const { requestId, signal } = ctx;
      await new Promise((resolve) => setTimeout(resolve, made.length === 0 ? 0 : 30));
      ctx.background.add(() => void made.push(`${requestId} ${signal.aborted}`));
      return made.length;
    },
    { ttl: "1m", staleWhileRevalidate: "1h", store, name: "rates" },
  );
  const server = new MCPServer({ name: "bank", version: "1.0.0", logger }).tool(
    "rates",
    about,
    (_args, ctx) => rates(ctx),
  );
  const connect = (id: string) => TestClient.connect(server, { headers: { "x-request-id": id } });
  const [first, second, third] = [await connect("first"), await connect("second"), await connect("third")];
  expect(await first.call("rates")).toBe(0);
  await vi.waitFor(() => expect(made).toEqual(["first false"]));
  now += 60_000;
  fail = true;
  expect(await second.call("rates")).toBe(0);
  await vi.waitFor(() =>
    expect(entries()).toContainEqual(
      expect.objectContaining({
        message: "A kept result could not be made anew",
        requestId: "second",
        operation: "tool",
        name: "rates",
        function: "rates",
      }),
    ),
  );
  fail = false;
  expect(await third.call("rates")).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await server.close();
  expect(made).toEqual(["first false", "third false"]);
});
