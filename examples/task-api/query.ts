import type { Cursor, Task, TaskQuery } from "./schemas.ts";

/** A piece of SQL and the values of its question marks. */
export type Condition = [sql: string, ...values: (string | number | null)[]];

/** What a task must be to match the query. */
export function filters(query: TaskQuery): Condition[] {
  const { status, assignee, created_by, tag, priority, due_before, search = "" } = query;
  const conditions: Condition[] = [];
  if (status === "unfinished") conditions.push(["status <> 'done'"]);
  else if (status !== "all") conditions.push(["status = ?", status]);
  if (assignee !== undefined) conditions.push(["assignee IS ?", assignee]);
  if (created_by !== undefined) conditions.push(["created_by = ?", created_by]);
  if (tag !== undefined) conditions.push(["id IN (SELECT task_id FROM task_tags WHERE tag = ?)", tag]);
  if (priority !== undefined) conditions.push(["priority = ?", priority]);
  if (due_before !== undefined) conditions.push(["due_date < ?", due_before]);
  return [...conditions, ...words(search).map(contains)];
}

export function where(conditions: readonly Condition[]): string {
  return conditions.length === 0 ? "" : `WHERE ${conditions.map(([sql]) => sql).join(" AND ")}`;
}

export function values(conditions: readonly Condition[]): (string | number | null)[] {
  return conditions.flatMap(([, ...found]) => found);
}

/** The tasks that come after a place in its order, which the id makes a total one. */
export function after({ sort, order, value, id }: Cursor): Condition {
  return [`(${sortKey(sort, order)}, id) ${order === "asc" ? ">" : "<"} (?, ?)`, value, id];
}

export function placeOf(task: Task, { sort, order }: Pick<TaskQuery, "sort" | "order">): Cursor {
  return { sort, order, value: task[sort] ?? undated(order), id: Number(task.id) };
}

export function sortKey(sort: TaskQuery["sort"], order: TaskQuery["order"]): string {
  if (sort === "title") return "title COLLATE NOCASE";
  if (sort === "due_date") return `coalesce(due_date, '${undated(order)}')`;
  return sort;
}

/** Tasks without a due date come last, whichever way the others go. */
const undated = (order: TaskQuery["order"]): string => (order === "asc" ? "9999-99-99" : "");

const words = (search: string): string[] => search.split(/\s+/).filter(Boolean);

/** The index knows every three letters in a row; a shorter word has to be looked for in the text itself. */
function contains(word: string): Condition {
  if (Array.from(word).length < 3) {
    return ["instr(lower(title || char(10) || description), lower(?)) > 0", word];
  }
  // In quotes, nothing in the word is search syntax.
  return ["id IN (SELECT rowid FROM task_text WHERE task_text MATCH ?)", `"${word.replaceAll('"', '""')}"`];
}
