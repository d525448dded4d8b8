import { type ClientContext, type MCPServer, ToolError } from "gantry-mcp";
import { z } from "zod";
import {
  Comment,
  CommentCreate,
  TagChanges,
  Task,
  TaskCreate,
  TaskDetail,
  TaskId,
  TaskPage,
  TaskQuery,
  TaskStats,
  TaskUpdate,
} from "./schemas.ts";
import type { Access } from "./access.ts";
import type { TaskStore } from "./store.ts";

const reads = { readOnlyHint: true, openWorldHint: false };
const adds = { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false };
const changes = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const destroys = { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false };

export function addTools(server: MCPServer, store: TaskStore, access: Access): void {
  /** Tells who follows a task, or the tags, that they are no longer what they were. */
  const changed = <T>(id: string, result: T): T => {
    server.notify.resourceUpdated(`tasks://${id}`);
    server.notify.resourceUpdated("tags://all");
    return result;
  };

  server.tool(
    "create_task",
    {
      title: "Create task",
      description: "Create a task with validated fields.",
      input: z.object({ task: TaskCreate }),
      output: Task,
      tags: ["tasks", "write"],
      annotations: adds,
      ...access.create,
    },
    ({ task }, { client }) => {
      const created = store.create(task, nameOf(client));
      return changed(created.id, created);
    },
  );

  server.tool(
    "list_tasks",
    {
      title: "List tasks",
      description: "List tasks, optionally filtered by status, assignee, tag, priority, due date or words.",
      input: TaskQuery,
      output: TaskPage,
      tags: ["tasks", "read"],
      annotations: reads,
      ...access.use,
    },
    (query) => store.list(query),
  );

  server.tool(
    "get_task",
    {
      title: "Get task",
      description: "Get a task with its comments.",
      input: z.object({ task_id: TaskId }),
      output: TaskDetail,
      tags: ["tasks", "read"],
      annotations: reads,
      ...access.use,
    },
    ({ task_id }) => store.get(task_id) ?? notFound(task_id),
  );

  server.tool(
    "update_task",
    {
      title: "Update task",
      description: "Update task fields. What is left out stays as it is.",
      input: z.object({ task_id: TaskId, updates: TaskUpdate }),
      output: Task,
      tags: ["tasks", "write"],
      annotations: { ...changes, destructiveHint: true },
      ...access.change,
    },
    ({ task_id, updates }) => changed(task_id, store.update(task_id, updates) ?? notFound(task_id)),
  );

  server.tool(
    "complete_task",
    {
      title: "Complete task",
      description: "Mark a task as done. Doing so twice changes nothing.",
      input: z.object({ task_id: TaskId }),
      output: Task,
      tags: ["tasks", "write"],
      annotations: changes,
      ...access.change,
    },
    ({ task_id }) => changed(task_id, store.update(task_id, { status: "done" }) ?? notFound(task_id)),
  );

  server.tool(
    "delete_task",
    {
      title: "Delete task",
      description: "Delete a task with its tags and comments, for good. To finish one, use complete_task.",
      input: z.object({ task_id: TaskId }),
      output: z.object({ deleted: z.string() }),
      tags: ["tasks", "write"],
      annotations: destroys,
      ...access.destroy,
    },
    ({ task_id }) => changed(task_id, store.delete(task_id) ? { deleted: task_id } : notFound(task_id)),
  );

  server.tool(
    "add_comment",
    {
      title: "Add comment",
      description: "Add a comment to a task.",
      input: CommentCreate,
      output: Comment,
      tags: ["comments", "write"],
      annotations: adds,
      ...access.use,
    },
    (comment, { client }) =>
      changed(
        comment.task_id,
        store.comment({ ...comment, author: nameOf(client) ?? comment.author }) ?? notFound(comment.task_id),
      ),
  );

  server.tool(
    "tag_task",
    {
      title: "Tag task",
      description: "Put tags on a task, take tags off it, or both.",
      input: TagChanges,
      output: Task,
      tags: ["tags", "write"],
      annotations: changes,
      ...access.change,
    },
    (tags) => changed(tags.task_id, store.tag(tags) ?? notFound(tags.task_id)),
  );

  server.tool(
    "task_stats",
    {
      title: "Task statistics",
      description: "Count tasks by status, priority and assignee, and what is overdue or was done this week.",
      output: TaskStats,
      tags: ["tasks", "read"],
      annotations: reads,
      ...access.use,
    },
    () => store.stats(),
  );
}

/** Who calls, where that is known. */
function nameOf(client: ClientContext): string | null {
  return client.authenticated ? client.clientId : null;
}

function notFound(id: string): never {
  throw new ToolError(`Task ${id} not found`, {
    suggestion: "Call list_tasks to see which tasks there are.",
  });
}
