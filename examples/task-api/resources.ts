import { type MCPServer, ResourceError } from "gantry-mcp";
import type { Access } from "./access.ts";
import { statuses } from "./schemas.ts";
import type { TaskStore } from "./store.ts";

export function addResources(server: MCPServer, store: TaskStore, { use }: Access): void {
  server.resource(
    "config://app",
    {
      name: "app_config",
      title: "Configuration",
      description: "Application configuration.",
      mimeType: "application/json",
      ...use,
    },
    () => ({
      name: "task-api",
      version: "1.0.0",
      environment: process.env.NODE_ENV ?? "development",
      statuses,
      priorities: { least_urgent: 1, most_urgent: 5 },
    }),
  );

  server.resource(
    "tasks://{task_id}",
    {
      name: "task_detail",
      title: "Task",
      description: "Get task details by ID.",
      mimeType: "application/json",
      ...use,
      complete: { task_id: (begun) => store.idsLike(begun) },
    },
    ({ task_id }) => {
      const task = store.get(task_id);
      if (!task) throw new ResourceError(`Task ${task_id} not found`, { code: "RESOURCE_NOT_FOUND" });
      return task;
    },
  );

  server.resource(
    "tags://all",
    {
      name: "all_tags",
      title: "Tags",
      description: "Every tag in use, with how many tasks have it and how many of those are unfinished.",
      mimeType: "application/json",
      ...use,
    },
    () => store.tags(),
  );
}
