import { type AuthenticationLayer, MCPServer } from "gantry-mcp";
import { byRole, everything } from "./access.ts";
import { addPrompts } from "./prompts.ts";
import { addResources } from "./resources.ts";
import type { TaskStore } from "./store.ts";
import { addTools } from "./tools.ts";

/**
 * The Task API over a store: everything but the way in. With `authentication`, a layer that finds out who calls,
 * people may do what their roles allow; without it everybody may do everything.
 */
export function taskServer(store: TaskStore, authentication?: AuthenticationLayer): MCPServer {
  const server = new MCPServer({
    name: "task-api",
    title: "Task API",
    version: "1.0.0",
    instructions:
      "The tasks of a team. Look with list_tasks before you create, so that nothing is there twice. " +
      "Dates are YYYY-MM-DD; priority 5 is the most urgent. Finish a task with complete_task; " +
      "delete_task is for mistakes only, since it takes the task's comments along.",
    unknownArguments: "refuse",
  });
  if (authentication) server.use(authentication);
  const access = authentication ? byRole(store) : everything;
  addTools(server, store, access);
  addResources(server, store, access);
  addPrompts(server, store, access);
  server.readiness("database", () => store.ping());
  return server;
}
