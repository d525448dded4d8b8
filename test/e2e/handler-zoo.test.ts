/** Whatever handlers, dependencies and tasks do, callers are answered in time, learn nothing of it, and the server stays. */

import { describe, expect, test } from "vitest";
import { visit } from "../reliability/zoo/visit.ts";

describe("86 ways to misbehave", () => {
  test("as tools, resources, prompts, layers, completers, dependencies and tasks, over HTTP", async () => {
    const { calls, kinds, latestMs: _latest, logged, ...report } = await visit("modern");
    expect(report).toEqual({ wrong: [], leaked: [], late: [], alive: true, exit: 0 });
    expect(kinds).toBe(86);
    expect(calls).toBeGreaterThan(1_600);
    // One entry for each that failed, and none that could not be written.
    expect(logged.unexpected).toBeGreaterThan(300);
    expect(logged.uncaught).toBeGreaterThan(80);
  }, 180_000);

  test.each(["legacy", "session", "stdio"] as const)(
    "as tools over %s",
    async (way) => {
      const {
        latestMs: _latest,
        logged,
        calls: _calls,
        kinds: _kinds,
        ...report
      } = await visit(way, ["tool"]);
      expect(report).toEqual({ wrong: [], leaked: [], late: [], alive: true, exit: 0 });
      expect(logged.uncaught).toBeGreaterThan(8);
    },
    180_000,
  );
});
