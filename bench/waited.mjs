import { readFileSync } from "node:fs";

/** For how many milliseconds this process was ready to run and others had its processor; only Linux tells. */
export function waited() {
  try {
    return Number(readFileSync("/proc/self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
