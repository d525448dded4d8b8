import { describe, expect, test } from "vitest";
import { type Middleware, type MiddlewareLayer, compose } from "../../../../src/core/calls/compose.ts";
import type { RequestContext } from "../../../../src/core/calls/context.ts";

const ctx = { operation: { kind: "tool", name: "x", tags: [] } } as unknown as RequestContext;

describe("an onion", () => {
  test("without layers is its heart", () => {
    const heart = () => "core";
    expect(compose([], "tool", heart)).toBe(heart);
  });

  test("runs the first layer outermost, and hands context and arguments through", async () => {
    const events: string[] = [];
    const layer =
      (name: string): Middleware =>
      async (given, next) => {
        events.push(`${name} in`);
        expect(given).toBe(ctx);
        const result = await next();
        events.push(`${name} out`);
        return `${name}(${String(result)})`;
      };
    const run = compose<number>([layer("a"), layer("b"), layer("c")], "tool", (given, args) => {
      events.push(`heart ${args}`);
      expect(given).toBe(ctx);
      return "core";
    });
    expect(await run(ctx, 7)).toBe("a(b(c(core)))");
    expect(events).toEqual(["a in", "b in", "c in", "heart 7", "c out", "b out", "a out"]);
  });

  test("ends where a layer answers by itself or throws", async () => {
    let ran = 0;
    const heart = () => ++ran;
    expect(await compose([() => "mine", async (_ctx, next) => next()], "tool", heart)(ctx, 0)).toBe("mine");
    const refusing = compose<number>(
      [
        () => {
          throw new Error("no");
        },
      ],
      "tool",
      heart,
    );
    await expect(refusing(ctx, 0)).rejects.toThrow("no");
    expect(ran).toBe(0);
  });

  test("shows a layer what those further in throw, and lets it recover", async () => {
    const recovering: Middleware = async (_ctx, next) => {
      try {
        return await next();
      } catch (error) {
        return (error as Error).message;
      }
    };
    const failing = () => {
      throw new Error("sync");
    };
    expect(await compose([recovering], "tool", failing)(ctx, 0)).toBe("sync");
    expect(await compose([recovering], "tool", () => Promise.reject(new Error("async")))(ctx, 0)).toBe(
      "async",
    );
  });

  test("runs once: a second next() is an error, and the operation does not run again", async () => {
    let ran = 0;
    const twice: Middleware = async (_ctx, next) => {
      await next();
      return await next();
    };
    await expect(compose([twice], "tool", () => ++ran)(ctx, 0)).rejects.toThrow("called next() twice");
    expect(ran).toBe(1);
    const racing: Middleware = (_ctx, next) => Promise.all([next(), next()]);
    await expect(compose([racing], "tool", () => ++ran)(ctx, 0)).rejects.toThrow("called next() twice");
    expect(ran).toBe(2);
  });

  test("is made of the layers that concern its kind of operation", async () => {
    const seen: string[] = [];
    const layer = (name: string, kinds?: MiddlewareLayer["kinds"]): MiddlewareLayer => ({
      name,
      ...(kinds && { kinds }),
      handle: (_ctx, next) => {
        seen.push(name);
        return next();
      },
    });
    const layers = [layer("all"), layer("lists", ["list"]), layer("tools", ["tool"])];
    await compose(layers, "tool", () => 1)(ctx, 0);
    expect(seen).toEqual(["all", "tools"]);
  });

  test("keeps calls apart", async () => {
    const layer: Middleware = async (_ctx, next) => {
      await Promise.resolve();
      return await next();
    };
    const run = compose<number>([layer, layer], "tool", async (_ctx, args) => args * 2);
    const results = await Promise.all(Array.from({ length: 100 }, (_, index) => run(ctx, index)));
    expect(results).toEqual(Array.from({ length: 100 }, (_, index) => index * 2));
  });
});
