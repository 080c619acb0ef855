"""Outages: the union of bad slices, and what corrections make of it."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.docket import Correction, CorrectionKind
from pipeline.slo.outages import charged, correct, ruling, seconds, union
from pipeline.slo.report import Outage

NINE = datetime(2025, 1, 15, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LATER = NINE + timedelta(days=1)


def at(minutes: float) -> datetime:
    return NINE + minutes * MINUTE


def bad(*minutes: int, backfill: bool = False) -> list[Outage]:
    """Bad slices of a minute, as a tally has them."""
    return [out(minute, minute + 1, backfill=backfill) for minute in minutes]


def out(start: float, end: float, **more: bool | str) -> Outage:
    return Outage(at(start), at(end), **more)  # type: ignore[arg-type]


def paper(kind: CorrectionKind, start: float, end: float, *, approved: float | None = 60, id_: str = "1") -> Correction:
    return Correction(
        id=f"correction-{id_}", service="pay", start=at(start), end=at(end), kind=kind, by="ana", by_uid=1, at=at(30),
        reason="provider outage", approved_by="" if approved is None else "ben",
        approved=None if approved is None else at(approved),
    )  # fmt: skip


def edges(outages: tuple[Outage, ...]) -> list[tuple[float, float, bool]]:
    return [((one.start - NINE) / MINUTE, (one.end - NINE) / MINUTE, bool(one.excluded)) for one in outages]


def test_bad_slices_on_end_are_one_outage_whatever_their_order() -> None:
    made = correct(bad(3, 1, 2, 7, 2), [], LATER, LATER)
    assert edges(made) == [(1, 4, False), (7, 8, False)]
    assert seconds(made) == 240
    assert not any(one.open for one in made)


def test_an_unknown_slice_between_two_bad_ones_is_not_bad() -> None:
    assert len(correct(bad(1, 3), [], LATER, LATER)) == 2


def test_an_outage_that_reaches_the_newest_known_slice_goes_on() -> None:
    assert [one.open for one in correct(bad(1, 5, 6), [], LATER, at(7))] == [False, True]
    assert [one.open for one in correct(bad(1, 5, 6), [], LATER, at(8))] == [False, False]


def test_what_was_read_afterwards_says_so() -> None:
    made = correct(bad(1) + bad(2, backfill=True) + bad(9), [], LATER, LATER)
    assert [one.backfill for one in made] == [True, False]


def test_overlapping_time_counts_once() -> None:
    assert seconds([out(0, 10), out(5, 12), out(3, 4), out(12, 13)]) == 13 * 60
    assert union([(at(0), at(0)), (at(2), at(1))]) == ()


def test_an_exclusion_cuts_out_its_time_and_says_by_whom_and_why() -> None:
    made = correct([out(0, 12)], [paper(CorrectionKind.EXCLUDE, 3, 5)], LATER, None)
    assert edges(made) == [(0, 3, False), (3, 5, True), (5, 12, False)]
    assert made[1].excluded == "excluded, ana with ben: provider outage"
    assert seconds(made) == 600


def test_what_was_up_after_all_is_not_charged() -> None:
    made = correct([out(0, 2)], [paper(CorrectionKind.GOOD, -5, 5)], LATER, None)
    assert edges(made) == [(0, 2, True)]
    assert made[0].excluded.startswith("was up, ana with ben")


def test_what_was_down_after_all_is_added_as_far_as_it_has_happened() -> None:
    made = correct([out(0, 2)], [paper(CorrectionKind.BAD, 1, 90)], at(61), at(61))
    assert edges(made) == [(0, 61, False)]
    assert made[0].open
    assert edges(correct([], [paper(CorrectionKind.BAD, 1, 3)], LATER, LATER)) == [(1, 3, False)]
    assert correct([], [paper(CorrectionKind.BAD, 1, 3)], at(0), None) == ()


def test_only_what_a_second_person_approved_counts() -> None:
    waiting = paper(CorrectionKind.EXCLUDE, 0, 12, approved=None)
    assert edges(correct([out(0, 12)], [waiting], LATER, None)) == [(0, 12, False)]
    assert ruling(at(0), at(1), [waiting]) is None


def test_of_two_that_disagree_the_one_approved_last_holds() -> None:
    excluded = paper(CorrectionKind.EXCLUDE, 0, 6, approved=60)
    down = paper(CorrectionKind.BAD, 4, 8, approved=70, id_="2")
    wanted = [(0, 4, True), (4, 8, False)]
    assert edges(correct([out(0, 5)], [down, excluded], LATER, None)) == wanted
    assert edges(correct([out(0, 5)], [excluded, down], LATER, None)) == wanted


def test_a_slice_is_ruled_by_what_holds_at_its_middle() -> None:
    said = [paper(CorrectionKind.EXCLUDE, 0.4, 2.5)]
    assert [ruling(at(minute), at(minute + 1), said) for minute in (-1, 0, 1, 2, 3)] == [
        None, CorrectionKind.EXCLUDE, CorrectionKind.EXCLUDE, None, None,
    ]  # fmt: skip


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda one: (one[0], one[0] + one[1])), max_size=8
)


@given(SPANS, st.randoms())
def test_downtime_is_the_seconds_that_any_outage_covers(spans: list[tuple[int, int]], rng: object) -> None:
    outages = [out(start, end) for start, end in spans]
    rng.shuffle(outages)  # type: ignore[attr-defined]
    covered = {minute for start, end in spans for minute in range(start, end)}
    assert seconds(outages) == 60 * len(covered)
    whole = charged(outages)
    assert all(first[1] < second[0] for first, second in pairwise(whole))


PAPERS = st.lists(
    st.tuples(st.sampled_from(CorrectionKind), st.integers(0, 70), st.integers(1, 30), st.integers(0, 3)), max_size=5
)


@given(SPANS, PAPERS, st.integers(0, 90))
def test_corrections_rule_minute_by_minute(
    spans: list[tuple[int, int]], said: list[tuple[CorrectionKind, int, int, int]], now: int
) -> None:
    papers = [
        paper(kind, start, start + length, approved=60 + order, id_=f"{number:02}")
        for number, (kind, start, length, order) in enumerate(said)
    ]
    happens = [span for span in spans if span[1] <= now]
    known = [out(start, end) for start, end in happens]
    made = correct(known, papers, at(now), None)
    got = {
        minute
        for start, end in charged(made)
        for minute in range(int((start - NINE) / MINUTE), int((end - NINE) / MINUTE))
    }
    assert got == _brute(happens, papers, now)
    shown = sorted((one.start, one.end) for one in made)
    assert all(first[1] <= second[0] for first, second in pairwise(shown)), "no part is told twice"


def _brute(spans: list[tuple[int, int]], papers: list[Correction], now: int) -> set[int]:
    """Minute by minute, in the order of approval."""
    down = {minute for start, end in spans for minute in range(start, end)}
    for one in sorted(papers, key=lambda one: (one.approved, one.at, one.id)):
        start, end = int((one.start - NINE) / MINUTE), int((one.end - NINE) / MINUTE)
        if one.kind is CorrectionKind.BAD:
            down |= set(range(start, min(end, now)))
        else:
            down -= set(range(start, end))
    return down


@pytest.mark.parametrize("kind", [CorrectionKind.EXCLUDE, CorrectionKind.GOOD])
def test_letting_off_never_adds_downtime(kind: CorrectionKind) -> None:
    known = [out(0, 5), out(9, 12)]
    for start in range(-2, 14):
        assert seconds(correct(known, [paper(kind, start, start + 3)], LATER, None)) <= seconds(known)
