import { z } from "zod";

/** Text as people mean it: no space around it, one spelling for each accented letter, nothing SQLite would cut. */
const text = z
  .string()
  .refine((value) => !/[\0\p{Surrogate}]/u.test(value), "Must be Unicode text without null characters")
  .normalize()
  .trim();

export const statuses = ["open", "in_progress", "done"] as const;
export const Status = z.enum(statuses);

export const TaskId = z.string().describe('Id of the task, such as "7"');
const Title = text.min(1).max(200).describe("Task title");
const Description = text.max(20_000).describe("Detailed description");
const Priority = z.int().min(1).max(5).describe("Priority 1-5, where 5 is the most urgent");
const Assignee = text.min(1).max(100);
const DueDate = z.iso.date();
export const Tag = text.toLowerCase().min(1).max(50);

export const TaskCreate = z.object({
  title: Title,
  description: Description.default(""),
  priority: Priority.default(3),
  tags: z.array(Tag).max(50).default([]).describe("Tags"),
  assignee: Assignee.nullable().default(null).describe("Who does it"),
  due_date: DueDate.nullable().default(null).describe("Day it is due, as YYYY-MM-DD"),
});

export const TaskUpdate = z
  .strictObject({
    title: Title.exactOptional(),
    description: Description.exactOptional(),
    status: Status.exactOptional(),
    priority: Priority.exactOptional(),
    assignee: Assignee.nullable().exactOptional().describe("Who does it; null for nobody"),
    due_date: DueDate.nullable().exactOptional().describe("Day it is due, as YYYY-MM-DD; null for none"),
  })
  .refine((updates) => Object.keys(updates).length > 0, "Give at least one field to change")
  .describe("The fields to change; a field left out stays as it is");

const Order = z.object({
  sort: z.enum(["created_at", "updated_at", "due_date", "priority", "title"]).default("created_at"),
  order: z.enum(["asc", "desc"]).default("asc"),
});

/**
 * The place of a page's last task in its order. The next page starts after that place, so tasks that come or
 * go meanwhile neither repeat nor hide another. Clients see an opaque string.
 */
export const Cursor = z.codec(
  z.string().max(2_000),
  Order.extend({ value: z.union([z.string(), z.number()]), id: z.int() }),
  {
    decode: (cursor, { issues }) => {
      try {
        return JSON.parse(Buffer.from(cursor, "base64url").toString());
      } catch {
        issues.push({ code: "custom", input: cursor, message: "Not a cursor that list_tasks gave out" });
        return z.NEVER;
      }
    },
    encode: (place) => Buffer.from(JSON.stringify(place)).toString("base64url"),
  },
);

export const TaskQuery = z.object({
  status: z
    .enum(["all", "unfinished", ...statuses])
    .default("all")
    .describe("Only tasks of this status; unfinished means open or in progress"),
  assignee: Assignee.nullable().optional().describe("Only tasks of this person; null for those of nobody"),
  created_by: text.min(1).max(200).optional().describe("Only tasks that this person made"),
  tag: Tag.optional().describe("Only tasks with this tag"),
  priority: Priority.optional().describe("Only tasks of this priority"),
  due_before: DueDate.optional().describe("Only tasks due before this day, as YYYY-MM-DD"),
  search: text.max(200).optional().describe("Only tasks with all of these words in title or description"),
  ...Order.shape,
  limit: z.int().min(1).max(100).default(20).describe("Tasks in a page"),
  cursor: Cursor.optional().describe("next_cursor of the page before; repeat the filters with it"),
});

export const Task = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  status: Status,
  priority: z.int(),
  tags: z.array(z.string()),
  assignee: z.string().nullable(),
  due_date: z.string().nullable(),
  comment_count: z.int(),
  created_by: z.string().nullable().describe("Who made it, where people sign in"),
  created_at: z.string(),
  updated_at: z.string(),
  completed_at: z.string().nullable(),
});

export const CommentCreate = z.object({
  task_id: TaskId,
  text: text.min(1).max(20_000).describe("What to say"),
  author: text.min(1).max(100).nullable().default(null).describe("Who says it"),
});

export const TagChanges = z.object({
  task_id: TaskId,
  add: z.array(Tag).max(50).default([]).describe("Tags to put on the task"),
  remove: z.array(Tag).max(50).default([]).describe("Tags to take off it"),
});

export const Comment = z.object({
  id: z.string(),
  author: z.string().nullable(),
  text: z.string(),
  created_at: z.string(),
});

export const TaskDetail = Task.extend({ comments: z.array(Comment) });

export const TaskPage = z.object({
  tasks: z.array(Task),
  total: z.int().describe("How many tasks match, on all pages together"),
  next_cursor: z.string().nullable().describe("Pass as cursor for the next page; null on the last one"),
});

export const TaskStats = z.object({
  total: z.int(),
  by_status: z.object({ open: z.int(), in_progress: z.int(), done: z.int() }),
  by_priority: z
    .object({ 1: z.int(), 2: z.int(), 3: z.int(), 4: z.int(), 5: z.int() })
    .describe("Unfinished tasks"),
  by_assignee: z.array(z.object({ assignee: z.string().nullable(), unfinished: z.int() })),
  overdue: z.int().describe("Unfinished tasks whose day has passed (UTC)"),
  completed_last_7_days: z.int(),
});

export const TagCount = z.object({ tag: z.string(), tasks: z.int(), unfinished: z.int() });

export type Cursor = z.output<typeof Cursor>;
export type TaskCreate = z.infer<typeof TaskCreate>;
export type TaskUpdate = z.infer<typeof TaskUpdate>;
export type TaskQuery = z.infer<typeof TaskQuery>;
export type Task = z.infer<typeof Task>;
export type Comment = z.infer<typeof Comment>;
export type TagChanges = z.infer<typeof TagChanges>;
export type CommentCreate = z.infer<typeof CommentCreate>;
export type TaskDetail = z.infer<typeof TaskDetail>;
export type TaskPage = z.infer<typeof TaskPage>;
export type TaskStats = z.infer<typeof TaskStats>;
export type TagCount = z.infer<typeof TagCount>;
