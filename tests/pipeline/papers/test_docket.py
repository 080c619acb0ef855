"""The docket: papers by id, by service, and what of them holds."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from paper_desk import DAY, HOUR, NOON

from pipeline.docket import Docket, Incident, Lock, Paper, Reservation, number_of, services_of

SERVICES = st.sampled_from(["a", "b", "c"])
LOCKS = st.builds(
    lambda n, service, reason: Lock(f"lock-{n}", service, "ana", NOON, reason), st.integers(1, 5), SERVICES, st.text()
)
RESERVATIONS = st.builds(
    lambda n, services: Reservation(f"res-{n}", tuple(services), "ana", NOON, NOON, NOON + HOUR, "x"),
    st.integers(1, 5),
    st.lists(SERVICES, min_size=1, max_size=3, unique=True),
)
PAPERS = st.lists(LOCKS | RESERVATIONS, max_size=20)


@settings(max_examples=100, deadline=None)
@given(PAPERS, PAPERS)
def test_the_newest_of_an_id_counts_however_papers_come(first: list[Paper], second: list[Paper]) -> None:
    bit_by_bit = Docket()
    for paper in (*first, *second):
        bit_by_bit = bit_by_bit.with_papers([paper])
    assert bit_by_bit == Docket().with_papers(first).with_papers(second) == Docket().with_papers([*first, *second])
    assert {paper.id: paper for paper in bit_by_bit.all()} == {paper.id: paper for paper in (*first, *second)}


@settings(max_examples=100, deadline=None)
@given(PAPERS)
def test_by_service_is_what_is_of_each_service(papers: list[Paper]) -> None:
    docket = Docket().with_papers(papers)
    by_service = docket.by_service()
    for service in ("a", "b", "c"):
        mine = docket.of(service)
        assert by_service.get(service, Docket()) == mine
        assert all(service in services_of(paper) for paper in mine.all())
    assert set(by_service) == {service for paper in docket.all() for service in services_of(paper)}


def test_no_change_is_the_same_docket() -> None:
    docket = Docket(locks=(Lock("lock-1", "a", "ana", NOON, "x"),))
    assert docket.with_papers([]) is docket


def test_numbers_are_those_of_the_ids() -> None:
    assert number_of(Lock("lock-12", "a", "ana", NOON, "x")) == 12


def test_a_severity_that_is_no_longer_known_is_the_least_grave() -> None:
    docket = Docket(
        incidents=(Incident("inc-1", "a", "p0", "ana", NOON, "x"), Incident("inc-2", "a", "sev4", "ana", NOON, "x"))
    )
    gravest = docket.gravest(("sev1", "sev4"))
    assert gravest is not None
    assert gravest.id == "inc-2"


def test_a_reservation_that_ended_keeps_nothing_and_one_to_come_nothing_yet() -> None:
    docket = Docket(reservations=(Reservation("res-1", ("a",), "ana", NOON, NOON + HOUR, NOON + 2 * HOUR, "x"),))
    found = [docket.reserved("a", NOON + timedelta(minutes=minutes)) is not None for minutes in (0, 59, 60, 119, 120)]
    assert found == [False, False, True, True, False]
    assert len(docket.queue("a", NOON)) == 1
    assert docket.queue("a", NOON + DAY) == ()
    assert docket.queue("b", NOON) == ()
