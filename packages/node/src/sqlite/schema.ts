/**
 * What brings a database from each version of the schema to the next, in order; `PRAGMA user_version` counts how many it has seen. What
 * was released stays as it is: a change is a further entry.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    item TEXT NOT NULL
  ) STRICT;
  CREATE INDEX items_of_session ON items (session);
  CREATE TABLE writes (
    session INTEGER NOT NULL REFERENCES sessions ON DELETE CASCADE,
    key TEXT NOT NULL,
    PRIMARY KEY (session, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE owners (
    name TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    token TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outcomes (
    id INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    effect TEXT NOT NULL,
    outcome TEXT NOT NULL,
    recorded_ms INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outcomes_of_run ON outcomes (run);
  `,
  `
  CREATE TABLE runners (
    name TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    token TEXT NOT NULL,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];
