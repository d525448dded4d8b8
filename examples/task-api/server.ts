import { type AuthenticationLayer, type Backend, type CacheStore, MCPRouter, MCPServer } from "gantry-mcp";
import { logging, memoryCache, rateLimit } from "gantry-mcp";
import { byRole, everything } from "./access.ts";
import { addPrompts } from "./prompts.ts";
import { addResources } from "./resources.ts";
import type { TaskStore } from "./store.ts";
import { addTools } from "./tools.ts";

/** What the server is given besides its store. */
interface Surroundings {
  /** By which URL clients call it, where no authentication says so. */
  readonly publicUrl?: string | undefined;
  /** Proxies that are believed when they say where calls come from. */
  readonly trustedProxies?: readonly string[];
  /** Where it shares what it counts with other servers. */
  readonly backend?: Backend | undefined;
  /** Adds layers outside all others. */
  readonly observe?: (server: MCPServer) => void;
}

/**
 * The Task API over a store: everything but the way in. With `authentication`, a layer that finds out who calls,
 * people may do what their roles allow, and calls are logged and counted; without it everybody may do everything.
 */
export function taskServer(
  store: TaskStore,
  authentication?: AuthenticationLayer,
  { publicUrl, trustedProxies = [], backend, observe }: Surroundings = {},
): MCPServer {
  const server = new MCPServer({
    name: "task-api",
    title: "Task API",
    version: "1.0.0",
    instructions:
      "The tasks of a team. Look with list_tasks before you create, so that nothing is there twice. " +
      "Dates are YYYY-MM-DD; priority 5 is the most urgent. Finish a task with complete_task; " +
      "delete_task is for mistakes only, since it takes the task's comments along.",
    unknownArguments: "refuse",
    cache: { store: cacheOf(store) },
    http: { trustedProxies, ...(publicUrl !== undefined && { publicUrl }) },
    ...(backend && { backend }),
  });
  observe?.(server);
  const layers = authentication ? [logging(), authentication, rateLimit({ perMinute: 300 })] : [];
  for (const layer of layers) server.use(layer);
  const access = authentication ? byRole(store) : everything;
  const tasks = new MCPRouter({ tags: ["tasks"], ...access.use });
  addTools(tasks, store, access);
  addResources(tasks, store);
  addPrompts(tasks, store);
  store.onChange = (id) => {
    for (const uri of [`tasks://${id}`, "tags://all"]) server.notify.resourceUpdated(uri);
  };
  return server.include(tasks).readiness("database", () => store.ping());
}

/** Results in memory, which are old once another process has written to the file. */
function cacheOf(store: TaskStore): CacheStore {
  const cache = memoryCache();
  let version = store.version();
  return {
    read: (key, tags) => {
      const now = store.version();
      if (now !== version) void cache.invalidate(tags);
      version = now;
      return cache.read(key, tags);
    },
    write: (...entry) => cache.write(...entry),
    invalidate: (tags) => cache.invalidate(tags),
  };
}
