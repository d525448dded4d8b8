/** What the token endpoint gives, for how long, and how often it is asked in vain. */

import { describe, expect, test, vi } from "vitest";
import {
  AGENT,
  BOTH,
  type Fetch,
  INVALID_CLIENT,
  INVALID_GRANT,
  answered,
  listening,
  mountedByFetch,
  post,
  taskServer,
  tokens,
} from "./token-server.ts";

/** Sends guesses, a hundred at once, as if from many addresses, and counts what they are answered. */
async function guesses(to: Fetch, number: number): Promise<Record<number, number>> {
  const statuses: Record<number, number> = {};
  const guess = async (i: number) => {
    const headers = { "x-forwarded-for": `127.0.${i >> 8}.${i & 255}` };
    const response = await to("/auth/token", post({ ...AGENT, client_secret: `guess-${i}` }, headers));
    await response.arrayBuffer();
    statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  };
  for (let i = 0; i < number; i += 100)
    await Promise.all(Array.from({ length: 100 }, (_, j) => guess(i + j)));
  return statuses;
}

describe("guessing", () => {
  test("ten thousand guesses try five secrets", async () => {
    const to = await mountedByFetch(taskServer());
    expect(await guesses(to, 10_000)).toEqual({ 401: 5, 429: 9_995 });
  });

  test("tries five secrets over HTTP, after which the right one is no better", async () => {
    const to = await listening(taskServer());
    expect(await guesses(to, 500)).toEqual({ 401: 5, 429: 495 });

    const right = await to("/auth/token", post(AGENT));
    expect(right.status).toBe(429);
    expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(await right.json()).toEqual({
      error: "too_many_requests",
      message: expect.stringMatching(/^Too many failed attempts\. Try again in \d+ s\.$/),
    });
  });
});

describe("tokens", () => {
  test("are given again when the minute is over; right secrets are not counted", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const to = await mountedByFetch(taskServer());
    for (let i = 0; i < 20; i++) await tokens(to);
    for (let i = 0; i < 5; i++)
      expect((await to("/auth/token", post({ ...AGENT, client_secret: "wrong" }))).status).toBe(401);
    expect((await to("/auth/token", post(AGENT))).status).toBe(429);
    vi.setSystemTime(Date.now() + 60_001);
    await tokens(to);
  });

  test("refresh tokens count among the attempts, and end with their time", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    const to = await mountedByFetch(taskServer({ refreshExpiresIn: "2h" }));
    const { refresh_token: token } = await tokens(to);
    const refresh = { grant_type: "refresh_token", refresh_token: token };
    vi.setSystemTime(Date.now() + 2 * 3_600_000);
    for (let i = 0; i < 5; i++)
      expect(await answered(to("/auth/token", post(refresh)))).toEqual({ status: 401, body: INVALID_GRANT });
    expect((await to("/auth/token", post(AGENT))).status).toBe(429);
  });

  test("a refresh token is its client's alone, where a client says who it is", async () => {
    const to = await mountedByFetch(taskServer());
    const refresh = async () => ({
      grant_type: "refresh_token",
      refresh_token: (await tokens(to)).refresh_token,
    });
    await tokens(to, { ...(await refresh()), ...AGENT });
    const other = { client_id: "scoped", client_secret: "scoped-secret" };
    expect(await answered(to("/auth/token", post({ ...(await refresh()), ...other })))).toEqual({
      status: 401,
      body: INVALID_GRANT,
    });
    const wrong = { ...AGENT, client_secret: "wrong" };
    expect(await answered(to("/auth/token", post({ ...(await refresh()), ...wrong })))).toEqual({
      status: 401,
      body: INVALID_CLIENT,
    });
    expect(
      await answered(to("/auth/token", post({ ...(await refresh()), client_id: "agent-prod" }))),
    ).toEqual({
      status: 400,
      body: BOTH,
    });
  });

  test("of requests with one refresh token one gets the next", async () => {
    const to = await listening(taskServer());
    const { refresh_token: token } = await tokens(to);
    const all = await Promise.all(
      Array.from({ length: 4 }, () =>
        to("/auth/token", post({ grant_type: "refresh_token", refresh_token: token })),
      ),
    );
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401, 401, 401]);
  });

  test("can be without refresh tokens, shorter, and elsewhere", async () => {
    const server = taskServer({ refreshExpiresIn: false, expiresIn: "5m", path: "/dev/tokens" });
    const to = await mountedByFetch(server);
    const response = await to("/dev/tokens", post(AGENT));
    expect(await response.json()).toEqual({
      access_token: expect.any(String),
      token_type: "bearer",
      expires_in: 300,
    });
    const refresh = post({ grant_type: "refresh_token", refresh_token: "rt_x" });
    expect(await answered(to("/dev/tokens", refresh))).toEqual({
      status: 400,
      body: { error: "invalid_request", message: "Refresh tokens are disabled on this server." },
    });
    expect((await to("/auth/token", post(AGENT))).status).toBe(404);
  });

  test("an unknown client costs as many digests and comparisons as a wrong secret", async () => {
    const { default: crypto } = await import("node:crypto");
    const to = await mountedByFetch(taskServer());
    await tokens(to);
    const hashing = vi.spyOn(crypto, "hash");
    const comparing = vi.spyOn(crypto, "timingSafeEqual");
    const cost = async (body: object) => {
      hashing.mockClear();
      comparing.mockClear();
      expect((await to("/auth/token", post(body))).status).toBe(401);
      return [hashing.mock.calls.length, comparing.mock.calls.length];
    };
    expect(await cost({ ...AGENT, client_secret: "wrong" })).toEqual([1, 1]);
    expect(await cost({ ...AGENT, client_id: "nobody" })).toEqual([1, 1]);
    vi.restoreAllMocks();
  });

  test("are not given any more when the server is closed", async () => {
    const server = taskServer();
    const to = await mountedByFetch(server);
    await tokens(to);
    await server.close();
    expect((await to("/auth/token", post(AGENT))).status).toBe(503);
  });
});
