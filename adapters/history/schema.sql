-- Plain SQL that PostgreSQL runs too. Numbers of rows are given by the one writer, never by the
-- database; times are text, UTC, always with microseconds, so that they sort as they read.

CREATE TABLE controllers (
    token   INTEGER PRIMARY KEY,
    started TEXT NOT NULL
);

CREATE TABLE rollouts (
    id        TEXT PRIMARY KEY,
    number    INTEGER NOT NULL UNIQUE,
    service   TEXT NOT NULL,
    phase     TEXT NOT NULL,
    submitted TEXT NOT NULL,
    body      TEXT NOT NULL
);
CREATE INDEX rollouts_by_service ON rollouts (service, number);
CREATE INDEX rollouts_by_phase ON rollouts (phase, service, number);

CREATE TABLE intents (
    operation TEXT PRIMARY KEY,
    release   TEXT NOT NULL REFERENCES rollouts (id),
    service   TEXT NOT NULL,
    host      TEXT NOT NULL,
    revision  TEXT NOT NULL,
    at        TEXT NOT NULL
);
CREATE INDEX intents_by_release ON intents (release);

CREATE TABLE outcomes (
    operation TEXT PRIMARY KEY REFERENCES intents (operation),
    result    TEXT NOT NULL,
    detail    TEXT NOT NULL,
    at        TEXT NOT NULL
);

-- The audit trail. Rows are only ever added; `hash` is over the row and the hash before it.
CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    at       TEXT NOT NULL,
    who      TEXT NOT NULL,
    uid      INTEGER,
    origin   TEXT NOT NULL,
    service  TEXT NOT NULL,
    release  TEXT NOT NULL,
    revision TEXT NOT NULL,
    action   TEXT NOT NULL,
    detail   TEXT NOT NULL,
    evidence TEXT NOT NULL,
    hash     TEXT NOT NULL
);
CREATE INDEX events_by_service ON events (service, id);
CREATE INDEX events_by_time ON events (at);

CREATE TABLE slices (
    start   TEXT NOT NULL,
    service TEXT NOT NULL,
    total   BIGINT NOT NULL,
    bad     BIGINT NOT NULL,
    PRIMARY KEY (start, service)
);

CREATE TABLE requests (
    request  TEXT PRIMARY KEY,
    service  TEXT NOT NULL,
    release  TEXT NOT NULL,
    said     TEXT NOT NULL,
    answered TEXT NOT NULL
);
