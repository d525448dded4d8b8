/** Each entry takes tasks.db one version further. Entries are only ever added, never changed. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE tasks (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never given out twice
    title        TEXT NOT NULL,
    description  TEXT NOT NULL,
    status       TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'in_progress', 'done')),
    priority     INTEGER NOT NULL CHECK (priority BETWEEN 1 AND 5),
    assignee     TEXT COLLATE NOCASE,
    due_date     TEXT,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL,
    completed_at TEXT
  ) STRICT;
  CREATE INDEX tasks_by_assignee ON tasks (assignee);

  CREATE TABLE task_tags (
    task_id INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    tag     TEXT NOT NULL,
    PRIMARY KEY (task_id, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tasks_by_tag ON task_tags (tag);

  CREATE TABLE comments (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    task_id    INTEGER NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    author     TEXT,
    text       TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX comments_by_task ON comments (task_id);

  -- An index of every three letters in a row, so that a search finds parts of words in any language.
  CREATE VIRTUAL TABLE task_text USING fts5 (
    title, description, content = 'tasks', content_rowid = 'id', tokenize = 'trigram'
  );
  CREATE TRIGGER task_text_insert AFTER INSERT ON tasks BEGIN
    INSERT INTO task_text (rowid, title, description) VALUES (new.id, new.title, new.description);
  END;
  CREATE TRIGGER task_text_delete AFTER DELETE ON tasks BEGIN
    INSERT INTO task_text (task_text, rowid, title, description)
    VALUES ('delete', old.id, old.title, old.description);
  END;
  CREATE TRIGGER task_text_update AFTER UPDATE OF title, description ON tasks
  WHEN old.title <> new.title OR old.description <> new.description BEGIN
    INSERT INTO task_text (task_text, rowid, title, description)
    VALUES ('delete', old.id, old.title, old.description);
    INSERT INTO task_text (rowid, title, description) VALUES (new.id, new.title, new.description);
  END;
  `,
  `
  ALTER TABLE tasks ADD COLUMN created_by TEXT;
  CREATE INDEX tasks_by_maker ON tasks (created_by);
  `,
];
