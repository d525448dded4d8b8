// One variant in one scenario, as a process of its own. The parent asks over IPC for the CPU time spent so far,
// and, for the profiler, for what it was spent on.
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { scenarioNamed } from "./scenarios.mjs";
import { waited } from "./waited.mjs";

const inspector = new Session();

const answers = {
  async start({ variant, scenario, answer, auditSync }) {
    const { start } = await import(`./variants/${variant}.mjs`);
    const options = answer && { answer: { ...answer, body: Buffer.from(answer.body, "base64") } };
    const { port } = await start(scenarioNamed(scenario), { ...options, auditSync });
    return { port };
  },
  cpu() {
    const { user, system } = process.cpuUsage();
    return { micros: user + system, waited: waited() };
  },
  async profileStart() {
    inspector.connect();
    await inspector.post("Profiler.enable");
    await inspector.post("Profiler.setSamplingInterval", { interval: 200 });
    await inspector.post("Profiler.start");
    return {};
  },
  async profileStop({ file }) {
    const { profile } = await inspector.post("Profiler.stop");
    inspector.disconnect();
    writeFileSync(file, JSON.stringify(profile));
    return {};
  },
  async heapStart() {
    inspector.connect();
    await inspector.post("HeapProfiler.startSampling", {
      samplingInterval: 4096,
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    return {};
  },
  async heapStop({ file }) {
    const { profile } = await inspector.post("HeapProfiler.stopSampling");
    inspector.disconnect();
    writeFileSync(file, JSON.stringify(profile));
    return {};
  },
};

process.on("message", async ({ id, ask, ...rest }) => {
  try {
    process.send({ id, ...(await answers[ask](rest)) });
  } catch (error) {
    process.send({ id, error: error.stack ?? String(error) });
  }
});
process.on("disconnect", () => process.exit());
