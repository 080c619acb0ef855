"""Samples go when they are old, in small batches; what is audit stays."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from history_samples import HandClock, Opener, event, rollout
from test_history_full_disk import Log, limit_pages

from adapters.history import retention
from adapters.history.retention import BATCH, BEHIND_S, LOOKS_FOR, RECORDED_FOR, SWEEP_EVERY_S
from adapters.history.sqlite import SqliteHistory
from pipeline.ports import Changes
from pipeline.view import HistoryQuery
from tests.adapters.history.judge_samples import at, calibration, kept, look_record, recorded, trial_record

DAY = timedelta(days=1)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def history(opened: Opener, clock: HandClock) -> SqliteHistory:
    one = opened(clock=clock)
    one.start()
    return one


def anything(history: SqliteHistory) -> None:
    history.record(Changes(events=(event(),)))


def counted(history: SqliteHistory) -> Callable[[str], int]:
    return lambda table: int(history._opened().execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def test_recorded_stretches_are_kept_for_three_days_and_not_longer(history: SqliteHistory, clock: HandClock) -> None:
    history.record(Changes(recorded=(recorded(0), recorded(60), recorded(30, "search"))))
    clock.later(RECORDED_FOR + timedelta(seconds=60), SWEEP_EVERY_S)
    anything(history)
    assert history.recorded("pricing", at(-1), 10) == (recorded(60),)
    assert history.recorded("search", at(-1), 10) == ()


def test_a_release_is_forgotten_whole_half_a_year_after_its_newest_look(
    history: SqliteHistory, clock: HandClock
) -> None:
    old, fresh = "pricing-1", "pricing-2"
    history.record(
        Changes(
            rollouts=(rollout(), rollout(number=2)),
            trials=(trial_record(old), trial_record(old, wave=1), trial_record(fresh), trial_record(fresh, wave=1)),
            looks=(
                look_record(1, old),
                look_record(2, old, 1),
                look_record(1, fresh),
                look_record(1, fresh, 1),
                look_record(2, fresh, 1, 86_400),
            ),
            evidence=(kept(old), kept(old, 1), kept(fresh), kept(fresh, 1)),
            calibration=calibration(),
        )
    )
    clock.later(LOOKS_FOR + timedelta(hours=1), SWEEP_EVERY_S)
    anything(history)

    for wave in (0, 1):
        assert history.trial(old, wave) is None
        assert history.kept(old, wave) is None
        assert history.looks(old, wave, 0, 10) == ()
        # The newest look of one wave keeps all the others.
        assert history.trial(fresh, wave) == trial_record(fresh, wave)
        assert history.kept(fresh, wave) == kept(fresh, wave)
        assert len(history.looks(fresh, wave, 0, 10)) == 1 + wave

    clock.later(DAY, SWEEP_EVERY_S)
    anything(history)
    assert [counted(history)(table) for table in ("trials", "looks", "evidence")] == [0, 0, 0]
    assert history.calibration("pricing") == calibration()
    assert history.events(HistoryQuery()).total == 2
    assert len(history.releases("pricing", 10)) == 2


def test_a_trial_that_never_had_a_look_counts_from_when_it_was_kept(history: SqliteHistory, clock: HandClock) -> None:
    history.record(Changes(trials=(trial_record(),)))
    clock.later(LOOKS_FOR, SWEEP_EVERY_S)
    anything(history)
    assert history.trial("pricing-1", 0) == trial_record()
    clock.later(DAY, SWEEP_EVERY_S)
    anything(history)
    assert history.trial("pricing-1", 0) is None


def test_one_sweep_takes_a_batch_and_the_next_ones_come_sooner_until_all_is_gone(
    history: SqliteHistory, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    looks = tuple(look_record(number) for number in range(1, 10))
    history.record(
        Changes(trials=(trial_record(),), looks=looks, recorded=tuple(recorded(second) for second in range(9)))
    )
    left, count = [], counted(history)
    clock.later(LOOKS_FOR + DAY, SWEEP_EVERY_S)
    for _ in range(4):
        anything(history)
        left.append((count("looks"), count("recorded"), count("trials")))
        clock.later(timedelta(0), BEHIND_S)
    assert left == [(5, 5, 1), (1, 1, 1), (0, 0, 0), (0, 0, 0)]


def test_there_is_no_sweep_within_the_minute_after_one_that_was_done(history: SqliteHistory, clock: HandClock) -> None:
    clock.later(RECORDED_FOR + DAY, SWEEP_EVERY_S)
    anything(history)
    history.record(Changes(recorded=(recorded(0),)))
    clock.later(timedelta(0), SWEEP_EVERY_S / 2)
    anything(history)
    assert counted(history)("recorded") == 1
    clock.later(timedelta(0), SWEEP_EVERY_S / 2)
    anything(history)
    assert counted(history)("recorded") == 0


def test_a_sweep_that_fails_takes_nothing_from_what_was_recorded(
    opened: Opener, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    history = opened(clock=clock, sink=Log())
    history.start()
    history.record(Changes(recorded=(recorded(0),)))
    clock.later(RECORDED_FOR + DAY, SWEEP_EVERY_S)
    history._opened().execute(
        "CREATE TEMP TRIGGER stuck BEFORE DELETE ON recorded BEGIN SELECT RAISE(ABORT, 'stuck'); END"
    )
    kept_event = history.record(Changes(events=(event(7),)))
    assert kept_event[0].id == 1
    assert "old samples stay for another minute" in caplog.text
    assert counted(history)("recorded") == 1


def test_a_batch_is_bounded_and_a_full_disk_can_still_be_swept(history: SqliteHistory, clock: HandClock) -> None:
    history.record(Changes(recorded=tuple(recorded(second) for second in range(BATCH + 1))))
    clock.later(RECORDED_FOR + DAY, SWEEP_EVERY_S)
    limit_pages(history, 0)
    with history._transaction() as db:
        assert retention.forget(db, clock.now())
    assert counted(history)("recorded") == 1


def test_what_is_to_be_forgotten_is_found_by_an_index(history: SqliteHistory) -> None:
    db = history._opened()
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    with history._transaction():
        retention.forget(db, at(0))
    db.set_trace_callback(None)
    plans = [
        " ".join(str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}"))
        for statement in asked
        if statement.startswith(("SELECT", "DELETE"))
    ]
    assert len(plans) == 9
    assert all("SEARCH" in plan for plan in plans)
    scans = [plan for plan in plans if "SCAN" in plan.replace("SCAN CONSTANT ROW", "")]
    assert scans == []
