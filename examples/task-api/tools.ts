import { type MCPRouter, ToolError, dependency } from "gantry-mcp";
import { z } from "zod";
import { Comment, CommentCreate, TagChanges, Task, TaskCreate, TaskDetail } from "./schemas.ts";
import { TaskId, TaskPage, TaskQuery, TaskStats, TaskUpdate } from "./schemas.ts";
import type { Access } from "./access.ts";
import type { TaskStore } from "./store.ts";

/** In whose name a call writes, where that is known. */
const caller = dependency(({ client }) => (client.authenticated ? client.clientId : null));

// What tools of a kind have in common, beside what all of them have from their router.
const reads = { tags: ["read"], annotations: { readOnlyHint: true, openWorldHint: false } } as const;
const queries = { ...reads, cache: { ttl: "1m", scope: "shared" } } as const;
const writes = { tags: ["write"], invalidates: ["tasks"] } as const;
const hints = { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false };
const changes = { ...writes, annotations: hints } as const;
const destroys = { ...writes, annotations: { ...hints, destructiveHint: true } } as const;
const adds = {
  ...writes,
  annotations: { ...hints, idempotentHint: false },
  idempotent: { key: "client" },
  inject: { author: caller },
} as const;

export function addTools(router: MCPRouter, store: TaskStore, access: Access): void {
  router.tool(
    "create_task",
    {
      title: "Create task",
      description: "Create a task with validated fields.",
      input: z.object({ task: TaskCreate }),
      output: Task,
      ...adds,
      ...access.create,
    },
    ({ task }, { author }) => store.create(task, author),
  );

  router.tool(
    "list_tasks",
    {
      title: "List tasks",
      description: "List tasks, optionally filtered by status, assignee, tag, priority, due date or words.",
      input: TaskQuery,
      output: TaskPage,
      ...queries,
    },
    (query) => store.list(query),
  );

  router.tool(
    "get_task",
    {
      title: "Get task",
      description: "Get a task with its comments.",
      input: z.object({ task_id: TaskId }),
      output: TaskDetail,
      ...reads,
    },
    ({ task_id }) => store.get(task_id) ?? notFound(task_id),
  );

  router.tool(
    "update_task",
    {
      title: "Update task",
      description: "Update task fields. What is left out stays as it is.",
      input: z.object({ task_id: TaskId, updates: TaskUpdate }),
      output: Task,
      ...destroys,
      ...access.change,
    },
    ({ task_id, updates }) => store.update(task_id, updates) ?? notFound(task_id),
  );

  router.tool(
    "complete_task",
    {
      title: "Complete task",
      description: "Mark a task as done. Doing so twice changes nothing.",
      input: z.object({ task_id: TaskId }),
      output: Task,
      ...changes,
      ...access.change,
    },
    ({ task_id }) => store.update(task_id, { status: "done" }) ?? notFound(task_id),
  );

  router.tool(
    "delete_task",
    {
      title: "Delete task",
      description: "Delete a task with its tags and comments, for good. To finish one, use complete_task.",
      input: z.object({ task_id: TaskId }),
      output: z.object({ deleted: z.string() }),
      ...destroys,
      ...access.destroy,
    },
    ({ task_id }) => (store.delete(task_id) ? { deleted: task_id } : notFound(task_id)),
  );

  router.tool(
    "add_comment",
    {
      title: "Add comment",
      description: "Add a comment to a task.",
      input: CommentCreate,
      output: Comment,
      ...adds,
    },
    (comment, { author }) =>
      store.comment({ ...comment, author: author ?? comment.author }) ?? notFound(comment.task_id),
  );

  router.tool(
    "tag_task",
    {
      title: "Tag task",
      description: "Put tags on a task, take tags off it, or both.",
      input: TagChanges,
      output: Task,
      ...changes,
      ...access.change,
    },
    (tags) => store.tag(tags) ?? notFound(tags.task_id),
  );

  router.tool(
    "task_stats",
    {
      title: "Task statistics",
      description: "Count tasks by status, priority and assignee, and what is overdue or was done this week.",
      output: TaskStats,
      ...queries,
    },
    () => store.stats(),
  );
}

function notFound(id: string): never {
  throw new ToolError(`Task ${id} not found`, {
    suggestion: "Call list_tasks to see which tasks there are.",
  });
}
