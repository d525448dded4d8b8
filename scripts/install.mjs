// Makes node_modules what package-lock.json says, so that every command works on a fresh clone.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isMain, root } from "./run.mjs";

const floor = [20, 19];

export function install() {
  requireNode();
  const reason = whyStale();
  if (reason === undefined) return;
  console.error(`${reason}: running npm ci`);
  // Everything goes to stderr: the caller's stdout may be an MCP stream.
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund"];
  const { status } = spawnSync("npm", args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (status === 0) return;
  console.error("npm ci failed (see above). Check the network and the registry, then run the command again.");
  process.exit(1);
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > floor[0] || (major === floor[0] && minor >= floor[1])) return;
  console.error(
    `Gantry needs Node ${floor.join(".")} or newer; this is ${process.version} (${process.execPath}).`,
  );
  console.error(
    "Install a current one from https://nodejs.org or with your version manager (nvm install 22).",
  );
  process.exit(1);
}

// npm leaves a copy of the lock file of what it really installed; other platforms' optional packages are not in it.
function whyStale() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return "no node_modules yet";
  const packages = (file) => JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  const has = packages(installed);
  for (const [path, wanted] of Object.entries(packages(join(root, "package-lock.json")))) {
    if (path === "" || (has[path] === undefined && wanted.optional)) continue;
    if (has[path]?.version === wanted.version && has[path]?.integrity === wanted.integrity) continue;
    return `node_modules is older than package-lock.json (${path.replace(/^.*node_modules\//, "")})`;
  }
  return undefined;
}

if (isMain(import.meta.url)) install();
