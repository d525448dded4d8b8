/** What calls came to, and who is given it again. */

import type { Room } from "./defence.ts";

export const keptRooms: readonly Room[] = [
  {
    name: "idempotency",
    tests: ["test/e2e/cache/idempotency"],
    defences: [
      {
        what: "one effect of calls at the same time",
        file: "src/cache/idempotency.ts",
        find: "if (there === undefined) {",
        replace: "if (there !== null) {",
      },
      {
        what: "the same key with other arguments",
        file: "src/cache/idempotency.ts",
        find: "if (before.args !== print) throw reused();",
        replace: "",
      },
      {
        what: "results of the same caller",
        file: "src/cache/idempotency.ts",
        find: "${prefix}${caller(ctx)}${named",
        replace: "${prefix}${named",
      },
      {
        what: "results of the same tool",
        file: "src/cache/idempotency.ts",
        find: "JSON.stringify([name, definition.key])",
        replace: "JSON.stringify([name])",
      },
      {
        what: "what fails may be tried again",
        file: "src/cache/idempotency.ts",
        find: "if (text === undefined) await store.release(key, claimed);",
        replace: "if (text === undefined) await undefined;",
      },
      {
        what: "keys that are too long, or none",
        file: "src/cache/idempotency.ts",
        find: 'if (typeof key === "string" && key !== "" && key.length <= LONGEST) return key;',
        replace: "if (key) return String(key);",
      },
      {
        what: "arguments that are no data",
        file: "src/cache/idempotency.ts",
        find: "if (print === undefined)\n      throw",
        replace: "if (print === undefined) return run(ctx);\n    if (print === null)\n      throw",
      },
      {
        what: "a store that fails after the effect",
        file: "src/cache/idempotency.ts",
        find: "} catch (err) {\n",
        replace: "} catch (err) {\n        throw err;\n",
      },
      {
        what: "claims as long as calls",
        file: "src/cache/declared.ts",
        find: "timeLimitIn([...middleware, ...definition.layers], caching.timeout)",
        replace: "caching.timeout",
      },
      {
        what: "what is given again invalidates nothing",
        file: "src/cache/declared.ts",
        find: "(args, ctx, run) => outer(args, ctx, (own) => inner(args, own, run))",
        replace: "(args, ctx, run) => inner(args, ctx, (own) => outer(args, own, run))",
      },
      {
        what: "the layer leaves alone what reads",
        file: "src/effects.ts",
        find: " || definition.item.annotations?.readOnlyHint",
        replace: "",
      },
      {
        what: "and what says otherwise",
        file: "src/effects.ts",
        find: "if (idempotent !== undefined) return idempotent || undefined;",
        replace: "",
      },
      {
        what: "the innermost layer counts",
        file: "src/effects.ts",
        find: ".findLast(",
        replace: ".find(",
      },
    ],
  },
];
