import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { z } from "zod";
import { openDatabase, sqliteVersion } from "../../examples/task-api/database.ts";
import { migrations } from "../../examples/task-api/migrations.ts";
import { TaskCreate, TaskQuery } from "../../examples/task-api/schemas.ts";
import { TaskStore } from "../../examples/task-api/store.ts";

let directory: string;
let now: Date;
let store: TaskStore;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "task-store-"));
  now = new Date("2026-03-10T12:00:00Z");
  store = await TaskStore.open(directory, () => now);
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

const add = (task: Partial<TaskCreate> & { title: string }) => store.create(TaskCreate.parse(task));
const find = (query: Partial<z.input<typeof TaskQuery>> = {}) => store.list(TaskQuery.parse(query));
const titles = (query: Parameters<typeof find>[0]) => find(query).tasks.map((task) => task.title);

describe("tasks", () => {
  test("a task is kept as it was given", () => {
    const task = add({
      title: "Ship it",
      description: "All of it",
      priority: 5,
      tags: ["release", "api", "release"],
      assignee: "Ana",
      due_date: "2026-03-31",
    });
    expect(task).toEqual({
      id: "1",
      title: "Ship it",
      description: "All of it",
      status: "open",
      priority: 5,
      tags: ["api", "release"],
      assignee: "Ana",
      due_date: "2026-03-31",
      comment_count: 0,
      created_at: "2026-03-10T12:00:00.000Z",
      updated_at: "2026-03-10T12:00:00.000Z",
      created_by: null,
      completed_at: null,
    });
    expect(store.get("1")).toEqual({ ...task, comments: [] });
  });

  test("any text is kept: scripts, emoji, quotes, lines", () => {
    const title = `日本語 العربية 👩‍👩‍👧 "quoted" 'single' \\ %_ ; DROP TABLE tasks --`;
    const description = "one\ntwo\r\n\tthree\u2028four\u0001";
    const task = add({ title, description });
    expect(store.get(task.id)).toMatchObject({ title, description });
  });

  test("text that would not come back as it was is refused", () => {
    for (const title of ["a\u0000b", "a\ud800", "\udc00b"]) {
      expect(TaskCreate.safeParse({ title }).error?.issues[0]?.path).toEqual(["title"]);
    }
    expect(TaskCreate.parse({ title: "  e\u0301 👍 " }).title).toBe("\u00e9 👍");
    expect(TaskCreate.safeParse({ title: " \n " }).success).toBe(false);
  });

  test("only the canonical id names a task", () => {
    add({ title: "One" });
    const impostors = [
      "0",
      "01",
      "1.0",
      " 1",
      "1 ",
      "+1",
      "1e0",
      "0x1",
      "",
      "one",
      "-1",
      "9".repeat(400),
      "1\u0000",
    ];
    expect(
      impostors.filter((id) => store.get(id) ?? store.update(id, { title: "x" }) ?? store.delete(id)),
    ).toEqual([]);
    expect(store.get("1")?.title).toBe("One");
  });

  test("an update changes what it names and nothing else", () => {
    const task = add({ title: "Before", assignee: "Ana", due_date: "2026-04-01", tags: ["a"] });
    now = new Date("2026-03-11T00:00:00Z");
    expect(store.update(task.id, { priority: 1 })).toEqual({
      ...task,
      priority: 1,
      updated_at: now.toISOString(),
    });
    expect(store.update(task.id, { assignee: null, due_date: null })).toMatchObject({
      assignee: null,
      due_date: null,
    });
    expect(store.update(task.id, { title: "After" })).toMatchObject({
      title: "After",
      priority: 1,
      tags: ["a"],
    });
  });

  test("completing notes the time once, and reopening forgets it", () => {
    const { id } = add({ title: "T" });
    expect(store.update(id, { status: "done" })?.completed_at).toBe("2026-03-10T12:00:00.000Z");
    now = new Date("2026-03-12T00:00:00Z");
    expect(store.update(id, { status: "done" })?.completed_at).toBe("2026-03-10T12:00:00.000Z");
    expect(store.update(id, { status: "in_progress" })?.completed_at).toBeNull();
  });

  test("deleting takes tags and comments along, and the id is not given out again", () => {
    const { id } = add({ title: "T", tags: ["a"] });
    store.comment({ task_id: id, author: null, text: "hello" });
    expect(store.delete(id)).toBe(true);
    expect(store.delete(id)).toBe(false);
    expect(store.tags()).toEqual([]);
    expect(add({ title: "Next" }).id).toBe("2");
    expect(store.get("2")?.comments).toEqual([]);
  });

  test("comments stay in order and are counted", () => {
    const { id } = add({ title: "T" });
    const first = store.comment({ task_id: id, author: "Ana", text: "first" });
    store.comment({ task_id: id, author: null, text: "second" });
    expect(first).toEqual({ id: "1", author: "Ana", text: "first", created_at: now.toISOString() });
    expect(store.get(id)).toMatchObject({ comment_count: 2, comments: [first, { id: "2", text: "second" }] });
    expect(store.comment({ task_id: "9", author: null, text: "x" })).toBeUndefined();
  });

  test("tags are added and removed together", () => {
    const { id } = add({ title: "T", tags: ["a", "b"] });
    expect(store.tag({ task_id: id, add: ["c", "a"], remove: ["b", "nope"] })?.tags).toEqual(["a", "c"]);
    expect(store.tag({ task_id: "9", add: ["x"], remove: [] })).toBeUndefined();
    expect(store.tags()).toEqual([
      { tag: "a", tasks: 1, unfinished: 1 },
      { tag: "c", tasks: 1, unfinished: 1 },
    ]);
  });

  test("a write that fails in the middle leaves nothing behind", () => {
    const clash = { title: "T", description: "", priority: 9, tags: ["a"], assignee: null, due_date: null };
    expect(() => store.create(clash)).toThrow("CHECK constraint failed");
    expect(store.isNew()).toBe(true);
    expect(add({ title: "Next" }).tags).toEqual([]);
  });
});

