import type { MCPRouter } from "gantry-mcp";
import { z } from "zod";
import { statuses, type Task, TaskQuery } from "./schemas.ts";
import type { TaskStore } from "./store.ts";

export function addPrompts(router: MCPRouter, store: TaskStore): void {
  const tagsLike = (begun: string): string[] => store.tagsLike(begun);

  router.prompt(
    "task_summary",
    {
      title: "Summarize tasks",
      description: "Generate a prompt to summarize tasks for a project.",
      input: z.object({
        project: z.string().describe("Name of the project"),
        status: z.string().default("all").describe("Which of its tasks"),
      }),
      complete: { project: tagsLike, status: ["all", ...statuses] },
    },
    ({ project, status }) => `Summarize all ${status} tasks for project ${project}.`,
  );

  router.prompt(
    "plan_work",
    {
      title: "Plan work",
      description: "Plan the way to a goal from the unfinished tasks.",
      input: z.object({
        goal: z.string().min(1).describe("What to reach"),
        tag: z.string().trim().toLowerCase().default("").describe("Only tasks with this tag"),
      }),
      complete: { tag: tagsLike },
    },
    ({ goal, tag }) => {
      const urgent = { status: "unfinished", sort: "priority", order: "desc", limit: 50 };
      const { tasks, total } = store.list(TaskQuery.parse({ ...urgent, ...(tag && { tag }) }));
      const which = tag ? `unfinished tasks tagged "${tag}"` : "unfinished tasks";
      return `Plan how to reach this goal: ${goal}

There are ${total} ${which}. The most urgent ${tasks.length}:
${tasks.map(describe).join("\n")}

1. Say which of these tasks the goal needs, in which order, and what waits for what.
2. Name what is missing, and propose it as tasks with title, priority, assignee and due date.
3. Point out what is at risk: overdue, unassigned, or too large.
Change nothing yet. Once I agree, use create_task, update_task and tag_task to put the plan in place.`;
    },
  );
}

function describe({ id, title, priority, status, assignee, due_date }: Task): string {
  const facts = [`priority ${priority}`, status, assignee ?? "unassigned", due_date && `due ${due_date}`];
  return `- Task ${id}: ${title} (${facts.filter(Boolean).join(", ")})`;
}
