-- What readiness lists go by over weeks. Days and times are unix seconds; a level is a step of a fixed row
-- (pipeline/readiness/use.py), and each count one host and minute.

CREATE TABLE use_days (
    service  TEXT NOT NULL,
    resource TEXT NOT NULL,
    day      BIGINT NOT NULL,
    minutes  INTEGER NOT NULL,
    PRIMARY KEY (service, resource, day)
);
CREATE INDEX use_days_by_day ON use_days (day);

CREATE TABLE use_levels (
    service  TEXT NOT NULL,
    resource TEXT NOT NULL,
    day      BIGINT NOT NULL,
    level    INTEGER NOT NULL,
    count    BIGINT NOT NULL,
    PRIMARY KEY (service, resource, day, level)
);
CREATE INDEX use_levels_by_day ON use_levels (day);

CREATE TABLE callers (
    service TEXT NOT NULL,
    name    TEXT NOT NULL,
    seen    BIGINT NOT NULL,
    PRIMARY KEY (service, name)
);
CREATE INDEX callers_by_time ON callers (seen);
