-- Timezones of the calendar months that downtime is paid back in, as they came into force.

CREATE TABLE budget_zones (
    service  TEXT NOT NULL,
    since    TEXT NOT NULL,
    timezone TEXT NOT NULL,
    PRIMARY KEY (service, since)
);

-- Each service's sums as of `until`, in bytes, so that a restart need not sum up a month. All of it can be made again.
CREATE TABLE budget_balances (
    service TEXT PRIMARY KEY,
    until   BIGINT NOT NULL,
    basis   TEXT NOT NULL,
    body    BYTEA NOT NULL
);
CREATE INDEX budget_balances_by_time ON budget_balances (until);
