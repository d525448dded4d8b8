/** An identity provider that changes its keys while callers call. */

import { MCPServer, authenticate, jwtAuth } from "gantry-mcp";
import { expect, test } from "vitest";
import { IdentityProvider } from "../../support/identity-provider.ts";
import { listen } from "../../support/listening.ts";
import { envelope } from "../../support/wire.ts";

const AUDIENCE = "https://tasks.example.com/mcp";
const CALLERS = 16;
const ROTATIONS = 4;
/** So many calls are answered between two rotations. */
const BETWEEN = 120;
/** How often each caller gets a token, and makes three calls. */
const ROUNDS = Math.ceil(((ROTATIONS + 1) * BETWEEN) / CALLERS / 3);

test("keys are replaced under load, and no good token is refused", { timeout: 60_000 }, async () => {
  const provider = await IdentityProvider.start({ resource: AUDIENCE, scopes: ["tasks:read"] });
  const server = new MCPServer({ name: "task-api", version: "1.0.0" })
    .use(authenticate(jwtAuth({ discovery: provider.issuer, audience: AUDIENCE })))
    .tool("read", { description: "Read.", scopes: ["tasks:read"] }, () => "read");
  const { url, close } = await listen(server);

  const statuses = new Map<number, number>();
  const keys = new Set<string>();
  const old: string[] = [];
  let calls = 0;
  const call = async (token: string) => {
    const init = envelope("tools/call", { name: "read" }, { authorization: `Bearer ${token}` });
    const response = await fetch(url, init);
    await response.arrayBuffer();
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (++calls % BETWEEN === 0 && calls <= ROTATIONS * BETWEEN) provider.rotateKeys();
  };
  const caller = async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const response = await provider.robotToken("tasks:read");
      const { access_token: token } = (await response.json()) as { access_token: string };
      keys.add(keyOf(token));
      if (old.length < 8) old.push(token);
      // One that is new, twice, and one from before the keys were changed.
      for (const each of [token, token, old[calls % old.length] ?? token]) await call(each);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));

  expect([...statuses.keys()]).toEqual([200]);
  expect(keys.size).toBe(ROTATIONS + 1);
  // All who came with a new key waited for one answer: the second fetch began before the key was there.
  expect(provider.keyFetches).toBeLessThanOrEqual(2 * (ROTATIONS + 1));
  await close();
  await provider.close();
});

function keyOf(token: string): string {
  const { kid } = JSON.parse(atob(token.split(".")[0] ?? "")) as { kid: string };
  return kid;
}
