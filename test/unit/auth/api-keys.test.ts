/** The whole of a key counts, not what it is found by. */

import { createHash } from "node:crypto";
import { apiKeyAuth } from "gantry-mcp";
import { expect, test } from "vitest";

test("a key whose hash begins like that of another is not the other", () => {
  const key = "a-key-that-was-never-given-out";
  const hash = createHash("sha256").update(key).digest("hex");
  const asking = { token: key, address: undefined, header: () => undefined };
  const similar = apiKeyAuth({
    keys: { ci: { hash: hash.slice(0, 63) + (hash.endsWith("0") ? "1" : "0") } },
  });
  expect(() => similar.authenticate(asking)).toThrow("Invalid API key");
  expect(apiKeyAuth({ keys: { ci: { hash } } }).authenticate(asking)).toMatchObject({ clientId: "ci" });
});
