import { ConfigurationError } from "gantry-mcp";
import { describe, expect, test } from "vitest";
import { isLoopback } from "../../../../src/core/values/loopback.ts";
import { type From, createGate, isLocal } from "../../../../src/transport/requests/hosts.ts";

describe("the gate", () => {
  test("lets loopback names in, with any port", () => {
    const gate = createGate({});
    for (const host of ["localhost", "LocalHost:1", "127.0.0.1:65535", "[::1]", "[::1]:80"])
      expect(gate.allowsHost(host)).toBe(true);
    for (const host of [
      "",
      "localhost.",
      "127.0.0.2",
      "::1",
      "evil.example",
      "localhost:123456",
      "localhost:",
    ])
      expect(gate.allowsHost(host)).toBe(false);
    for (const origin of ["http://localhost", "https://localhost:1", "http://127.0.0.1", "http://[::1]:80"])
      expect(gate.allowsOrigin(origin)).toBe(true);
    for (const origin of [
      "",
      "null",
      "localhost",
      "http://localhost/",
      "http://localhost:1\n",
      "http://a@localhost",
      "HTTP://localhost",
    ])
      expect(gate.allowsOrigin(origin)).toBe(false);
  });

  test("lets in what is declared, compared exactly", () => {
    const gate = createGate({
      publicUrl: "https://Tasks.Example.com:8443/mcp",
      allowedHosts: ["internal"],
      allowedOrigins: ["https://app.example.com", "http://app.example.com:3000"],
    });
    for (const host of ["tasks.example.com", "tasks.example.com:1", "INTERNAL:2"])
      expect(gate.allowsHost(host)).toBe(true);
    for (const host of ["example.com", "a.tasks.example.com", "internal.example.com", "app.example.com"])
      expect(gate.allowsHost(host)).toBe(false);
    for (const origin of [
      "https://tasks.example.com:8443",
      "https://app.example.com",
      "http://app.example.com:3000",
    ])
      expect(gate.allowsOrigin(origin)).toBe(true);
    for (const origin of [
      "https://tasks.example.com",
      "http://app.example.com",
      "https://app.example.com:3000",
      "http://internal",
    ])
      expect(gate.allowsOrigin(origin)).toBe(false);
  });

  test.each([
    [{ publicUrl: "tasks.example.com" }, "http.publicUrl"],
    [{ publicUrl: "ftp://tasks.example.com" }, "http.publicUrl"],
    [{ publicUrl: "" }, "http.publicUrl"],
    [{ allowedHosts: ["Tasks.example.com"] }, "http.allowedHosts"],
    [{ allowedHosts: ["tasks.example.com:80"] }, "http.allowedHosts"],
    [{ allowedHosts: ["*"] }, "http.allowedHosts"],
    [{ allowedHosts: ["*.example.com"] }, "http.allowedHosts"],
    [{ allowedHosts: [""] }, "http.allowedHosts"],
    [{ allowedOrigins: ["*"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["null"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["app.example.com"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["https://app.example.com/"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["https://*.example.com"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["file:///x"] }, "http.allowedOrigins"],
    [{ allowedOrigins: ["HTTPS://app.example.com"] }, "http.allowedOrigins"],
  ])("refuses %j, with what to write", (options, what) => {
    expect(() => createGate(options)).toThrow(ConfigurationError);
    expect(() => createGate(options)).toThrow(new RegExp(`^${what} (?:has|is) .*: write `));
  });
});

test("loopback is this machine alone", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"])
    expect(isLoopback(host)).toBe(true);
  for (const host of [
    "",
    "0.0.0.0",
    "::",
    "[::]",
    "192.168.0.1",
    "127.0.0.1.example.com",
    "localhost.example.com",
    "example.com",
    "128.0.0.1",
    "1127.0.0.1",
  ])
    expect(isLoopback(host)).toBe(false);
});

describe("what comes from this machine", () => {
  const local: From = {
    host: "localhost:8080",
    origin: undefined,
    peer: "127.0.0.1",
    forwarded: undefined,
    forwardedFor: undefined,
  };

  test.each<Partial<From>>([
    {},
    { peer: "::1" },
    { peer: "::ffff:127.0.0.1" },
    { peer: "127.1.2.3", host: "[::1]:1" },
    { forwardedFor: "127.0.0.1, ::1" },
    { origin: "http://localhost:3000" },
  ])("is %j", (from) => {
    expect(isLocal({ ...local, ...from })).toBe(true);
  });

  test.each<Partial<From>>([
    { peer: undefined },
    { peer: "192.0.2.1" },
    { peer: "::ffff:192.0.2.1" },
    { peer: "fe80::1" },
    { peer: "" },
    { host: "tasks.example.com" },
    { host: "" },
    { origin: "https://app.example.com" },
    { origin: "null" },
    { forwarded: "for=127.0.0.1" },
    { forwardedFor: "127.0.0.1, 192.0.2.1" },
    { forwardedFor: "" },
    { forwardedFor: "unknown" },
  ])("is not %j", (from) => {
    expect(isLocal({ ...local, ...from })).toBe(false);
  });
});