describe("lists", () => {
  test("every filter narrows, and together they narrow further", () => {
    add({ title: "A", priority: 5, assignee: "Ana", tags: ["x"], due_date: "2026-03-01" });
    add({ title: "B", priority: 5, assignee: "ben", tags: ["x", "y"] });
    const done = add({ title: "C", priority: 1, assignee: "Ana", tags: ["y"] });
    add({ title: "D" });
    store.update(done.id, { status: "done" });

    expect(titles({})).toEqual(["A", "B", "C", "D"]);
    expect(titles({ status: "open" })).toEqual(["A", "B", "D"]);
    expect(titles({ status: "done" })).toEqual(["C"]);
    expect(titles({ status: "unfinished" })).toEqual(["A", "B", "D"]);
    expect(titles({ assignee: "ana" })).toEqual(["A", "C"]);
    expect(titles({ assignee: null })).toEqual(["D"]);
    expect(titles({ tag: "X" })).toEqual(["A", "B"]);
    expect(titles({ priority: 5 })).toEqual(["A", "B"]);
    expect(titles({ due_before: "2026-03-02" })).toEqual(["A"]);
    expect(titles({ due_before: "2026-03-01" })).toEqual([]);
    expect(titles({ priority: 5, tag: "y", assignee: "ben", status: "open" })).toEqual(["B"]);
    expect(titles({ tag: "y", status: "in_progress" })).toEqual([]);
  });

  test.each(["created_at", "updated_at", "due_date", "priority", "title"] as const)(
    "pages sorted by %s hold every task once, in both directions",
    (sort) => {
      for (let i = 0; i < 23; i++) {
        now = new Date(now.getTime() + (i % 3 === 0 ? 1000 : 0));
        add({
          title: ["beta", "Alpha", "émile", "alpha"][i % 4]!,
          priority: (i % 5) + 1,
          due_date: i % 4 === 0 ? null : `2026-03-${String(10 + (i % 7))}`,
        });
      }
      for (const order of ["asc", "desc"] as const) {
        const all = find({ sort, order, limit: 100 }).tasks.map((task) => task.id);
        const paged: string[] = [];
        let cursor: string | undefined;
        do {
          const page = find({ sort, order, limit: 4, cursor });
          expect(page.total).toBe(23);
          paged.push(...page.tasks.map((task) => task.id));
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        expect(paged).toEqual(all);
        expect(new Set(paged).size).toBe(23);
      }
    },
  );

  test("tasks without a due date come last in both directions", () => {
    add({ title: "none" });
    add({ title: "late", due_date: "2026-05-01" });
    add({ title: "soon", due_date: "2026-04-01" });
    expect(titles({ sort: "due_date" })).toEqual(["soon", "late", "none"]);
    expect(titles({ sort: "due_date", order: "desc" })).toEqual(["late", "soon", "none"]);
  });

  test("a page is not disturbed by tasks that come and go", () => {
    for (let i = 1; i <= 10; i++) add({ title: `T${i}` });
    const first = find({ limit: 5 });
    for (const { id } of first.tasks) store.delete(id);
    add({ title: "T11" });
    const second = find({ limit: 5, cursor: first.next_cursor! });
    expect(second.tasks.map((task) => task.title)).toEqual(["T6", "T7", "T8", "T9", "T10"]);
    expect(titles({ limit: 5, cursor: second.next_cursor! })).toEqual(["T11"]);
  });

  test("a cursor keeps its order, and a made-up one is refused", () => {
    for (let i = 1; i <= 4; i++) add({ title: `T${i}`, priority: i });
    const { next_cursor } = find({ sort: "priority", order: "desc", limit: 2 });
    expect(titles({ cursor: next_cursor! })).toEqual(["T2", "T1"]);
    const cursor = (place: unknown) => Buffer.from(JSON.stringify(place)).toString("base64url");
    for (const bad of [
      "",
      "x",
      "%%%",
      cursor(null),
      cursor([]),
      cursor({ sort: "id); DROP TABLE tasks --", order: "asc", value: 1, id: 1 }),
      cursor({ sort: "title", order: "sideways", value: "x", id: 1 }),
      cursor({ sort: "title", order: "asc", value: {}, id: 1 }),
    ]) {
      expect(TaskQuery.safeParse({ cursor: bad }).error?.issues[0]?.path[0]).toBe("cursor");
    }
  });
});

describe("search", () => {
  beforeEach(() => {
    add({ title: "Fix 50% discount_code bug", description: 'Error: "no such column"' });
    add({ title: "Déployer l'API à Paris", description: "AND OR NOT NEAR" });
    add({ title: "日本語のタスク", description: "ÉTÉ" });
    add({ title: "Plain", description: "Nothing special: a*b (c) [d] {e} ^f -g" });
  });

  test.each([
    ["50%", ["Fix 50% discount_code bug"]],
    ["%", ["Fix 50% discount_code bug"]],
    ["_", ["Fix 50% discount_code bug"]],
    ["discount_", ["Fix 50% discount_code bug"]],
    ["discountXcode", []],
    ['"', ["Fix 50% discount_code bug"]],
    ['"no', ["Fix 50% discount_code bug"]],
    ["such column", ["Fix 50% discount_code bug"]],
    ["column such", ["Fix 50% discount_code bug"]],
    ["AND", ["Déployer l'API à Paris"]],
    ["NEAR(", []],
    ["title:Plain", []],
    ["a*b", ["Plain"]],
    ["Plain OR Fix", []],
    ["l'api", ["Déployer l'API à Paris"]],
    ["DÉPLOYER", ["Déployer l'API à Paris"]],
    ["été", ["日本語のタスク"]],
    ["本語の", ["日本語のタスク"]],
    ["本語", ["日本語のタスク"]],
    ["cial: a*b", ["Plain"]],
    ["-g", ["Plain"]],
    ["pl", ["Déployer l'API à Paris", "Plain"]],
    ["\\", []],
    ["* ^ (", ["Plain"]],
    ["   ", ["Fix 50% discount_code bug", "Déployer l'API à Paris", "日本語のタスク", "Plain"]],
  ])("%j", (search, expected) => {
    expect(titles({ search })).toEqual(expected);
  });

  test("takes as many words as fit", () => {
    expect(titles({ search: "pl ".repeat(66) })).toEqual(["Déployer l'API à Paris", "Plain"]);
    expect(titles({ search: "plain ".repeat(33) })).toEqual(["Plain"]);
  });

  test("follows what becomes of a task", () => {
    const { id } = add({ title: "Ephemeral" });
    expect(titles({ search: "ephemeral" })).toEqual(["Ephemeral"]);
    store.update(id, { title: "Renamed", description: "lasting" });
    expect(titles({ search: "ephemeral" })).toEqual([]);
    expect(titles({ search: "lasting" })).toEqual(["Renamed"]);
    store.update(id, { status: "done" });
    expect(titles({ search: "lasting", status: "done" })).toEqual(["Renamed"]);
    store.delete(id);
    expect(titles({ search: "lasting" })).toEqual([]);
  });
});

test("statistics", () => {
  expect(store.stats()).toMatchObject({ total: 0, by_assignee: [], overdue: 0 });
  add({ title: "A", priority: 5, assignee: "Ana", due_date: "2026-03-09" });
  add({ title: "B", priority: 5, assignee: "ana", due_date: "2026-03-10" });
  add({ title: "C", priority: 1 });
  const { id } = add({ title: "D", priority: 1, assignee: "Ben", due_date: "2026-01-01" });
  store.update(id, { status: "done" });
  store.update("3", { status: "in_progress" });
  expect(store.stats()).toEqual({
    total: 4,
    by_status: { open: 2, in_progress: 1, done: 1 },
    by_priority: { 1: 1, 2: 0, 3: 0, 4: 0, 5: 2 },
    by_assignee: [
      { assignee: "Ana", unfinished: 2 },
      { assignee: null, unfinished: 1 },
    ],
    overdue: 1,
    completed_last_7_days: 1,
  });
  now = new Date("2026-03-20T00:00:00Z");
  expect(store.stats()).toMatchObject({ overdue: 2, completed_last_7_days: 0 });
});

test("ids complete from their beginning, the latest change first", () => {
  for (let i = 0; i < 120; i++) add({ title: "T" });
  now = new Date("2026-03-11T00:00:00Z");
  store.update("12", { priority: 1 });
  expect(store.idsLike("12")).toEqual(["12", "120"]);
  expect(store.idsLike("")).toHaveLength(100);
  expect(store.idsLike("%")).toEqual([]);
});

describe("the file", () => {
  test("is for its owner alone", () => {
    expect(statSync(join(directory, "tasks.db")).mode & 0o777).toBe(0o600);
    add({ title: "T" });
    expect(statSync(join(directory, "tasks.db-wal")).mode & 0o777).toBe(0o600);
  });

  test("is made with its directories", async () => {
    const nested = join(directory, "a", "b c", "ü");
    const other = await TaskStore.open(nested);
    other.close();
    expect(statSync(nested).mode & 0o777).toBe(0o700);
    expect(statSync(join(nested, "tasks.db")).isFile()).toBe(true);
  });

  test("is safe against a kill: write-ahead log, full synchronisation, foreign keys", async () => {
    const db = await openDatabase(directory);
    expect(db.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
    expect(db.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
    expect(db.prepare("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
    expect(db.prepare("PRAGMA user_version").get()).toEqual({ user_version: migrations.length });
    db.close();
  });

  test("is read by the next process as the last one left it", async () => {
    add({ title: "Kept", tags: ["a"] });
    store.close();
    store = await TaskStore.open(directory);
    expect(store.get("1")).toMatchObject({ title: "Kept", tags: ["a"] });
  });

  test("of a newer version is refused, and stays as it is", async () => {
    const db = await openDatabase(directory);
    db.exec("PRAGMA user_version = 99");
    db.close();
    await expect(TaskStore.open(directory)).rejects.toThrow("newer");
  });

  test("that is no database is refused", async () => {
    const other = mkdtempSync(join(tmpdir(), "task-store-"));
    writeFileSync(
      join(other, "tasks.db"),
      "this is not a database, but it is long enough to look like one".repeat(50),
    );
    await expect(TaskStore.open(other)).rejects.toThrow("not a database");
    rmSync(other, { recursive: true });
  });

  test("is shared by several stores", async () => {
    const other = await TaskStore.open(directory);
    add({ title: "Here" });
    expect(other.get("1")?.title).toBe("Here");
    other.update("1", { title: "There" });
    expect(store.get("1")?.title).toBe("There");
    other.close();
  });
});

test("the SQLite of this Node needs no warning", async () => {
  const warning = vi.spyOn(console, "error").mockImplementation(() => {});
  const db = await openDatabase(directory);
  expect(sqliteVersion(db)).toMatch(/^3\.\d+\.\d+$/);
  db.close();
  expect(warning).not.toHaveBeenCalled();
});
