import { TaskCreate } from "./schemas.ts";
import type { TaskStore } from "./store.ts";

const examples = [
  { title: "Review the pull request for search", priority: 4, tags: ["review", "search"], assignee: "ana" },
  { title: "Deploy version 2", priority: 5, tags: ["release"], assignee: "ben" },
  { title: "Write the release notes", tags: ["release", "docs"] },
  {
    title: "Try Gantry",
    description: "Ask your assistant what there is to do.",
    priority: 1,
    tags: ["docs"],
  },
];

/** A few tasks to play with. */
export function seed(store: TaskStore): void {
  for (const example of examples) store.create(TaskCreate.parse(example));
  store.update("1", { status: "in_progress" });
  store.update("4", { status: "done" });
  store.comment({ task_id: "2", author: "ana", text: "Waits for the release notes." });
}
