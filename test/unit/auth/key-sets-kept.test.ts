/** Keys that were fetched hold for a day while their issuer is away, and no longer. */

import { jwtAuth } from "gantry-mcp";
import { testTokens } from "gantry-mcp/testing";
import { expect, test, vi } from "vitest";
import { Authority } from "../../support/authority.ts";

const HOUR = 3_600_000;

test("an issuer that is away for hours costs no good token; after a day nobody can tell", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    const authority = await Authority.start();
    const tokens = await testTokens();
    authority.serve("/jwks", { keys: [{ ...tokens.publicKey, alg: "ES256", use: "sig" }] });
    const jwt = jwtAuth({ jwksUri: `${authority.issuer}/jwks` });
    const ask = async () => {
      const token = await tokens.issue({ sub: "ada" }, { expiresIn: "30m" });
      return jwt.authenticate({ token, address: undefined, header: () => undefined });
    };
    expect(await ask()).toMatchObject({ clientId: "ada" });
    await authority.close();
    for (let hour = 0; hour < 23; hour++) {
      vi.setSystemTime(Date.now() + HOUR);
      expect(await ask()).toMatchObject({ clientId: "ada" });
    }
    vi.setSystemTime(Date.now() + 2 * HOUR);
    await expect(ask()).rejects.toMatchObject({
      message: "Credentials cannot be verified at the moment",
      retryable: true,
    });
  } finally {
    vi.useRealTimers();
  }
});
