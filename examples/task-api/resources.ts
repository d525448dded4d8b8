import { type MCPRouter, ResourceError } from "gantry-mcp";
import { statuses } from "./schemas.ts";
import type { TaskStore } from "./store.ts";

export function addResources(router: MCPRouter, store: TaskStore): void {
  router.resource(
    "config://app",
    {
      name: "app_config",
      title: "Configuration",
      description: "Application configuration.",
      mimeType: "application/json",
    },
    () => ({
      name: "task-api",
      version: "1.0.0",
      environment: process.env.NODE_ENV ?? "development",
      statuses,
      priorities: { least_urgent: 1, most_urgent: 5 },
    }),
  );

  router.resource(
    "tasks://{task_id}",
    {
      name: "task_detail",
      title: "Task",
      description: "Get task details by ID.",
      mimeType: "application/json",
      complete: { task_id: (begun) => store.idsLike(begun) },
    },
    ({ task_id }) => {
      const task = store.get(task_id);
      if (!task) throw new ResourceError(`Task ${task_id} not found`, { code: "RESOURCE_NOT_FOUND" });
      return task;
    },
  );

  router.resource(
    "tags://all",
    {
      name: "all_tags",
      title: "Tags",
      description: "Every tag in use, with how many tasks have it and how many of those are unfinished.",
      mimeType: "application/json",
      cache: { ttl: "1m", scope: "shared" },
    },
    () => store.tags(),
  );
}
