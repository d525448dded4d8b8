/** Runs before every test file: what Gantry sends in its tests is held against the official schemas. */

import { afterAll, afterEach, expect, vi } from "vitest";
import { takeProblems } from "./schema-recorder.ts";
import { tapChildren } from "./schema-taps.ts";

vi.mock(import("../../src/transport/endpoint/node.ts"), async (load) => {
  const [{ nodeListener, ...rest }, { tapNode }] = await Promise.all([load(), import("./schema-taps.ts")]);
  const tapped: typeof nodeListener = (...args) => tapNode(nodeListener(...args), args[1].path);
  return { ...rest, nodeListener: tapped };
});

vi.mock(import("../../src/transport/endpoint/fetch.ts"), async (load) => {
  const [{ fetchListener, ...rest }, { tapFetch }] = await Promise.all([load(), import("./schema-taps.ts")]);
  const tapped: typeof fetchListener = (...args) => tapFetch(fetchListener(...args), args[0].path);
  return { ...rest, fetchListener: tapped };
});

tapChildren();

const allValid = () =>
  expect(takeProblems(), "messages that are not what the official schema says").toEqual([]);

afterEach(allValid);
// What is sent when the servers of a whole file are closed.
afterAll(allValid);
