/** What arrives at a collector of a call through two servers, each with the real SDK and its exporter. */

import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServerProcess } from "../reliability/server-process.ts";
import { type Driver, MODERN, WAYS, type Way, overProcess, overUrl } from "../support/clients.ts";
import { type ArrivedSpan, OtlpReceiver } from "../support/otlp.ts";

const PROGRAM = new URL("../fixtures/traced-server.ts", import.meta.url);

let collector: OtlpReceiver;
let near: ServerProcess;
let far: ServerProcess;

const environment = (service: string) => ({
  OTEL_SERVICE_NAME: service,
  OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
});

beforeAll(async () => {
  collector = await OtlpReceiver.start();
  [near, far] = await Promise.all([
    ServerProcess.start({}, PROGRAM, environment("near")),
    ServerProcess.start({}, PROGRAM, environment("far")),
  ]);
});

afterAll(async () => {
  await Promise.all([near.stop(), far.stop()]);
  await collector.close();
});

const reached = (way: Way): Promise<Driver> =>
  way.transport === "http"
    ? overUrl(way, near.url)
    : overProcess(way, [fileURLToPath(PROGRAM)], environment("near"));

/** A span by its place in the trace: from whom it came, and its name, behind those of the spans it is within. */
function places(spans: readonly ArrivedSpan[], root: string): readonly string[] {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const place = ({ service, kind, name, parentId }: ArrivedSpan): string => {
    const own = `${service} ${kind} ${name}`;
    if (parentId === root) return own;
    const parent = byId.get(parentId as string);
    return parent ? `${place(parent)} > ${own}` : `nobody > ${own}`;
  };
  return spans.map(place).toSorted();
}

/** Each client over HTTP, each era over stdio. */
const ways = WAYS.filter(({ client, transport }) => transport === "http" || client === "client 2.4");

describe.each(ways)("$client, $era, over $transport", (way) => {
  test("a call and what it asks of another server are one trace, each within what asked for it", async () => {
    const driver = await reached(way);
    const [traceId, agent] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
    await driver.request("tools/call", {
      name: "relay",
      arguments: { to: far.url },
      _meta: { traceparent: `00-${traceId}-${agent}-01` },
    });
    const spans = await collector.trace(traceId, 7);
    const handler = "near SERVER tools/call relay > near INTERNAL handler";
    const called = `${handler} > near CLIENT tools/call add > far SERVER tools/call add`;
    expect(places(spans, agent)).toEqual(
      [
        "near SERVER tools/call relay",
        "near SERVER tools/call relay > near INTERNAL validation",
        handler,
        `${handler} > near CLIENT tools/call add`,
        called,
        `${called} > far INTERNAL validation`,
        `${called} > far INTERNAL handler`,
      ].toSorted(),
    );

    const overHttp = {
      "network.transport": "tcp",
      "network.protocol.name": "http",
      "client.address": "127.0.0.1",
    };
    const common = {
      "mcp.method.name": "tools/call",
      "gen_ai.operation.name": "execute_tool",
      "jsonrpc.request.id": expect.any(String),
      "gantry.request.id": expect.any(String),
    };
    const [relay, add] = ["near", "far"].map((service) =>
      spans.find((span) => span.service === service && span.kind === "SERVER"),
    );
    expect(relay).toMatchObject({ scope: "gantry-mcp", error: false });
    expect(relay?.attributes).toEqual({
      ...common,
      "gen_ai.tool.name": "relay",
      "mcp.protocol.version": way.era === "modern" ? MODERN : "2025-11-25",
      ...(way.transport === "http" ? overHttp : { "network.transport": "pipe" }),
    });
    expect(add?.attributes).toEqual({
      ...common,
      "gen_ai.tool.name": "add",
      "mcp.protocol.version": MODERN,
      ...overHttp,
    });

    const durations = await collector.metric(
      "mcp.server.operation.duration",
      ({ service, attributes }) => service === "near" && attributes["gen_ai.tool.name"] === "relay",
    );
    expect(durations[0]).toMatchObject({ scope: "gantry-mcp", unit: "s" });
    expect(durations[0]?.attributes).toMatchObject({
      "mcp.method.name": "tools/call",
      "gen_ai.operation.name": "execute_tool",
    });
    await collector.metric(
      "gantry.calls",
      ({ service, attributes, value }) => service === "far" && attributes["component"] === "add" && value > 0,
    );

    // The log says where to look.
    const log = way.transport === "stdio" ? driver.stderr() : near.stderr;
    const line = log.split("\n").find((each) => each.includes(traceId)) ?? "{}";
    expect(JSON.parse(line)).toMatchObject({ name: "relay", traceId, spanId: relay?.spanId });
    await driver.close();
  });
});
