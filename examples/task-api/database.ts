import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSyncInstance } from "@photostructure/sqlite";
import { migrations } from "./migrations.ts";

export type Database = DatabaseSyncInstance;

/** Opens `tasks.db` in `directory`, creating both for their owner alone, and brings its tables up to date. */
export async function openDatabase(directory: string): Promise<Database> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, "tasks.db");
  closeSync(openSync(file, "a", 0o600)); // SQLite would create it readable by everyone

  const { DatabaseSync } = await sqlite();
  const db = new DatabaseSync(file);
  try {
    // In WAL mode a commit is one fsync of the log; FULL makes it happen before COMMIT returns, so what a
    // handler has answered is on the disk. (macOS needs fullfsync for that: its fsync stops at the drive.)
    db.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA fullfsync = ON;
      PRAGMA foreign_keys = ON;
    `);
    warnAboutOldVersion(db);
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** The SQLite inside Node 22.13 and later, or the package with the same API on older releases. */
async function sqlite(): Promise<typeof import("@photostructure/sqlite")> {
  const builtIn = process.getBuiltinModule("node:sqlite") as
    | typeof import("@photostructure/sqlite")
    | undefined;
  return builtIn ?? (await import("@photostructure/sqlite"));
}

/** Runs `work` in one transaction: all of it is durable when this returns, or none of it happened. */
export function transaction<T>(db: Database, work: () => T): T {
  db.exec("BEGIN IMMEDIATE"); // take the write lock now: upgrading a read lock later can fail
  try {
    const result = work();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** `PRAGMA user_version` counts the migrations that this file has had. */
function migrate(db: Database): void {
  transaction(db, () => {
    const { user_version: done } = db.prepare("PRAGMA user_version").get();
    if (done > migrations.length) {
      throw new Error(
        `tasks.db was written by a newer Task API (schema ${done}, this one knows ${migrations.length})`,
      );
    }
    for (const migration of migrations.slice(done)) db.exec(migration);
    db.exec(`PRAGMA user_version = ${migrations.length}`);
  });
}

export function sqliteVersion(db: Database): string {
  return db.prepare("SELECT sqlite_version() AS version").get().version;
}

function warnAboutOldVersion(db: Database): void {
  const version = sqliteVersion(db);
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major * 1_000_000 + minor * 1_000 + patch >= 3_051_003) return;
  console.error(
    `Warning: SQLite ${version} has a rare bug that can damage the file when two processes write to it at once ` +
      "(https://sqlite.org/wal.html#walresetbug, fixed in 3.51.3). Update Node, or run one server per data directory.",
  );
}
