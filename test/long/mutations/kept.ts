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
        find: "if (before.args !== own) throw reused();",
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
        what: "two keys that differ",
        file: "src/cache/idempotency.ts",
        find: "header !== undefined && header !== key",
        replace: "false",
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
        find: "} catch (err) {\n        logger.error(",
        replace: "} catch (err) {\n        throw err;\n        logger.error(",
      },
      {
        what: "claims as long as calls",
        file: "src/cache/declared.ts",
        find: "timeLimitIn([...middleware, ...definition.layers], caching.timeout)",
        replace: "caching.timeout",
      },
      {
        what: "and as long as users take to answer",
        file: "src/cache/idempotency.ts",
        find: "const timer = setInterval(() => void renew(), timeout);",
        replace: "const timer = setInterval(() => void renew(), 2 ** 30);",
      },
      {
        what: "what is given again invalidates nothing",
        file: "src/cache/declared.ts",
        find: "(args, ctx, run) => outer(args, ctx, (own) => inner(args, own, run))",
        replace: "(args, ctx, run) => inner(args, ctx, (own) => outer(args, own, run))",
      },
      {
        what: "the layer leaves alone what reads",
        file: "src/core/sealed/effects.ts",
        find: " || definition.item.annotations?.readOnlyHint",
        replace: "",
      },
      {
        what: "and what says otherwise",
        file: "src/core/sealed/effects.ts",
        find: "if (idempotent !== undefined) return idempotent || undefined;",
        replace: "",
      },
      {
        what: "the innermost layer counts",
        file: "src/core/sealed/effects.ts",
        find: ".findLast(",
        replace: ".find(",
      },
    ],
  },
  {
    name: "functions kept",
    tests: ["test/unit/cached"],
    defences: [
      {
        what: "the old result first",
        file: "src/cache/cached.ts",
        find: "      setTimeout(() => resolve(this.#renewed(task).catch((error: unknown) => failed(error, ctx))), 0);",
        replace: "      resolve(this.#renewed(task).catch((error: unknown) => failed(error, ctx)));",
      },
      {
        what: "what fails behind it",
        file: "src/cache/cached.ts",
        find: ".catch((error: unknown) => failed(error, ctx))",
        replace: "",
      },
      {
        what: "what hangs behind it",
        file: "src/cache/cached.ts",
        find: "const timer = setTimeout(expire, RENEW_WITHIN);",
        replace: "const timer = setTimeout(expire, 1e9);",
      },
      {
        what: "one new result",
        file: "src/cache/cache.ts",
        find: "if ((entry && entry.expiresIn > wanted.stale) || this.#flights.has(name)) return;",
        replace: "",
      },
      {
        what: "a shutdown waits for it",
        file: "src/cache/cached.ts",
        find: "if (ctx) servicesOf(ctx).background.track(work);",
        replace: "void work;",
      },
      {
        what: "a copy for everybody",
        file: "src/cache/cached.ts",
        find: "return this.unpack(asText(value));",
        replace: "return value;",
      },
      {
        what: "arguments that are no data",
        file: "src/cache/cached.ts",
        find: "if (told === undefined)",
        replace: "if (told === null)",
      },
      {
        what: "a store of several functions",
        file: "src/cache/cached.ts",
        find: 'if (store && name === "")',
        replace: "if (false)",
      },
      {
        what: "tags of nobody's store",
        file: "src/cache/cached.ts",
        find: "if (!store && tags.length > 0)",
        replace: "if (false)",
      },
    ],
  },
  {
    name: "tags",
    tests: ["test/e2e/cache/tags"],
    defences: [
      {
        what: "tags that nothing has",
        file: "src/core/sealing.ts",
        find: ".check(registry.all());",
        replace: ".check([]);",
      },
      {
        what: "nor what has no cache",
        file: "src/core/sealed/effects.ts",
        find: "(cache ? tags : [])",
        replace: "tags",
      },
      {
        what: "each told once",
        file: "src/core/sealed/effects.ts",
        find: " || this.#told.has(id)",
        replace: "",
      },
    ],
  },
];
