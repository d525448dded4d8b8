/** What the official referee says of the fixture, scenario by scenario. There is no list of expected failures. */

import { TestClient } from "gantry-mcp/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { listen } from "../support/listening.ts";
import { conformanceServer } from "./fixture.ts";
import { type Check, judge, refereeNode } from "./referee.ts";
import { SUITES, WAITING } from "./scenarios.ts";

/** A run takes a few seconds; a busy machine, and one that has to fetch a Node first, may take minutes. */
const LONGEST_RUN = 300_000;

const waiting: readonly string[] = Object.values(WAITING).flat();

let node: string;

beforeAll(async () => {
  node = await refereeNode();
}, LONGEST_RUN);

describe.each(SUITES.map((suite) => ({ title: `${suite.referee} ${suite.options.join(" ")}`, ...suite })))(
  "$title",
  ({ referee, options, scenarios }) => {
    let results: ReadonlyMap<string, readonly Check[]>;

    beforeAll(async () => {
      const server = await listen(conformanceServer());
      try {
        results = await judge(node, referee, server.url, options);
      } finally {
        await server.close();
      }
    }, LONGEST_RUN);

    test("runs the scenarios that are listed, and no others", () => {
      expect([...results.keys()].toSorted()).toEqual([...scenarios].toSorted());
    });

    test.each(scenarios.filter((scenario) => !waiting.includes(scenario)))("%s", (scenario) => {
      const checks = results.get(scenario) ?? [];
      const passed = checks.filter(({ status }) => status === "SUCCESS");
      const others = checks.filter(({ status }) => status !== "SUCCESS" && status !== "INFO");
      expect(
        others.map(({ status, id, errorMessage, details }) => ({ status, id, errorMessage, details })),
      ).toEqual([]);
      expect(passed.length).toBeGreaterThan(0);
    });
  },
);

describe("Scenarios that are not held against the server", () => {
  test.each(Object.entries(WAITING).flatMap(([reason, names]) => names.map((name) => ({ name, reason }))))(
    "$name: $reason",
    async () => {
      const client = await TestClient.connect(conformanceServer());
      const { capabilities } = await client.request("server/discover");
      expect(capabilities).not.toHaveProperty("extensions");
      await client.close();
    },
  );
});
