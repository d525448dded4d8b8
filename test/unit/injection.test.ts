import { dependency, memoryLimitStore } from "gantry-mcp";
import { expect, test } from "vitest";
import { Background } from "../../src/background.ts";
import { Cancellation } from "../../src/cancellation.ts";
import { RequestContext } from "../../src/context.ts";
import { injecting } from "../../src/injection.ts";
import { ServerDependencies } from "../../src/server-dependencies.ts";
import { capturedLog } from "../support/captured-log.ts";

const services = { dependencies: new ServerDependencies(), logger: capturedLog().logger };

const context = () =>
  new RequestContext(
    { kind: "tool", name: "act", component: undefined, tags: [], access: "public", scopes: [] },
    { requestId: "r", protocolVersion: "2026-07-28", cancellation: new Cancellation() },
    {
      logger: capturedLog().logger,
      validatorOf: () => Promise.reject(new Error("no schemas here")),
      background: new Background(),
      limits: memoryLimitStore(),
    },
  );

test("what injects nothing runs as it is", () => {
  const run = () => "done";
  expect(injecting({}, run, services)).toBe(run);
});

test("where nothing waits, nothing does", () => {
  const shared = dependency({ scope: "server" }, () => 1);
  const own = dependency({ inject: { shared } }, (_ctx, injected) => injected.shared + 1);
  const run = (_args: object, ctx: RequestContext) => Object.entries(ctx);
  const injected = injecting({ shared, own }, run, services);
  expect(injected({}, context())).toEqual([
    ["operation", expect.anything()],
    ["shared", 1],
    ["own", 2],
  ]);
});
