"""What is recorded comes back as it was, after a restart too."""

import sqlite3
import stat
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from history_samples import Opener, at, event, intent, outcome, rollout
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.exact import to_json
from adapters.history.rows import from_instant, instant, to_rollout
from pipeline.commands import Receipt
from pipeline.events import Result, Who
from pipeline.lifecycle import CheckResult, Pause, Phase, Rollout, Served
from pipeline.ports import Changes, HistoryError
from pipeline.slo.slices import Slice
from pipeline.view import HistoryQuery

TIMES = st.integers(-(10**15), 10**16).map(lambda us: at(0) + timedelta(microseconds=us))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats()
ROLLOUTS = st.builds(
    Rollout,
    id=WORDS,
    why=WORDS,
    since=TIMES,
    submitted=TIMES,
    seed=st.integers(0, 2**64 - 1),
    canaries=st.lists(WORDS, max_size=3).map(tuple),
    served=st.builds(Served, FLOATS, FLOATS),
    pause=st.none() | st.builds(Pause, WORDS, TIMES, WORDS),
    checks=st.lists(st.builds(CheckResult, WORDS, st.booleans(), WORDS, TIMES), max_size=2).map(tuple),
    no_data_s=FLOATS,
)


@settings(max_examples=60, deadline=None)
@given(ROLLOUTS)
def test_any_rollout_comes_back_exactly(one: Rollout) -> None:
    assert repr(to_rollout(to_json(one))) == repr(one)  # NaN is equal to nothing, so by what they say


def test_infinities_and_nan_are_kept_and_not_made_null() -> None:
    one = replace(rollout(), served=Served(float("nan"), float("inf"), float("-inf")))
    assert '"seconds":null' not in to_json(one)
    assert repr(to_rollout(to_json(one))) == repr(one)


@given(TIMES, TIMES)
def test_kept_times_sort_as_they_come(one: datetime, other: datetime) -> None:
    assert from_instant(instant(one)) == one
    assert (instant(one) < instant(other)) == (one < other)


def test_times_of_other_zones_are_kept_as_utc() -> None:
    there = datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert instant(there) == "2026-03-01T12:00:00.000000+00:00"


def test_a_restart_knows_the_newest_and_the_newest_settled_release_of_each_service(opened: Opener) -> None:
    settled = rollout("pricing", 1, Phase.SETTLED)
    newest = rollout("pricing", 3)
    kept = (settled, rollout("pricing", 2, Phase.ROLLED_BACK), newest, rollout("search", 1, Phase.SETTLED))
    first = opened()
    assert first.start().rollouts == ()
    first.record(Changes(rollouts=kept))
    first.close()

    memory = opened().start()

    assert memory.rollouts == (settled, newest, rollout("search", 1, Phase.SETTLED))
    assert memory.releases == {"pricing": 3, "search": 1}
    assert memory.newest == at(3)


def test_the_newest_state_of_a_rollout_counts(opened: Opener) -> None:
    history = opened()
    history.start()
    history.record(Changes(rollouts=(rollout(), replace(rollout(), version=4))))
    moved = replace(rollout(), phase=Phase.SETTLED, version=5)
    history.record(Changes(rollouts=(moved,)))
    assert history.start().rollouts == (moved,)
    assert history.releases("pricing", 10) == (moved,)


def test_every_start_takes_a_higher_token(opened: Opener) -> None:
    tokens = []
    for _ in range(3):
        history = opened()
        tokens.append(history.start().token)
        history.close()
    assert tokens == [1, 2, 3]


def test_a_restart_knows_open_intents_and_how_often_each_host_was_tried(opened: Opener) -> None:
    history = opened()
    history.start()
    ended = rollout("search", 1, Phase.SETTLED)
    first, second, other = intent(attempt=1), intent(attempt=2), intent("web.eu-1.example", 1)
    intents = (first, second, other, intent(service="search"))
    history.record(Changes(rollouts=(rollout(), ended), intents=intents))
    history.record(Changes(intents=(first,), outcomes=(outcome(first), outcome(intent(service="search")))))

    memory = history.start()

    assert set(memory.open) == {second, other}
    assert memory.attempts == {"pricing-1.canary.fra1-01": 2, "pricing-1.canary.web.eu-1.example": 1}


