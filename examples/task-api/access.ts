import { type AccessOptions, allOf, anyOf, guard, hasRole } from "gantry-mcp";
import type { TaskStore } from "./store.ts";

/** What the tools ask of their callers. */
export interface Access {
  /** Look at tasks, and comment on them. */
  readonly use: AccessOptions;
  /** Make new tasks. */
  readonly create: AccessOptions;
  /** Change one task. */
  readonly change: AccessOptions<{ readonly task_id: string }>;
  /** Delete one task. */
  readonly destroy: AccessOptions<{ readonly task_id: string }>;
}

/** On a laptop: whoever reaches the server is its only user. */
export const everything: Access = { use: {}, create: {}, change: {}, destroy: {} };

/**
 * In a team: members make tasks, and change those that they made or that are theirs to do; admins may do
 * everything; everybody else who signs in may look and comment.
 */
export function byRole(store: TaskStore): Access {
  const admin = hasRole("admin");
  const member = hasRole("member", "admin");
  const isMaker = guard<{ readonly task_id: string }>(
    "maker",
    ({ task_id }, { client }) => {
      const task = store.get(task_id);
      return task === undefined || task.created_by === client.clientId;
    },
    { message: "Only who made a task may delete it, or an admin" },
  );
  const isInvolved = guard<{ readonly task_id: string }>(
    "involved",
    ({ task_id }, { client }) => {
      const task = store.get(task_id);
      // A task that is not there is nobody's secret: the tool says so.
      return task === undefined || [task.created_by, task.assignee].includes(client.clientId);
    },
    { message: "Only who made a task or does it may change it, or an admin" },
  );
  return {
    use: { auth: true },
    create: { guards: [member] },
    change: { guards: [anyOf(admin, allOf(member, isInvolved))] },
    destroy: { guards: [anyOf(admin, allOf(member, isMaker))] },
  };
}
