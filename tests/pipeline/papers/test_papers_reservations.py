"""Reservations of staging: whose it is, who is refused, how the queue moves."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from paper_desk import ANA, BEN, DAY, EVA, HOUR, NOON, Desk

from pipeline.commands import Refused, Verb
from pipeline.docket import Reservation


def test_a_reservation_covers_every_service_that_it_names() -> None:
    desk = Desk()
    taken = desk.ask(Verb.RESERVE, reason="load test", end=NOON + HOUR, also=("pricing",))
    assert taken.receipt.said == (
        "staging of checkout, pricing is ana's from now until 2026-03-02 13:00 UTC (res-1): load test"
    )
    assert [event.service for event in desk.log] == ["checkout", "pricing"]
    for service in ("checkout", "pricing"):
        assert desk.docket.of(service).reserved(service, NOON) is not None
    assert desk.docket.reserved("search", NOON) is None
    assert desk.docket.reserved("pricing", NOON + HOUR) is None


def test_an_overlapping_one_is_refused_with_who_has_it_until_when() -> None:
    desk = Desk()
    desk.ask(Verb.RESERVE, reason="load test", end=NOON + HOUR, also=("pricing",))
    with pytest.raises(Refused) as no:
        desk.ask(Verb.RESERVE, reason="demo", end=NOON + DAY, service="pricing", who=BEN)
    assert no.value.why == "staging of pricing is ana's until 2026-03-02 13:00 UTC (res-1: load test)"
    assert "--queue" in no.value.mend
    desk.ask(Verb.RESERVE, reason="demo", end=NOON + DAY, service="search", who=BEN)
    desk.ask(Verb.RESERVE, reason="demo", start=NOON + HOUR, end=NOON + DAY, who=BEN)


SHARED = {"checkout": frozenset({"pricing"}), "pricing": frozenset({"checkout"})}


def test_what_shares_a_staging_cannot_be_reserved_by_two_at_once_and_queues() -> None:
    desk = Desk(sharing=SHARED)
    desk.ask(Verb.RESERVE, reason="load test", end=NOON + HOUR)
    with pytest.raises(Refused) as no:
        desk.ask(Verb.RESERVE, reason="demo", end=NOON + DAY, service="pricing", who=BEN)
    assert no.value.why == "staging of checkout (it is shared) is ana's until 2026-03-02 13:00 UTC (res-1: load test)"
    desk.ask(Verb.RESERVE, reason="demo", end=NOON + HOUR, service="pricing", who=BEN, queue=True)
    assert desk.docket.reservations[-1].start == NOON + HOUR
    desk.ask(Verb.RESERVE, reason="mine too", end=NOON + HOUR, service="pricing")
    desk.ask(Verb.RELEASE, "res-3", service="pricing")
    desk.later(HOUR / 2)
    assert "res-2 of ben moves up to now" in desk.ask(Verb.RELEASE, "res-1").receipt.said


def test_in_the_queue_it_begins_when_the_last_one_ends_and_keeps_its_length() -> None:
    desk = Desk()
    desk.ask(Verb.RESERVE, reason="a", end=NOON + HOUR)
    desk.ask(Verb.RESERVE, reason="b", end=NOON + 2 * HOUR, who=BEN, queue=True)
    taken = desk.ask(Verb.RESERVE, reason="c", end=NOON + 3 * HOUR, who=EVA, queue=True)
    assert ", behind res-1, res-2" in taken.receipt.said
    spans = [(one.start - NOON, one.end - one.start) for one in desk.docket.reservations]
    assert spans == [(0 * HOUR, HOUR), (HOUR, 2 * HOUR), (3 * HOUR, 3 * HOUR)]
    assert [one.owner for one in desk.docket.queue("checkout", NOON)] == ["ben", "eva"]


def test_released_early_the_queue_moves_up_and_is_told() -> None:
    desk = Desk()
    desk.ask(Verb.RESERVE, reason="a", end=NOON + 4 * HOUR)
    desk.ask(Verb.RESERVE, reason="b", end=NOON + HOUR, who=BEN, queue=True)
    desk.ask(Verb.RESERVE, reason="c", end=NOON + HOUR, who=EVA, queue=True, also=("pricing",))
    desk.later(timedelta(minutes=30))
    taken = desk.ask(Verb.RELEASE, "res-1")
    assert "res-2 of ben moves up to now" in taken.receipt.said
    assert "res-3 of eva moves up to 2026-03-02 13:30 UTC" in taken.receipt.said
    assert [one.start - NOON for one in desk.docket.reservations[1:]] == [HOUR / 2, 1.5 * HOUR]
    assert desk.log[-1].service == "pricing"


def test_what_was_planned_for_a_later_day_does_not_move_up() -> None:
    desk = Desk()
    desk.ask(Verb.RESERVE, reason="a", end=NOON + 4 * HOUR)
    desk.ask(Verb.RESERVE, reason="b", start=NOON + DAY, end=NOON + DAY + HOUR, who=BEN)
    desk.ask(Verb.RESERVE, reason="c", start=NOON + DAY, end=NOON + DAY + HOUR, who=EVA, queue=True)
    desk.ask(Verb.RELEASE, "res-1")
    assert [one.start - NOON for one in desk.docket.reservations[1:]] == [DAY, DAY + HOUR]
    desk.ask(Verb.RELEASE, "res-2", who=BEN)
    assert desk.docket.reservations[2].start - NOON == DAY


def test_who_gives_back_what_another_person_owns_is_named() -> None:
    desk = Desk()
    desk.ask(Verb.RESERVE, reason="a", end=NOON + HOUR)
    taken = desk.ask(Verb.RELEASE, who=BEN)
    assert taken.event.detail == (
        "res-1 of ana, who did not give it back, is released by ben: staging of checkout is free of it"
    )
    with pytest.raises(Refused, match="its staging is not reserved"):
        desk.ask(Verb.RELEASE)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"end": NOON + HOUR}, "a reason is missing"),
        ({"reason": "x"}, "its end is missing"),
        ({"reason": "x", "end": NOON + 7 * DAY + HOUR}, "it would last 7 d 01 h"),
        # As it is asked for on a command line, a moment before.
        ({"reason": "x", "end": NOON + 8 * DAY - timedelta(milliseconds=40)}, "it would last 8 d"),
        ({"reason": "x", "start": NOON - HOUR, "end": NOON + HOUR}, "is past"),
        ({"reason": "x", "start": NOON + HOUR, "end": NOON + HOUR}, "before it begins"),
        ({"reason": "x", "end": NOON + HOUR, "also": ("nosuch", "\x1b[2J")}, "no such service: nosuch, \ufffd[2J"),
        ({"reason": "x", "end": NOON + HOUR, "also": tuple(f"s{n}" for n in range(60))}, "60 more|61 services"),
    ],
)
def test_a_reservation_that_makes_no_sense_is_refused(changes: dict[str, Any], why: str) -> None:
    desk = Desk(services=["checkout", *(f"s{n}" for n in range(60))])
    with pytest.raises(Refused, match="reserve checkout: ") as no:
        desk.ask(Verb.RESERVE, **changes)
    assert any(each in no.value.why for each in why.split("|"))


Moves = st.lists(
    st.tuples(
        st.sampled_from([ANA, BEN, EVA]),
        st.sampled_from(["checkout", "pricing", "search"]),
        st.sampled_from([(), ("checkout",), ("pricing",)]),
        st.integers(0, 20),
        st.integers(1, 8),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(Moves)
def test_two_reservations_never_keep_one_staging_at_once_and_none_moves_back(moves: list[tuple]) -> None:  # type: ignore[type-arg]
    desk = Desk()
    for who, service, also, start, hours, queue, gives_back in moves:
        before = {one.id: one for one in desk.docket.reservations}
        begin = desk.now + start * HOUR
        try:
            if gives_back:
                mine = [one.id for one in desk.docket.reservations if service in one.services and one.released is None]
                desk.ask(Verb.RELEASE, mine[0] if mine else "", service=service, who=who)
            else:
                end = begin + hours * HOUR
                desk.ask(
                    Verb.RESERVE, service=service, who=who, also=also, start=begin, end=end, reason="x", queue=queue
                )
        except Refused as no:
            assert no.why
        desk.later(HOUR / 2)
        kept = [one for one in desk.docket.reservations if one.released is None]
        for at, one in enumerate(kept):
            assert not any(one.overlaps(other.services, other.start, other.end) for other in kept[at + 1 :])
            assert one.id not in before or one.start <= before[one.id].start
            assert one.wanted is None or one.start >= one.wanted
            assert length(one) == (length(before[one.id]) if one.id in before else hours * HOUR)


def length(one: Reservation) -> timedelta:
    return one.end - one.start
