/** What is given to handlers, and what is done after them. */

import type { Room } from "./defence.ts";

export const pipelineRooms: readonly Room[] = [
  {
    name: "dependencies",
    tests: ["test/e2e/dependencies"],
    defences: [
      {
        what: "opened behind the guards that go by arguments",
        file: "src/core/sealed/heart.ts",
        find: "const injected = injecting(component.inject, run, options);\n  const around = options.around(component);\n  if (!around) return guarded(injected, policy, options);",
        replace:
          "const injected = injecting(component.inject, run, options);\n  const around = options.around(component);\n  if (!around) return injecting(component.inject, guarded(run, policy, options), options);",
      },
      {
        what: "closed in reverse",
        file: "src/core/dependencies/injection.ts",
        find: "const { name, close } = this.#leases[at] as Lease;",
        replace: "const { name, close } = this.#leases[this.#leases.length - 1 - at] as Lease;",
      },
      {
        what: "told why a call was cancelled, not what its handler made of it",
        file: "src/core/dependencies/injection.ts",
        find: "const known = this.#cancellation.cancelled ? this.#cutShort() : failure;",
        replace: "const known = failure;",
      },
      {
        what: "told of questions that are yet to be asked",
        file: "src/core/dependencies/injection.ts",
        find: "return this.#ctx.inquiry?.pending ? { error: new Suspension() } : undefined;",
        replace: "return undefined;",
        tests: ["test/e2e/dependencies", "test/unit/core/dependencies/injection"],
      },
      {
        what: "handlers that do not heed their signal",
        file: "src/core/dependencies/injection.ts",
        find: "if (this.#letGo) this.#timer = setTimeout(this.#letGo, this.#patience, LATE);",
        replace: "",
      },
      {
        what: "what is opened too late is closed",
        file: "src/core/dependencies/injection.ts",
        find: "this.#closeLate(opening, step);",
        replace: "",
      },
      {
        what: "a clean-up that fails after a success fails the call",
        file: "src/core/dependencies/injection.ts",
        find: "return known ?? { error };",
        replace: "return known as Failure;",
      },
      {
        what: "and after a failure is logged",
        file: "src/core/dependencies/injection.ts",
        find: "if (known && error !== known.error) this.#log(name, error);",
        replace: "",
      },
      {
        what: "once for a call",
        file: "src/core/dependencies/injection.ts",
        find: "if (known !== undefined) return [name, known];",
        replace: "",
      },
      {
        what: "what failed to open for all is tried again",
        file: "src/core/dependencies/server-dependencies.ts",
        find: "opening.catch(() => this.#openings.delete(dependency));",
        replace: "opening.catch(() => {});",
      },
      {
        what: "closed before the shutdown hooks",
        file: "src/core/operations/lifecycle.ts",
        find: "[...this.#afterCalls, ...this.#shutdown.toReversed()]",
        replace: "[...this.#shutdown.toReversed(), ...this.#afterCalls]",
      },
      {
        what: "nothing of a call in what all share",
        file: "src/core/dependencies/dependencies.ts",
        find: 'scope === "server" && inner.scope !== "server"',
        replace: "false",
      },
      {
        what: "names that every context has",
        file: "src/core/dependencies/dependencies.ts",
        find: 'if (!(name in RequestContext.prototype) && name !== "operation") continue;',
        replace: "continue;",
      },
      {
        what: "generators that yield twice",
        file: "src/core/dependencies/dependencies.ts",
        find: "if (done) return;",
        replace: "return;",
      },
      {
        what: "replacements that come too late",
        file: "src/core/dependencies/server-dependencies.ts",
        find: "if (this.#planned)",
        replace: "if (false)",
      },
    ],
  },
  {
    name: "background work",
    tests: ["test/e2e/background"],
    defences: [
      {
        what: "tasks that fail",
        file: "src/core/calls/background.ts",
        find: "await task.run();",
        replace: "task.run();",
      },
      {
        what: "after the answer, over HTTP",
        file: "src/transport/endpoint/node.ts",
        find: 'else response.once("close", () => cancellation.answered());',
        replace: "else cancellation.answered();",
      },
      {
        what: "after the whole answer to a batch",
        file: "src/core/calls/cancellation.ts",
        find: "if (this.#whole) this.#whole.afterAnswer(begin);",
        replace: "if (this.#whole) begin();",
      },
      {
        what: "once for a call that asks",
        file: "src/core/sealed/dispatch.ts",
        find: "if (tasks && !(result instanceof InputRequired))",
        replace: "if (tasks)",
      },
      {
        what: "tasks that come too late",
        file: "src/core/calls/background.ts",
        find: 'if (this.#state === "done" || (this.#state === "open" && this.#cancellation?.settled))',
        replace: "if (false)",
      },
      {
        what: "waited for at shutdown",
        file: "src/transport/ending/shutdown.ts",
        find: "if (!(await within(end - LEAST_FOR_HOOKS - performance.now(), background.done())))",
        replace: "if (background.size < 0)",
      },
    ],
  },
  {
    name: "answers of layers",
    tests: ["test/e2e/middleware", "test/e2e/limits/rate-limit"],
    defences: [
      {
        what: "declared outputs",
        file: "src/core/sealed/seal.ts",
        find: "result instanceof ToolResult || result instanceof InputRequired ? result : finish(result)",
        replace: "finish === undefined ? result : result",
      },
      {
        what: "copies of results",
        file: "src/core/results/result.ts",
        find: "if (Object.keys(others).length > 0) return value;",
        replace: "return value;",
      },
      {
        what: "callers who would be one",
        file: "src/middleware/callers.ts",
        find: "return (ctx) => named(by(ctx));",
        replace: "return (ctx) => by(ctx);",
      },
    ],
  },
  {
    name: "containment",
    tests: ["test/e2e/contained"],
    defences: [
      {
        what: "what only has a then()",
        file: "src/core/sealed/heart.ts",
        find: "return Promise.resolve(value).then(",
        replace: "return value.then(",
      },
      {
        what: "sets without an end",
        file: "src/core/values/json.ts",
        find: "[...Set.prototype.values.call(value)]",
        replace: "[...value]",
      },
      {
        what: "operations that all calls share",
        file: "src/core/sealed/seal.ts",
        find: "return Object.freeze({ ...operation, tags: Object.freeze([...tags]), scopes: Object.freeze([...scopes]) });",
        replace: "return { ...operation, tags: [...tags], scopes: [...scopes] };",
      },
      {
        what: "headers that all objects inherit",
        file: "src/transport/endpoint/node-reply.ts",
        find: "for (const name of Object.keys(more))",
        replace: "for (const name in more)",
      },
      {
        what: "dependencies that are never opened",
        file: "src/core/dependencies/injection.ts",
        find: "Promise.race([done, given])",
        replace: "done",
      },
    ],
  },
  {
    name: "requests and responses",
    tests: ["test/e2e/requests", "test/unit/core/calls/trace"],
    defences: [
      {
        what: "metadata stay on the server",
        file: "src/core/sealed/heart.ts",
        find: "return finish(value.content, ctx);",
        replace: "return finish({ ...value, metadata: value.metadata }, ctx);",
      },
      { what: "traces of nothing", file: "src/core/calls/trace.ts", find: "(?!0{32})", replace: "" },
      {
        what: "traces longer than they are",
        file: "src/core/calls/trace.ts",
        find: 'if (version === "00" && more !== undefined) return undefined;',
        replace: "",
      },
      {
        what: "states with line ends",
        file: "src/core/calls/trace.ts",
        find: "&& TRACESTATE.test(tracestate)",
        replace: "",
      },
    ],
  },
];
