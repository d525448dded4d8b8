import { expect, test } from "vitest";
import { auditKills } from "./audit-kill.ts";

test("no answered call is missing in the audit log of processes that are killed, and its chain is whole", async () => {
  const { problems, lost, answered } = await auditKills(10);
  expect(problems).toEqual([]);
  expect(lost).toBe(0);
  expect(answered).toBeGreaterThan(0);
}, 120_000);
