import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const usage = `The Task API: the tasks of a team, as an MCP server.

  --port <number>     where to listen (default: PORT, else 8080)
  --host <address>    on which address (default: 127.0.0.1)
  --stdio             speak over stdin and stdout instead of HTTP
  --data-dir <path>   where the tasks are kept (default: TASK_API_DATA, else .data/task-api of this project)
  --seed              begin with a few example tasks, where there never were any
  --auth dev          people say who they are: with tokens of this server, on this machine alone
  --issuer <url>      people say who they are: with tokens of this identity provider (default: TASK_API_ISSUER)
  --resource <url>    the URL of this server, for which the tokens are (default: TASK_API_RESOURCE)
  --roles-claim <name> where tokens have the roles admin and member (default: TASK_API_ROLES_CLAIM, else roles)
  --allow-unauthenticated <reason>
                      why whoever reaches --host may do everything, where nobody says who they are
  --public-url <url>  by which URL clients call the server then, such as http://127.0.0.1:8080/mcp
  --trusted-proxies <list>
                      addresses and networks of proxies in front, with commas between: what they say of where calls come
                      from is believed (default: TRUSTED_PROXIES, else none)
  --processes <n>     how many processes serve: a number, or auto for one on each core (default: 1)
  --redis <url>       where several servers share what they count and keep (default: REDIS_URL)
  --audit <file>      who did what, signed with AUDIT_KEY (default: TASK_API_AUDIT, else not written)
  --help              show this`;

export interface Options {
  readonly port: number;
  readonly host: string;
  readonly stdio: boolean;
  readonly dataDir: string;
  readonly seed: boolean;
  readonly auth: "dev" | undefined;
  readonly issuer: string | undefined;
  readonly resource: string | undefined;
  readonly rolesClaim: string;
  readonly allowUnauthenticated: string | undefined;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly string[];
  readonly processes: number | "auto";
  readonly redis: string | undefined;
  readonly audit: string | undefined;
}

/** The command line, with the environment behind it. Ends the process where it makes no sense. */
export function readOptions(): Options {
  const { PORT, TASK_API_DATA, TASK_API_ISSUER, TASK_API_RESOURCE, TASK_API_ROLES_CLAIM } = process.env;
  const { TASK_API_AUDIT, REDIS_URL, TRUSTED_PROXIES } = process.env;
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: PORT || "8080" },
        host: { type: "string", default: "127.0.0.1" },
        stdio: { type: "boolean", default: false },
        "data-dir": { type: "string", default: TASK_API_DATA || projectPath(".data/task-api") },
        seed: { type: "boolean", default: false },
        auth: { type: "string" },
        issuer: { type: "string" },
        resource: { type: "string" },
        "roles-claim": { type: "string", default: TASK_API_ROLES_CLAIM || "roles" },
        "allow-unauthenticated": { type: "string" },
        "public-url": { type: "string" },
        "trusted-proxies": { type: "string", default: TRUSTED_PROXIES || "" },
        processes: { type: "string", default: "1" },
        redis: { type: "string", default: REDIS_URL || "" },
        audit: { type: "string", default: TASK_API_AUDIT || "" },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      return process.exit(0);
    }
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535) throw new Error(`${values.port} is not a port`);
    const { host, stdio, seed, auth, processes } = values;
    if (processes !== "auto" && !/^[1-9]\d*$/.test(processes))
      throw new Error(`--processes ${processes}: write a number from 1, or auto`);
    if (stdio && processes !== "1") throw new Error("--processes is for HTTP: leave out --stdio");
    const dev = auth === "dev";
    if (auth !== undefined && !dev) throw new Error(`--auth ${auth} is not known: write --auth dev`);
    if (dev && stdio) throw new Error("--auth dev issues tokens over HTTP: leave out --stdio");
    // What the environment says is for the server as it is deployed.
    const issuer = values.issuer || (dev ? undefined : TASK_API_ISSUER || undefined);
    const resource = values.resource || (dev ? undefined : TASK_API_RESOURCE || undefined);
    if (dev && (issuer ?? resource))
      throw new Error("--auth dev stands in for --issuer and --resource: write one");
    if ((issuer === undefined) !== (resource === undefined))
      throw new Error("--issuer and --resource need each other: who issues the tokens, and for which server");
    return {
      port,
      host,
      stdio,
      dataDir: values["data-dir"],
      seed,
      auth: dev ? "dev" : undefined,
      issuer,
      resource,
      rolesClaim: values["roles-claim"],
      allowUnauthenticated: values["allow-unauthenticated"],
      publicUrl: values["public-url"],
      trustedProxies: values["trusted-proxies"].split(",").flatMap((each) => each.trim() || []),
      processes: processes === "auto" ? processes : Number(processes),
      redis: values.redis || undefined,
      audit: values.audit || undefined,
    };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

/** A path in this project, wherever the server was started from. */
export function projectPath(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}
