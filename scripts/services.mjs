// Real services that tests start for themselves: installs those that are missing, where this machine is a Debian and we may.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { isMain } from "./run.mjs";

/** The programs that tests in test/services start, which are also the names of their packages. */
const programs = ["haproxy", "openssl", "prometheus", "redis-server"];

export function installServices() {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const command = `apt-get install ${missing.join(" ")}`;
  if (!isThere("apt-get") || !(isRoot() || mayBecomeRoot())) {
    console.error(`Tests in test/services need ${missing.join(" and ")}. Install them: ${command}`);
    return;
  }
  console.error(`${missing.join(" and ")} missing: ${command}`);
  // RUNLEVEL keeps Debian from starting what it installs: tests start their own, on ports of their own.
  const apt = (...args) =>
    asRoot("env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "-q", "-y", ...args);
  apt("update");
  if (!apt("install", "--no-install-recommends", ...missing))
    console.error(`${command} failed (see above): the tests that need them will fail, and say so.`);
}

function isThere(program) {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const isRoot = () => process.getuid?.() === 0;

function mayBecomeRoot() {
  return isThere("sudo") && spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
}

// Everything goes to stderr: the caller's stdout may be an MCP stream.
function asRoot(...command) {
  const [program, ...args] = isRoot() ? command : ["sudo", "-n", ...command];
  return spawnSync(program, args, { stdio: ["ignore", 2, 2] }).status === 0;
}

if (isMain(import.meta.url)) installServices();
