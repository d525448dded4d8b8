/** A token that was verified is believed for a while, and never longer than it says. */

import { createHmac } from "node:crypto";
import { jwtAuth } from "gantry-mcp";
import { testTokens } from "gantry-mcp/testing";
import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.useRealTimers();
});

const asking = (token: string) => ({ token, address: undefined, header: () => undefined });

test("one that has been accepted before is refused once it has expired", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const tokens = await testTokens();
  const jwt = jwtAuth({ publicKey: tokens.publicKey, leeway: 0 });
  const token = await tokens.issue({ sub: "ada" }, { expiresIn: "20s" });
  for (let second = 0; second < 19; second++) {
    expect(await jwt.authenticate(asking(token))).toMatchObject({ clientId: "ada" });
    vi.advanceTimersByTime(1_000);
  }
  vi.advanceTimersByTime(1_000);
  await expect(async () => jwt.authenticate(asking(token))).rejects.toThrow("Token expired");
});

test("the same identity is given for a minute, and then the token is verified again", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const tokens = await testTokens();
  const jwt = jwtAuth({ publicKey: tokens.publicKey });
  const token = await tokens.issue({ sub: "ada" });
  const first = await jwt.authenticate(asking(token));
  vi.advanceTimersByTime(59_000);
  expect(await jwt.authenticate(asking(token))).toBe(first);
  vi.advanceTimersByTime(2_000);
  const later = await jwt.authenticate(asking(token));
  expect(later).toEqual(first);
  expect(later).not.toBe(first);
});

test("one that is for somebody is refused where the server has not said who it is", async () => {
  const tokens = await testTokens();
  const jwt = jwtAuth({ publicKey: tokens.publicKey });
  for (const aud of ["https://other.example.com", ["a", "b"]]) {
    const token = await tokens.issue({ sub: "ada", aud });
    await expect(async () => jwt.authenticate(asking(token))).rejects.toThrow("Token audience not accepted");
  }
});

test("one whose parts could be written otherwise is refused, though it is signed", async () => {
  const secret = "a secret of these tests, which knows no other";
  const jwt = jwtAuth({ secret });
  const signed = (text: string) => `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const exp = Math.floor(Date.now() / 1_000) + 600;
  // Of two bytes more than a multiple of three, the last character has bits that nobody reads.
  const claims = ["a", "ab", "abc"]
    .map((sub) => part({ sub, exp }))
    .find((text) => text.length % 4 === 3) as string;
  const header = part({ alg: "HS256" });
  const otherwise = claims.slice(0, -1) + next(claims.at(-1) as string);
  expect(Buffer.from(otherwise, "base64url").toString()).toBe(Buffer.from(claims, "base64url").toString());
  expect(await jwt.authenticate(asking(signed(`${header}.${claims}`)))).toBeDefined();
  for (const written of [otherwise, `${claims}=`, `${claims.slice(0, 4)}\n${claims.slice(4)}`]) {
    const token = signed(`${header}.${written}`);
    await expect(async () => jwt.authenticate(asking(token))).rejects.toThrow("Invalid JWT payload");
  }
});

/** The next character of the alphabet. */
function next(character: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(character) + 1] as string;
}
