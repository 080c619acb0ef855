-- What the judge is shown, what it remembers and what it said. None of it is audit: it is forgotten in time.
-- Bodies are of `packing.py`. BYTEA is PostgreSQL's name for bytes, and SQLite keeps bytes as they are in it.

CREATE TABLE trials (
    release TEXT NOT NULL,
    wave    INTEGER NOT NULL,
    at      TEXT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (release, wave)
);
CREATE INDEX trials_by_time ON trials (at);

CREATE TABLE evidence (
    release  TEXT NOT NULL,
    wave     INTEGER NOT NULL,
    looks    INTEGER NOT NULL,
    settings TEXT NOT NULL,
    body     BYTEA NOT NULL,
    PRIMARY KEY (release, wave)
);

CREATE TABLE looks (
    release TEXT NOT NULL,
    wave    INTEGER NOT NULL,
    number  INTEGER NOT NULL,
    at      TEXT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (release, wave, number)
);

CREATE TABLE recorded (
    service TEXT NOT NULL,
    at      TEXT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (service, at)
);
CREATE INDEX recorded_by_time ON recorded (at);

CREATE TABLE calibrations (
    service TEXT NOT NULL,
    at      TEXT NOT NULL,
    body    BYTEA NOT NULL,
    PRIMARY KEY (service, at)
);
