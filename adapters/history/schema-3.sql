-- Budgets by objective. Starts are unix seconds, lengths seconds: there are millions of these rows.

CREATE TABLE budget_slices (
    service  TEXT NOT NULL,
    slo      TEXT NOT NULL,
    start    BIGINT NOT NULL,
    seconds  INTEGER NOT NULL,
    total    BIGINT NOT NULL,
    bad      BIGINT NOT NULL,
    backfill SMALLINT NOT NULL,
    down     SMALLINT NOT NULL,
    PRIMARY KEY (service, slo, start)
);
CREATE INDEX budget_slices_down ON budget_slices (service, slo, start) WHERE down = 1;
CREATE INDEX budget_slices_by_time ON budget_slices (start) WHERE down = 0;
CREATE INDEX budget_slices_down_by_time ON budget_slices (start) WHERE down = 1;

CREATE TABLE budget_hours (
    service TEXT NOT NULL,
    slo     TEXT NOT NULL,
    start   BIGINT NOT NULL,
    total   BIGINT NOT NULL,
    bad     BIGINT NOT NULL,
    good_s  BIGINT NOT NULL,
    idle_s  BIGINT NOT NULL,
    bad_s   BIGINT NOT NULL,
    PRIMARY KEY (service, slo, start)
);
CREATE INDEX budget_hours_by_time ON budget_hours (start);

CREATE TABLE budget_targets (
    service TEXT NOT NULL,
    slo     TEXT NOT NULL,
    since   TEXT NOT NULL,
    target  TEXT NOT NULL,
    PRIMARY KEY (service, slo, since)
);

-- STRFTIME is SQLite's own; only a file of its own has older rows. Their slices were not all minutes, so they are
-- summed to minutes.
INSERT INTO budget_slices (service, slo, start, seconds, total, bad, backfill, down)
SELECT service, 'availability', minute, 60, SUM(total), SUM(bad), 0,
       CASE WHEN 2 * SUM(bad) > SUM(total) THEN 1 ELSE 0 END
FROM (SELECT service, CAST(STRFTIME('%s', start) AS BIGINT) / 60 * 60 AS minute, total, bad FROM slices) AS minutes
GROUP BY service, minute;

INSERT INTO budget_hours (service, slo, start, total, bad, good_s, idle_s, bad_s)
SELECT service, slo, start / 3600 * 3600, SUM(total), SUM(bad),
       SUM(CASE WHEN down = 0 AND total > 0 THEN seconds ELSE 0 END),
       SUM(CASE WHEN down = 0 AND total <= 0 THEN seconds ELSE 0 END),
       SUM(CASE WHEN down = 1 THEN seconds ELSE 0 END)
FROM budget_slices
GROUP BY service, slo, start / 3600 * 3600;

DROP TABLE slices;

-- What people have laid down: locks, reservations, attestations, incidents, passes, corrections; and load tests.
-- Each in its newest state; how it came and went is in `events`. None is ever taken out.
CREATE TABLE papers (
    id      TEXT PRIMARY KEY,
    number  INTEGER NOT NULL UNIQUE,
    kind    TEXT NOT NULL,
    service TEXT NOT NULL,
    at      TEXT NOT NULL,
    body    TEXT NOT NULL,
    updated TEXT NOT NULL
);
