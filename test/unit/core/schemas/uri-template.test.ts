import { describe, expect, test } from "vitest";
import { asUriText, compileTemplate, isTemplate } from "../../../../src/core/schemas/uri-template.ts";

const match = (template: string, uri: string) => compileTemplate(template).match(uri);

describe("a template", () => {
  test("is a URI with an expression in it", () => {
    expect(isTemplate("tasks://{id}")).toBe(true);
    expect(isTemplate("tasks://id")).toBe(false);
  });

  test("knows its variables, and whether one spans segments", () => {
    expect(compileTemplate("a://{b}/c/{d_2}")).toMatchObject({ names: ["b", "d_2"], greedy: false });
    expect(compileTemplate("a://{+b}")).toMatchObject({ names: ["b"], greedy: true });
    expect(compileTemplate("a://x{/b*}")).toMatchObject({ names: ["b"], greedy: true });
  });

  test.each([
    ["a://{}", "the expression {} is not supported"],
    ["a://{b,c}", "the expression {b,c} is not supported"],
    ["a://{?q}", "the expression {?q} is not supported"],
    ["a://{#f}", "the expression {#f} is not supported"],
    ["a://{.ext}", "the expression {.ext} is not supported"],
    ["a://{/b}", "the expression {/b} is not supported"],
    ["a://{b*}", "the expression {b*} is not supported"],
    ["a://{b:3}", "the expression {b:3} is not supported"],
    ["a://{ b }", "the expression { b } is not supported"],
    ["a://{1b}", "the expression {1b} is not supported"],
    ["a://{b-c}", "the expression {b-c} is not supported"],
    ["{scheme}://b", "must begin with a literal scheme"],
    ["a{b}://c", "must begin with a literal scheme"],
    ["/a/{b}", "must begin with a literal scheme"],
    ["a://{b}/{b}", "a variable stands twice"],
    ["a://{b}{c}", "two variables touch"],
    ["a://{+b}/x/{+c}", "only one of {+path} and {/path*}"],
    ["a://{+b}/x{/c*}", "only one of {+path} and {/path*}"],
    ["a://{b}/}", "a brace stands alone"],
    ["a://{b}/{", "a brace stands alone"],
    ["a://ä/{b}", "characters that no URI has"],
    ["a://x y/{b}", "characters that no URI has"],
  ])("%s is refused: %s", (template, problem) => {
    expect(() => compileTemplate(template)).toThrow(`Resource template "${template}": `);
    expect(() => compileTemplate(template)).toThrow(problem);
  });
});

