"""Papers are kept in their newest state, all of them, for good."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from history_samples import HandClock, Opener, at, event
from hypothesis import given, settings
from hypothesis import strategies as st
from test_history_full_disk import Log, held

from adapters.exact import to_json
from adapters.history.papers import KINDS, _decoded, _words
from pipeline.docket import (
    Attestation,
    CiResult,
    Correction,
    CorrectionKind,
    Docket,
    Incident,
    LoadTest,
    Lock,
    LockCause,
    Paper,
    Pass,
    Reservation,
    SecurityFix,
)
from pipeline.ports import Changes, HistoryError

PAPERS: tuple[Paper, ...] = (
    Lock("lock-1", "checkout", "mira", at(0), "migration", at(60), LockCause.LOAD_TEST, "ben", at(30)),
    Reservation("res-1", ("checkout", "pricing"), "mira", at(1), at(2), at(90), "test", at(50), at(2)),
    Attestation("att-1", "checkout", "CAT-2", "mira", at(3), "was done", "DOC-7", at(99), "r2", True, at(80)),
    Incident("inc-1", "checkout", "sev1", "mira", at(4), "down", "ben", at(70)),
    Pass(
        "pass-1", "checkout", "inc-1", "mira", 1000, at(5), "now", at(95), "ben", at(6), ("checkout-2",), at(60),
        "ana", at(90), "learnt"
    ),
    Correction(
        "fix-1", "checkout", at(-90), at(-30), CorrectionKind.BAD, "mira", None, at(7), "seen", "T-1", "ben", at(8),
        at(60)
    ),
    LoadTest("load-1", "checkout", "r2", at(9), "auto", True, "900 requests a second", 900.5),
    CiResult("ci-1", "checkout", "r2", at(9), "ci", "4f2a91c", (("lint", True), ("unit", False)), "ab" * 32, "https://ci"),
    SecurityFix(
        "sec-1", "checkout", "r2", "CVE-2026-1", "mira", 1000, at(9), "leak", at(95), "ben", at(10), ("checkout-2",),
        at(60), "ana", at(90), "learnt"
    ),
)  # fmt: skip
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants it


def test_every_kind_comes_back_as_it_was_and_in_order_after_a_restart(opened: Opener) -> None:
    history = opened()
    history.start()
    history.record(Changes(papers=PAPERS, events=(event(),)))
    history.close()
    history.start()
    assert history.papers() == PAPERS
    assert Docket().with_papers(history.papers()).all() == PAPERS
    assert {type(paper) for paper in PAPERS} == set(KINDS.values())


def test_the_newest_state_counts_and_old_ones_stay_where_they_were(opened: Opener) -> None:
    history = opened()
    history.start()
    first, second = Lock("lock-1", "a", "mira", at(0), "x"), Lock("lock-2", "b", "mira", at(1), "y")
    history.record(Changes(papers=(first,)))
    history.record(Changes(papers=(second,)))
    lifted = Lock("lock-1", "a", "mira", at(0), "x", lifted_by="ben", lifted=at(9))
    history.record(Changes(papers=(lifted,)))
    assert history.papers() == (lifted, second)


def test_papers_stay_however_old_they_grow(opened: Opener) -> None:
    clock = HandClock()
    history = opened(clock=clock)
    history.start()
    history.record(Changes(papers=PAPERS))
    clock.later(timedelta(days=3_000), 3_000 * 86_400.0)
    history.record(Changes(events=(event(),)))
    history.record(Changes(events=(event(),)))
    assert history.papers() == PAPERS


def test_what_the_history_refuses_leaves_no_paper(opened: Opener) -> None:
    history = opened()
    history.start()
    naive = Lock("lock-2", "a", "mira", datetime(2026, 3, 1), "x")  # noqa: DTZ001 - what is tested
    with pytest.raises(HistoryError, match="no time zone"):
        history.record(Changes(papers=(PAPERS[0], naive)))
    assert history.papers() == ()


def test_a_paper_that_the_second_sink_took_is_in_the_database_with_the_next_record(opened: Opener) -> None:
    log = Log()
    history = opened(sink=log)
    history.start()
    with held(history):
        history.record(Changes(papers=PAPERS[:1], events=(event(),)), safe=True)
    history.record(Changes(papers=PAPERS[1:2]))
    assert history.papers() == PAPERS[:2]


def test_a_kind_of_another_version_is_told_not_dropped(opened: Opener) -> None:
    history = opened()
    history.start()
    history.record(Changes(papers=PAPERS))
    other = sqlite3.connect(history.path)
    other.execute("UPDATE papers SET kind = 'oath' WHERE id = 'lock-1'")
    other.commit()
    other.close()
    with pytest.raises(HistoryError, match="oath"):
        history.papers()


@settings(max_examples=50, deadline=None)
@given(
    reason=st.text(max_size=60),
    start=TIMES,
    seconds=st.integers(1, 10**6),
    released=st.none() | TIMES,
    also=st.lists(st.sampled_from(["a", "b", "c"]), max_size=3),
)
def test_any_reservation_comes_back_exactly(
    reason: str, start: datetime, seconds: int, released: datetime | None, also: list[str]
) -> None:
    end = start + timedelta(seconds=seconds)
    one = Reservation("res-7", ("x", *also), "mira", start, start, end, reason, released)
    assert _decoded(_words[Reservation], to_json(one)) == one
