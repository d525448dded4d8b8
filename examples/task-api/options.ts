import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `The Task API: the tasks of a team, as an MCP server.

  --port <number>     where to listen (default: PORT, else 8080)
  --host <address>    on which address (default: 127.0.0.1)
  --stdio             speak over stdin and stdout instead of HTTP
  --data-dir <path>   where the tasks are kept (default: TASK_API_DATA, else .data/task-api of this project)
  --seed              begin with a few example tasks, where there never were any
  --help              show this`;

export interface Options {
  readonly port: number;
  readonly host: string;
  readonly stdio: boolean;
  readonly dataDir: string;
  readonly seed: boolean;
}

/** The command line, with the environment behind it. Ends the process where it makes no sense. */
export function readOptions(): Options {
  const { PORT, TASK_API_DATA } = process.env;
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: PORT || "8080" },
        host: { type: "string", default: "127.0.0.1" },
        stdio: { type: "boolean", default: false },
        "data-dir": { type: "string", default: TASK_API_DATA || projectPath(".data/task-api") },
        seed: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return process.exit(0);
    }
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`${values.port} is no port`);
    const { host, stdio, seed } = values;
    return { port, host, stdio, dataDir: values["data-dir"], seed };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** A path in this project, wherever the server was started from. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
