"""Levels of CPU and memory by day, and callers, as readiness lists read them weeks later."""

from datetime import UTC, datetime, timedelta

import pytest
from history_samples import HandClock, Opener, at, event

from adapters.history import usage
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes
from pipeline.readiness.callers import Caller
from pipeline.readiness.use import DAY_MIN, Resource, Use, used

TODAY = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def history(opened: Opener, clock: HandClock) -> SqliteHistory:
    made = opened(clock=clock)
    made.start()
    return made


def cpu(minutes: int = 5, day: datetime = TODAY, **counts: int) -> Use:
    return Use("pricing", Resource.CPU, day, minutes, {int(step[1:]): count for step, count in counts.items()})


def test_uses_of_a_day_add_up_over_restarts(history: SqliteHistory, opened: Opener, clock: HandClock) -> None:
    history.record(Changes(uses=(cpu(5, s10=20, s11=1), Use("pricing", Resource.MEMORY, TODAY, 5, {900: 21}))))
    history.close()
    again = opened(clock=clock)
    again.start()
    again.record(Changes(uses=(cpu(3, s11=4, s12=2),)))
    assert again.uses("pricing", TODAY) == (
        cpu(8, s10=20, s11=5, s12=2),
        Use("pricing", Resource.MEMORY, TODAY, 5, {900: 21}),
    )
    assert again.uses("search", TODAY) == ()
    assert again.uses("pricing", TODAY + DAY) == ()


def test_a_day_has_no_more_than_its_minutes(history: SqliteHistory) -> None:
    history.record(Changes(uses=(cpu(1_000, s1=1), cpu(1_000, s1=1))))
    (found,) = history.uses("pricing", TODAY)
    assert (found.minutes, found.counts) == (DAY_MIN, {1: 2})


def test_thirty_days_are_read_as_one_p95(history: SqliteHistory) -> None:
    history.record(Changes(uses=tuple(cpu(DAY_MIN, TODAY - n * DAY, s10=DAY_MIN) for n in range(40))))
    found = used(history.uses("pricing", TODAY - 29 * DAY))
    assert found is not None
    assert found.days == 30.0


def test_of_a_caller_the_newest_time_counts(history: SqliteHistory) -> None:
    history.record(Changes(callers=(Caller("pricing", "web", at(5)), Caller("pricing", "", at(1)))))
    history.record(Changes(callers=(Caller("pricing", "web", at(3)), Caller("search", "web", at(9)))))
    assert history.callers("pricing", at(0)) == (Caller("pricing", "", at(1)), Caller("pricing", "web", at(5)))
    assert history.callers("pricing", at(2)) == (Caller("pricing", "web", at(5)),)


def test_both_are_forgotten_after_35_days(history: SqliteHistory, clock: HandClock) -> None:
    history.record(Changes(uses=(cpu(s1=1, s2=1),), callers=(Caller("pricing", "web", at(0)),)))
    clock.later(37 * DAY, 37 * 86_400.0)
    history.record(Changes(events=(event(),)))
    assert history.uses("pricing", TODAY) == ()
    assert history.callers("pricing", TODAY) == ()
    tables = ("use_days", "use_levels", "callers")
    assert [history._opened().execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in tables] == [0, 0, 0]


def test_what_is_read_is_found_by_an_index(history: SqliteHistory) -> None:
    db = history._opened()
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    usage.uses(db, "pricing", at(0))
    usage.callers(db, "pricing", at(0))
    db.set_trace_callback(None)
    plans = [" ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {one}")) for one in asked]
    assert len(plans) == 3
    assert [plan for plan in plans if "SEARCH" not in plan or "SCAN" in plan] == []
