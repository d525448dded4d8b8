import { type Database, openDatabase, transaction } from "./database.ts";
import { after, filters, placeOf, sortKey, values, where } from "./query.ts";
import { Cursor } from "./schemas.ts";
import type { Comment, CommentCreate, TagChanges, TagCount, Task, TaskCreate } from "./schemas.ts";
import type { TaskDetail, TaskPage, TaskQuery, TaskStats, TaskUpdate } from "./schemas.ts";

type Statement = ReturnType<Database["prepare"]>;

const selectTask = `
  SELECT CAST(id AS TEXT) AS id, title, description, status, priority, assignee, due_date,
    (SELECT json_group_array(tag ORDER BY tag) FROM task_tags WHERE task_id = tasks.id) AS tags,
    (SELECT count(*) FROM comments WHERE task_id = tasks.id) AS comment_count,
    created_by, created_at, updated_at, completed_at
  FROM tasks`;

type Row = Omit<Task, "tags"> & { tags: string };
const toTask = (row: Row): Task => ({ ...row, tags: JSON.parse(row.tags) });

/**
 * The tasks of a team. Every method is synchronous and one transaction: when it has returned, what it wrote is
 * on the disk. A method that is given the id of a task answers `undefined` when there is no such task.
 */
export class TaskStore {
  readonly #db: Database;
  readonly #now: () => Date;
  readonly #statements = new Map<string, Statement>();
  /** Is told the id of each task that is made, changed or deleted here, once that is on the disk. */
  onChange: (id: string) => void = () => {};

  /** Opens the store in `directory`, which is made when it is not there. `now` is for tests. */
  static async open(directory: string, now: () => Date = () => new Date()): Promise<TaskStore> {
    return new TaskStore(await openDatabase(directory), now);
  }

  private constructor(db: Database, now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  create({ tags, ...task }: TaskCreate, created_by: string | null = null): Task {
    return this.#write(() => {
      const { lastInsertRowid } = this.#sql(
        `INSERT INTO tasks (title, description, priority, assignee, due_date, created_by, created_at, updated_at)
         VALUES ($title, $description, $priority, $assignee, $due_date, $created_by, $now, $now)`,
      ).run({ ...task, created_by, now: this.#timestamp() });
      const id = String(lastInsertRowid);
      this.#addTags(id, tags);
      return this.#read(id)!;
    });
  }

