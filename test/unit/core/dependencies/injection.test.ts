import { dependency, memoryLimitStore } from "gantry-mcp";
import { expect, test } from "vitest";
import { Background } from "../../../../src/core/calls/background.ts";
import { Cancellation } from "../../../../src/core/calls/cancellation.ts";
import { RequestContext } from "../../../../src/core/calls/context.ts";
import { injecting } from "../../../../src/core/dependencies/injection.ts";
import { ServerDependencies } from "../../../../src/core/dependencies/server-dependencies.ts";
import { capturedLog } from "../../../support/captured-log.ts";

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

test("also where it has to be closed, whatever comes of it", () => {
  const events: unknown[] = [];
  const opened = (name: string) =>
    dependency(function* () {
      try {
        yield name;
        events.push(`close ${name}`);
      } catch (error) {
        events.push(`${name}: ${(error as Error).message}`);
        if (name === "b") throw new Error("cannot close", { cause: error });
        throw error;
      }
    });
  const inject = { a: opened("a"), b: opened("b") };
  expect(injecting(inject, () => "done", services)({}, context())).toBe("done");
  const failing = () => {
    throw new Error("no");
  };
  expect(() => injecting(inject, failing, services)({}, context())).toThrow("no");
  expect(events).toEqual(["close b", "close a", "b: no", "a: no"]);
  const twice = dependency(function* () {
    yield 1;
    yield 2;
  });
  expect(() => injecting({ twice }, () => "done", services)({}, context())).toThrow("yielded twice");
});