describe("matching", () => {
  test.each([
    ["tasks://{id}", "tasks://42", { id: "42" }],
    ["tasks://{id}", "tasks://a%20b%2B", { id: "a b+" }],
    ["tasks://{id}", "tasks://日本", { id: "日本" }],
    ["tasks://{id}", "tasks://a:b@c;d,e", { id: "a:b@c;d,e" }],
    ["a://{b}/c/{d}", "a://1/c/2", { b: "1", d: "2" }],
    ["a://{b}/c/{d}/e", "a://1/c/2/e", { b: "1", d: "2" }],
    ["a://{b}-{c}.{d}", "a://1-2.3", { b: "1", c: "2", d: "3" }],
    ["a://{b}.txt", "a://b.txt.txt", { b: "b.txt" }],
    ["a://r/{+p}", "a://r/x/y/z", { p: "x/y/z" }],
    ["a://r/{+p}", "a://r/x%2Fy", { p: "x/y" }],
    ["a://r/{+p}/end", "a://r/x/end/end", { p: "x/end" }],
    ["a://{+p}/v/{n}", "a://x/v/y/v/2", { p: "x/v/y", n: "2" }],
    ["a://{+p}.{x}", "a://b.c/d.txt", { p: "b.c/d", x: "txt" }],
    ["a://{b}/{+p}/{c}-{d}", "a://1/x/y-z/2-3-4", { b: "1", p: "x/y-z", c: "2", d: "3-4" }],
    ["a://r{/p*}/v/{n}", "a://r/v/2", { p: "", n: "2" }],
    ["a://r{/p*}/v/{n}", "a://r/v/v/2", { p: "v", n: "2" }],
    ["a://{b}/{+p}", "a://1/x/y", { b: "1", p: "x/y" }],
    ["a://r{/p*}", "a://r/x/y", { p: "x/y" }],
    ["a://r{/p*}", "a://r/x", { p: "x" }],
    ["a://r{/p*}", "a://r", { p: "" }],
    ["a://r{/p*}/end", "a://r/x/y/end", { p: "x/y" }],
  ])("%s of %s", (template, uri, values) => {
    expect(match(template, uri)).toEqual(values);
  });

  test.each([
    ["tasks://{id}", "tasks://"],
    ["tasks://{id}", "tasks:42"],
    ["tasks://{id}", "TASKS://42"],
    ["tasks://{id}", "xtasks://42"],
    ["tasks://{id}", "tasks://a/b"],
    ["tasks://{id}", "tasks://a?b"],
    ["tasks://{id}", "tasks://a#b"],
    ["tasks://{id}", "tasks://a%2fb"],
    ["tasks://{id}", "tasks://a%5cb"],
    ["tasks://{id}", "tasks://a\\b"],
    ["tasks://{id}", "tasks://.."],
    ["tasks://{id}", "tasks://%2e%2E"],
    ["tasks://{id}", "tasks://."],
    ["tasks://{id}", "tasks://a%00"],
    ["tasks://{id}", "tasks://a\n"],
    ["tasks://{id}", "tasks://%"],
    ["tasks://{id}", "tasks://%ff"],
    ["tasks://{id}/x", "tasks://1/y"],
    ["tasks://{id}/x", "tasks://1/x/x"],
    ["tasks://{id}/x", "tasks:///x"],
    ["a://{b}/c/{d}", "a://1/c/"],
    ["a://{b}/c/{d}", "a:///c/2"],
    ["a://r/{+p}", "a://r/"],
    ["a://r/{+p}", "a://r/../x"],
    ["a://r/{+p}", "a://r/x/%2e%2e/y"],
    ["a://r/{+p}", "a://r/x%2f..%2fy"],
    ["a://r/{+p}", "a://r/./x"],
    ["a://{+p}/v/{n}", "a://x/v/"],
    ["a://{+p}/v/{n}", "a:///v/2"],
    ["a://{+p}/v/{n}", "a://x/v/y/2"],
    ["a://r{/p*}", "a://rx"],
    ["a://r{/p*}", "a://r.."],
    ["a://r{/p*}", "a://r/.."],
  ])("%s not of %s", (template, uri) => {
    expect(match(template, uri)).toBeUndefined();
  });

  test("takes time linear in the length of the URI", () => {
    const templates = [
      "a://{b}/x/{c}/x/{d}",
      "a://{b}-{c}-{d}-{e}",
      "a://r/{+p}/x/{q}",
      "a://r{/p*}/end",
    ].map(compileTemplate);
    const shapes = ["/x/", "-", "%2e", "/", "a", "%", "/end"];
    const cost = (length: number) => {
      const uris = shapes.flatMap((shape) =>
        ["a://", "a://r/"].map((root) => root + shape.repeat(length / shape.length)),
      );
      let best = Infinity;
      for (let round = 0; round < 7; round++) {
        const begun = process.cpuUsage();
        for (const { match: run } of templates) for (const uri of uris) run(uri);
        const { user, system } = process.cpuUsage(begun);
        best = Math.min(best, (user + system) / 1_000);
      }
      return best;
    };
    cost(20_000);
    // Eight times the length: linear time takes 8 times as long, quadratic 64 times.
    expect(cost(160_000)).toBeLessThan(cost(20_000) * 30 + 1);
  });
});

describe("what may not stand in a URI is percent-encoded", () => {
  test.each([
    ["a://b/é🎉 c", "a://b/%C3%A9%F0%9F%8E%89%20c"],
    ["a://b/\ud800", "a://b/%EF%BF%BD"],
    ["a://b/http://[::1x", "a://b/http://%5B::1x"],
    ["a://[::1]:80/[b]", "a://[::1]:80/%5Bb%5D"],
    ["a://c@[::1]?[", "a://c@[::1]?%5B"],
    ["a://[x]", "a://%5Bx%5D"],
    ["a://b#c#[d]", "a://b#c%23%5Bd%5D"],
    ["a://b/100%/%zz/%4", "a://b/100%25/%25zz/%254"],
  ])("%s", (text, uri) => {
    expect(asUriText(text)).toBe(uri);
  });

  test.each(["a:b", "a://b/%c3%A9?c=d#e", "a://[::1]/", "urn:a:b", "a://!$&'()*+,;=:@-._~"])(
    "but not in %s",
    (uri) => {
      expect(asUriText(uri)).toBe(uri);
    },
  );
});