  get(id: string): TaskDetail | undefined {
    const task = this.#read(id);
    if (!task) return undefined;
    const comments = this.#sql(
      `SELECT CAST(id AS TEXT) AS id, author, text, created_at FROM comments
       WHERE task_id = ? ORDER BY comments.id`,
    ).all(id);
    return { ...task, comments };
  }

  /** One page of the matching tasks. Its cursor keeps the sort and order that the first page was asked for. */
  list(query: TaskQuery): TaskPage {
    const matching = filters(query);
    const { sort, order } = query.cursor ?? query;
    const remaining = query.cursor ? [...matching, after(query.cursor)] : matching;

    // Not kept like the other statements: there are as many of these as there are queries.
    const { total } = this.#db
      .prepare(`SELECT count(*) AS total FROM tasks ${where(matching)}`)
      .get(...values(matching));
    // Which tasks first, and then all of each: this way only one page of them is put together.
    const inOrder = `ORDER BY ${sortKey(sort, order)} ${order}, tasks.id ${order}`;
    const found: Task[] = this.#db
      .prepare(
        `${selectTask} WHERE id IN (SELECT id FROM tasks ${where(remaining)} ${inOrder} LIMIT ?) ${inOrder}`,
      )
      .all(...values(remaining), query.limit + 1)
      .map(toTask);

    const tasks = found.slice(0, query.limit);
    const last = found.length > query.limit ? tasks.at(-1) : undefined;
    return { tasks, total, next_cursor: last ? Cursor.encode(placeOf(last, { sort, order })) : null };
  }

  update(id: string, updates: TaskUpdate): Task | undefined {
    return this.#change(id, (task, now) => {
      const { title, description, status, priority, assignee, due_date } = { ...task, ...updates };
      const completed_at = status === "done" ? (task.completed_at ?? now) : null;
      this.#sql(
        `UPDATE tasks SET title = $title, description = $description, status = $status, priority = $priority,
           assignee = $assignee, due_date = $due_date, completed_at = $completed_at WHERE id = $id`,
      ).run({ id, title, description, status, priority, assignee, due_date, completed_at });
    });
  }

  tag({ task_id, add, remove }: TagChanges): Task | undefined {
    return this.#change(task_id, () => {
      this.#addTags(task_id, add);
      const untag = this.#sql("DELETE FROM task_tags WHERE task_id = ? AND tag = ?");
      for (const tag of remove) untag.run(task_id, tag);
    });
  }

  comment({ task_id, author, text }: CommentCreate): Comment | undefined {
    let comment: Comment | undefined;
    this.#change(task_id, (_task, created_at) => {
      const { lastInsertRowid } = this.#sql(
        "INSERT INTO comments (task_id, author, text, created_at) VALUES (?, ?, ?, ?)",
      ).run(task_id, author, text, created_at);
      comment = { id: String(lastInsertRowid), author, text, created_at };
    });
    return comment;
  }

  /** Deletes the task with its tags and comments, and says whether there was one. */
  delete(id: string): boolean {
    const deleted = this.#write(() => {
      const task = this.#read(id);
      if (task) this.#sql("DELETE FROM tasks WHERE id = ?").run(id);
      return task;
    });
    return deleted !== undefined;
  }

  stats(): TaskStats {
    const now = this.#now();
    const weekAgo = new Date(now.getTime() - 7 * 24 * 60 * 60 * 1000);
    const { by_status, by_priority, by_assignee, ...counts } = this.#sql(
      `WITH unfinished AS (SELECT * FROM tasks WHERE status <> 'done')
       SELECT
         (SELECT count(*) FROM tasks) AS total,
         (SELECT json_group_object(status, n) FROM (
           SELECT status, count(*) AS n FROM tasks GROUP BY status)) AS by_status,
         (SELECT json_group_object(priority, n) FROM (
           SELECT priority, count(*) AS n FROM unfinished GROUP BY priority)) AS by_priority,
         (SELECT json_group_array(json_object('assignee', assignee, 'unfinished', n)) FROM (
           SELECT assignee, count(*) AS n FROM unfinished
           GROUP BY assignee ORDER BY n DESC, assignee)) AS by_assignee,
         (SELECT count(*) FROM unfinished WHERE due_date < $today) AS overdue,
         (SELECT count(*) FROM tasks WHERE completed_at >= $weekAgo) AS completed_last_7_days`,
    ).get({ today: now.toISOString().slice(0, 10), weekAgo: weekAgo.toISOString() });
    return {
      ...counts,
      by_status: { open: 0, in_progress: 0, done: 0, ...JSON.parse(by_status) },
      by_priority: { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, ...JSON.parse(by_priority) },
      by_assignee: JSON.parse(by_assignee),
    };
  }

  /** Every tag in use, the most used first. */
  tags(): TagCount[] {
    return this.#sql(
      `SELECT tag, count(*) AS tasks, count(*) FILTER (WHERE status <> 'done') AS unfinished
       FROM task_tags JOIN tasks ON tasks.id = task_id GROUP BY tag ORDER BY tasks DESC, tag`,
    ).all();
  }

  /** The tags in use that begin with `prefix`: at most 100, as completion allows. */
  tagsLike(prefix: string): string[] {
    return this.#sql(
      `SELECT DISTINCT tag FROM task_tags WHERE substr(tag, 1, length($prefix)) = $prefix ORDER BY tag LIMIT 100`,
    )
      .all({ prefix: prefix.toLowerCase() })
      .map(({ tag }: { tag: string }) => tag);
  }

  /** The ids that begin with `prefix`, the task that changed last first: at most 100, as completion allows. */
  idsLike(prefix: string): string[] {
    return this.#sql(
      `SELECT CAST(id AS TEXT) AS id FROM tasks WHERE substr(CAST(id AS TEXT), 1, length($prefix)) = $prefix
       ORDER BY updated_at DESC, tasks.id DESC LIMIT 100`,
    )
      .all({ prefix })
      .map(({ id }: { id: string }) => id);
  }

  /** Another number once another process has written. */
  version(): number {
    return this.#sql("PRAGMA data_version").get().data_version;
  }

  /** Throws when the tasks cannot be read. */
  ping(): void {
    this.#sql("SELECT 1 FROM tasks LIMIT 1").get();
  }

  /** Whether no task was ever made here. */
  isNew(): boolean {
    return this.#sql("SELECT 1 FROM sqlite_sequence WHERE name = 'tasks'").get() === undefined;
  }

  /** Closes the file, with everything moved from its log into `tasks.db`: that file alone is a backup then. */
  close(): void {
    this.#db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#db.close();
  }

  /** Prepares each statement once. */
  #sql(text: string): Statement {
    const statement = this.#statements.get(text) ?? this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #read(id: string): Task | undefined {
    const row: Row | undefined = this.#sql(`${selectTask} WHERE id = ?`).get(id);
    return row?.id === id ? toTask(row) : undefined; // to SQLite "07" is 7; here it is no id
  }

  #write<T extends Task | undefined>(work: () => T): T {
    const task = transaction(this.#db, work);
    if (task) this.onChange(task.id);
    return task;
  }

  #change(id: string, work: (task: Task, now: string) => void): Task | undefined {
    return this.#write(() => {
      const task = this.#read(id);
      if (!task) return undefined;
      const now = this.#timestamp();
      work(task, now);
      this.#sql("UPDATE tasks SET updated_at = ? WHERE id = ?").run(now, id);
      return this.#read(id);
    });
  }

  #addTags(id: string, tags: readonly string[]): void {
    const tagAs = this.#sql("INSERT OR IGNORE INTO task_tags (task_id, tag) VALUES (?, ?)");
    for (const tag of tags) tagAs.run(id, tag);
  }

  #timestamp(): string {
    return this.#now().toISOString();
  }
}
