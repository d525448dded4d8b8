/** What deploy/ says of the server is true of it: nothing here is started by the tests that Docker or a cluster would start. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { clientAddress } from "../../src/transport/requests/client-address.ts";
import { HEALTH } from "../../src/transport/http/http-options.ts";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const FILES = ["Dockerfile", "compose.yaml", "task-api.service", "kubernetes/task-api.yaml"];
const options = read("examples/task-api/options.ts") + read("examples/task-api/operations.ts");

describe.each(FILES)("deploy/%s", (file) => {
  const text = read(`deploy/${file}`);

  it("names options that the Task API has", () => {
    const named = new Set(
      text.match(
        /(?<=[\s",])--(?:host|port|processes|redis|audit|seed|allow-unauthenticated|public-url|trusted-proxies)\b/g,
      ),
    );
    for (const option of named) expect(options).toContain(`  ${option} `);
  });

  it("names settings that it reads", () => {
    const named = new Set(
      text.match(/\b(?:TASK_API_[A-Z]+|REDIS_[A-Z_]+|METRICS_TOKEN|AUDIT_KEY|TRUSTED_PROXIES)\b/g),
    );
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

test("the server knows its proxy, wherever there is one", () => {
  interface Compose {
    readonly services: {
      readonly one: { readonly environment: { readonly TRUSTED_PROXIES: string } };
      readonly proxy: { readonly networks: { readonly default: { readonly ipv4_address: string } } };
    };
  }
  const { one, proxy } = (parse(read("deploy/compose.yaml"), { merge: true }) as Compose).services;
  expect(one.environment.TRUSTED_PROXIES).toBe(proxy.networks.default.ipv4_address);
  const named = [
    one.environment.TRUSTED_PROXIES,
    /^Environment=TRUSTED_PROXIES=(.*)$/m.exec(read("deploy/task-api.service"))?.[1],
    /name: TRUSTED_PROXIES, value: (\S+) /.exec(read("deploy/kubernetes/task-api.yaml"))?.[1],
  ];
  for (const proxies of named) expect(() => clientAddress(proxies?.split(",") ?? [""])).not.toThrow();
});

test("what scrapes the server sends a token", () => {
  expect(read("deploy/kubernetes/task-api.yaml")).not.toContain("prometheus.io/scrape");
  for (const file of ["prometheus.yml", "kubernetes/prometheus.yml"])
    expect(read(`deploy/${file}`)).toContain("credentials_file:");
});

test.each(["prometheus.yml", "kubernetes/prometheus.yml"])("Prometheus takes deploy/%s", (file) => {
  const folder = mkdtempSync(join(tmpdir(), "gantry-prometheus-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = join(folder, "prometheus.yml");
  // Debian's is built without what looks for pods.
  const pods = /kubernetes_sd_configs:\n.*\n.*\n/;
  writeFileSync(
    config,
    read(`deploy/${file}`).replace(pods, 'static_configs: [{ targets: ["pod:8080"] }]\n'),
  );
  // Without the token's file, which a container has.
  const { status, stdout, stderr } = spawnSync("promtool", ["check", "config", "--syntax-only", config], {
    encoding: "utf8",
  });
  expect(`${stdout}${stderr}`).toContain("SUCCESS");
  expect(status).toBe(0);
});
