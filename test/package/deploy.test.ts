/** What deploy/ says of the server is true of it: nothing here is started by the tests that Docker or a cluster would start. */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { HEALTH } from "../../src/transport/http-options.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const FILES = ["Dockerfile", "compose.yaml", "task-api.service", "kubernetes/task-api.yaml"];
const options = read("examples/task-api/options.ts") + read("examples/task-api/operations.ts");

describe.each(FILES)("deploy/%s", (file) => {
  const text = read(`deploy/${file}`);

  it("names options that the Task API has", () => {
    const named = new Set(
      text.match(/(?<=[\s",])--(?:host|port|processes|redis|audit|seed|allow-unauthenticated|public-url)\b/g),
    );
    for (const option of named) expect(options).toContain(`  ${option} `);
  });

  it("names settings that it reads", () => {
    const named = new Set(text.match(/\b(?:TASK_API_[A-Z]+|REDIS_[A-Z_]+|METRICS_TOKEN|AUDIT_KEY)\b/g));
    for (const setting of named) expect(options).toContain(setting);
  });

  it("names paths of health that there are", () => {
    const named = new Set(text.match(/\/health\/\w+/g));
    for (const path of named) expect(Object.values(HEALTH)).toContain(path);
  });

  it("starts a program that is there", () => {
    for (const [program] of text.matchAll(/\b(?:examples|scripts)\/[\w/-]+\.(?:ts|mjs)\b/g))
      expect(existsSync(new URL(`../../${program}`, import.meta.url))).toBe(true);
  });
});

test("whoever ends the server waits longer than it takes", () => {
  interface Compose {
    readonly services: { readonly one: { readonly stop_grace_period: string } };
  }
  interface Pod {
    readonly terminationGracePeriodSeconds: number;
  }
  const compose = parse(read("deploy/compose.yaml"), { merge: true }) as Compose;
  const [set] = parseAllDocuments(read("deploy/kubernetes/task-api.yaml"));
  const pod = set?.toJS() as { readonly spec: { readonly template: { readonly spec: Pod } } };
  const waits = [
    compose.services.one.stop_grace_period,
    `${pod.spec.template.spec.terminationGracePeriodSeconds}s`,
    `${/^TimeoutStopSec=(\d+)$/m.exec(read("deploy/task-api.service"))?.[1]}s`,
  ];
  for (const wait of waits) expect(Number.parseInt(wait, 10)).toBeGreaterThan(1 + 25 + 5);
});

test("Prometheus takes its configuration", () => {
  const config = fileURLToPath(new URL("../../deploy/prometheus.yml", import.meta.url));
  // Without the token's file, which a container has.
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "config", "--syntax-only", config], {
    encoding: "utf8",
  });
  expect(`${stdout}${stderr}`).toContain("SUCCESS");
  expect(status).toBe(0);
});