def test_only_an_unknown_outcome_can_be_resolved(opened: Opener, tmp_path: Path) -> None:
    history = opened(tmp_path / "history.db")
    history.start()
    lost, failed = intent("a"), intent("b")
    history.record(
        Changes(
            rollouts=(rollout(),),
            intents=(lost, failed),
            outcomes=(outcome(lost, Result.UNKNOWN), outcome(failed, Result.FAILED)),
        )
    )
    history.record(Changes(outcomes=(outcome(lost), outcome(failed))))
    history.close()
    with sqlite3.connect(tmp_path / "history.db") as db:
        kept = dict(db.execute("SELECT operation, result FROM outcomes"))
    db.close()
    assert kept == {lost.operation: "done", failed.operation: "failed"}


def test_a_request_keeps_its_first_answer(opened: Opener) -> None:
    history = opened()
    history.start()
    first = Receipt("pricing", "pricing-1", "paused")
    history.record(Changes(request="q1", receipt=first))
    history.record(Changes(request="q1", receipt=Receipt("pricing", "pricing-1", "paused again")))
    assert history.receipt("q1") == first
    assert history.receipt("q2") is None


@pytest.mark.parametrize(
    "bad",
    [
        Changes(events=(event(1), replace(event(2), at=at(0).replace(tzinfo=None)))),
        Changes(events=(event(1), event(2, detail="half a \ud800 pair"))),
        Changes(events=(event(1),), slices=(Slice("pricing", at(0), float("nan"), 0),)),  # type: ignore[arg-type]
        Changes(events=(event(1),), slices=(Slice("pricing", at(0), 2**70, 0),)),
        Changes(events=(event(1),), intents=(intent(number=99),)),
    ],
    ids=["a time without a zone", "a lone surrogate", "not a number", "past 63 bits", "an unknown release"],
)
def test_changes_with_a_bad_part_are_refused_whole(opened: Opener, bad: Changes) -> None:
    history = opened()
    history.start()
    with pytest.raises(HistoryError):
        history.record(bad)
    assert history.events(HistoryQuery()).total == 0
    assert history.record(Changes(events=(event(),)))[0].id == 1


def test_events_get_rising_ids_and_are_read_newest_first_by_pages(opened: Opener) -> None:
    history = opened()
    history.start()
    kept = [history.record(Changes(events=(event(n), event(n, "search"))))[0] for n in range(5)]
    assert [one.id for one in kept] == [1, 3, 5, 7, 9]

    page = history.events(HistoryQuery(service="pricing", limit=2))
    assert page.events == (kept[4], kept[3])
    assert page.total == 5
    following = history.events(HistoryQuery(service="pricing", limit=2, before_id=page.events[-1].id))
    assert following.events == (kept[2], kept[1])
    assert following.total == 5
    assert history.events(HistoryQuery(since=at(3))).total == 4


def test_text_is_found_in_any_of_its_columns_and_wildcards_are_only_text(opened: Opener) -> None:
    history = opened()
    history.start()
    ana = replace(event(1, detail="errors 100% of a_b, limit!"), who=Who("Susana", 1000, "ssh 10.2.0.7"))
    history.record(Changes(events=(ana, event(2, "search", "errors 1000"))))

    def found(text: str) -> list[int]:
        return [one.id for one in history.events(HistoryQuery(text=text)).events]

    assert found("ssh") == []
    assert found("SUS") == [1]
    assert found("SEARCH") == [2]
    assert found("errors") == [2, 1]
    assert found("100%") == found("a_b") == found("limit!") == [1]
    assert found("a%b") == found("axb") == found("' OR 1=1 --") == []


def test_its_files_are_for_their_owner_alone(opened: Opener, tmp_path: Path) -> None:
    history = opened()
    history.start()
    history.record(Changes(events=(event(),)))
    folder = tmp_path / "state"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    names = ("history.db", "history.db-wal", "history.db-shm", "history.db.lock", "history.db.reserve")
    assert modes == dict.fromkeys(names, 0o600)


def test_a_backup_taken_in_use_is_a_whole_history(opened: Opener, tmp_path: Path) -> None:
    history = opened()
    history.start()
    history.record(Changes(rollouts=(rollout(),), events=(event(),)))
    history.backup(tmp_path / "copy.db")
    history.record(Changes(events=(event(2),)))

    copy = opened(tmp_path / "copy.db")
    assert copy.start().rollouts == (rollout(),)
    assert copy.events(HistoryQuery()).total == 1
    with pytest.raises(HistoryError, match="File exists"):
        history.backup(tmp_path / "copy.db")


def test_nothing_can_be_read_before_the_start(opened: Opener) -> None:
    with pytest.raises(HistoryError, match="start it first"):
        opened().events(HistoryQuery())
