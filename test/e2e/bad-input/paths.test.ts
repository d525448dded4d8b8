/** Paths that a proxy in front reads differently from what a URL parser makes of them lead nowhere. */

import { serve } from "@hono/node-server";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { MCPServer } from "gantry-mcp";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../support/listening.ts";
import { onSocket } from "../../support/wire.ts";

const closers: (() => unknown)[] = [];
const urls = { "node:http": "", "fetch under Hono": "" };

const measured = () => new MCPServer({ name: "paths", version: "1.0.0" }).enableMetrics();

beforeAll(async () => {
  const running = await listen(measured());
  closers.push(() => running.close());
  urls["node:http"] = running.url;

  const mounted = measured();
  const app = new Hono().all("*", (c) => mounted.fetch(c.req.raw, c.env));
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  await once(server, "listening");
  closers.push(
    () => server.close(),
    () => mounted.close(),
  );
  urls["fetch under Hono"] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
});

afterAll(async () => {
  for (const close of closers) await close();
});

describe.each(Object.keys(urls) as (keyof typeof urls)[])("%s", (face) => {
  const status = async (target: string, method = "GET") =>
    (
      await onSocket(
        urls[face],
        `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      )
    ).status;

  test.each(["/metrics", "/metrics?a=/../b", "http://localhost/metrics", "/health/ready"])(
    "%s is served",
    async (target) => {
      expect(await status(target)).toBe(200);
    },
  );

  test.each([
    "/.well-known/../metrics",
    "/.well-known/../health/ready",
    "/.well-known/%2e%2e/metrics",
    "/.well-known/.%2E/metrics?a",
    "/.well-known/x/../../metrics",
    "/.well-known/./../metrics",
    "/./metrics",
    "/metrics/.",
    "/metrics/x/..",
    String.raw`/.well-known\..\metrics`,
    "/%6detrics",
    "/health/%72eady",
    "http://localhost/.well-known/../metrics",
    "HTTP://localhost/.well-known/%2e./metrics",
  ])("%s is not", async (target) => {
    // 400 where the parser of HTTP or of URLs refuses it before.
    expect([400, 404]).toContain(await status(target));
  });

  test("nor does the endpoint answer under another form of its path", async () => {
    expect(await status("/mcp", "POST")).toBe(415);
    for (const target of ["/x/../mcp", "/.well-known/%2e%2e/mcp", "/%6dcp"])
      expect(await status(target, "POST")).toBe(404);
  });
});
