"""Slices and their hours: kept in step whatever order they come in, forgotten in time, found by indexes."""

import sqlite3
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files

import pytest
from history_samples import START, HandClock, Opener, at, event
from hypothesis import given
from hypothesis import strategies as st

from adapters.history import budgets, retention
from adapters.history.opening import STEPS
from adapters.history.retention import DOWN_FOR, HOURS_FOR, SLICES_FOR, SWEEP_EVERY_S
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes, HistoryError
from pipeline.slo.slices import Hour, Slice, SliceState, Target, Zone


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def history(opened: Opener, clock: HandClock) -> SqliteHistory:
    one = opened(clock=clock)
    one.start()
    return one


def minute(number: int, bad: int = 0, total: int = 10, slo: str = "availability", **more: object) -> Slice:
    return Slice("pricing", at(60 * number), total, bad, slo, down=2 * bad > total, **more)  # type: ignore[arg-type]


def every(history: SqliteHistory) -> tuple[Slice, ...]:
    return history.slices("pricing", at(-(10**7)), at(10**7))


def summed(slices: Sequence[Slice]) -> set[Hour]:
    """Hours by brute force."""
    found: dict[tuple[str, str, int], list[int]] = {}
    for one in slices:
        hour = int(one.start.timestamp()) // 3_600
        sums = found.setdefault((one.service, one.slo, hour), [0] * 5)
        sums[0] += one.total
        sums[1] += one.bad
        sums[2 + (SliceState.GOOD, SliceState.IDLE, SliceState.BAD).index(one.state)] += one.length_s
    epoch = START - timedelta(seconds=START.timestamp())
    return {Hour(name, slo, epoch + timedelta(hours=hour), *sums) for (name, slo, hour), sums in found.items()}


def test_slices_come_back_by_objective_oldest_first_and_within_bounds(history: SqliteHistory) -> None:
    mine = (minute(0), minute(0, slo="quick"), minute(1, 6), minute(70, length_s=20))
    history.record(Changes(slices=(*reversed(mine), Slice("search", at(60), 5, 0))))
    assert every(history) == mine
    assert history.slices("pricing", at(1), at(60 * 70)) == (minute(1, 6),)
    assert history.downtime("pricing", at(0)) == (minute(1, 6),)
    assert history.downtime("pricing", at(61)) == ()
    assert {hour.service for hour in history.hours(at(0))} == {"pricing", "search"}
    assert {hour.service for hour in history.hours(at(0), "search")} == {"search"}
    assert history.hours(at(1), "search") == ()
    assert history.measured("pricing", "availability") == (at(0), at(60 * 70 + 20))
    assert history.measured("pricing", "other") is None


@given(
    told=st.lists(
        st.tuples(st.integers(50, 70), st.integers(0, 10), st.sampled_from(["availability", "quick"]), st.booleans()),
        max_size=30,
    )
)
def test_hours_are_the_sums_of_their_slices_whatever_came_twice_or_was_backfilled(
    told: list[tuple[int, int, str, bool]],
) -> None:
    db = sqlite3.connect(":memory:")
    for step in STEPS:
        db.executescript(files("adapters.history").joinpath(step).read_text("utf-8"))
    kept: dict[tuple[str, int], Slice] = {}
    for number, bad, slo, late in told:
        one = minute(number, bad, slo=slo, backfill=late)
        budgets.write(db, (one,))
        old = kept.get((slo, number))
        if old is None or (old.backfill and not late):
            kept[slo, number] = one
        elif not late:
            # The clock went back: more requests, and what was down stays down.
            more = minute(number, old.bad + bad, old.total + 10, slo)
            kept[slo, number] = Slice(
                more.service, more.start, more.total, more.bad, slo, down=old.down or one.down, length_s=60
            )
    assert set(budgets.slices(db, "pricing", at(0), at(10**6))) == set(kept.values())
    assert {hour for hour in budgets.hours(db, at(0)) if hour.total} == summed(list(kept.values()))
    db.close()


def test_what_is_no_slice_is_refused_whole(history: SqliteHistory) -> None:
    for wrong in (
        Slice("pricing", at(0.5), 1, 0),
        Slice("pricing", START.replace(tzinfo=None), 1, 0),
        Slice("pricing", at(0), 1, 0, length_s=0),
    ):
        with pytest.raises(HistoryError, match="is no slice"):
            history.record(Changes(slices=(minute(0), wrong)))
    assert every(history) == ()
    assert history.hours(at(-(10**6))) == ()


def test_slices_go_after_35_days_hours_after_400_and_downtime_is_kept_for_years(
    history: SqliteHistory, clock: HandClock
) -> None:
    history.record(Changes(slices=(minute(0), minute(1, 9), minute(2))))
    hour = history.hours(at(-(10**6)))
    clock.later(SLICES_FOR + timedelta(seconds=61), SWEEP_EVERY_S)
    history.record(Changes(events=(event(),)))
    assert every(history) == (minute(1, 9), minute(2))
    assert history.hours(at(-(10**6))) == hour
    clock.later(HOURS_FOR, SWEEP_EVERY_S)
    history.record(Changes(events=(event(),)))
    assert every(history) == ()
    assert history.hours(at(-(10**6))) == ()
    assert history.downtime("pricing", at(0)) == (minute(1, 9),)
    clock.later(DOWN_FOR, SWEEP_EVERY_S)
    history.record(Changes(events=(event(),)))
    assert history.downtime("pricing", at(0)) == ()


def test_a_sweep_takes_a_batch_of_slices_and_says_that_more_is_left(
    history: SqliteHistory, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    history.record(Changes(slices=tuple(minute(number) for number in range(4))))
    clock.later(SLICES_FOR + timedelta(days=1), SWEEP_EVERY_S)
    with history._transaction() as db:
        assert retention.forget(db, clock.now())
        assert not retention.forget(db, clock.now())
    assert every(history) == ()


def test_what_is_read_is_found_by_an_index(history: SqliteHistory) -> None:
    history.record(Changes(slices=(minute(0), minute(1, 9))))
    db = history._opened()
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    budgets.slices(db, "pricing", at(0), at(60))
    budgets.hours(db, at(0), "pricing")
    budgets.downtime(db, "pricing", at(0))
    budgets.measured(db, "pricing", "availability")
    db.set_trace_callback(None)
    plans = [" ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {one}")) for one in asked]
    assert len(plans) == 5
    assert [plan for plan in plans if "SEARCH" not in plan or "SCAN budget" in plan] == []


def test_targets_are_kept_exactly_oldest_first(history: SqliteHistory) -> None:
    changes = (
        Target("pricing", "availability", at(0), Decimal("0.999")),
        Target("pricing", "availability", at(60), Decimal("0.9999")),
        Target("search", "quick", at(30), Decimal("0.950")),
    )
    history.record(Changes(targets=changes))
    assert history.targets() == (changes[0], changes[2], changes[1])
    assert str(history.targets()[1].target) == "0.950"


def test_zones_are_kept_oldest_first(history: SqliteHistory) -> None:
    changes = (
        Zone("pricing", at(0), "UTC"),
        Zone("pricing", at(60), "Europe/Berlin"),
        Zone("search", at(30), "Pacific/Apia"),
    )
    history.record(Changes(zones=changes))
    assert history.zones() == (changes[0], changes[2], changes[1])
