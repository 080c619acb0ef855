"""The streak alone: any history of looks."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.health.streak import LONGEST_STEP_S, Look, Run, Streak, after

FOR_S = 10.0
R1, R2 = Run("r1"), Run("r2", "web-7.forward.web-1.1")


def streak(*looks: Look) -> Streak:
    state: Streak | None = None
    for look in looks:
        state = after(state, look)
    assert state is not None
    return state


def test_a_host_that_passes_at_first_sight_is_healthy_at_once() -> None:
    assert streak(Look(0.0, True, R1)).healthy(FOR_S)
    assert streak(Look(0.0, True, R1), Look(1.0, True, R1)).healthy(FOR_S)


@pytest.mark.parametrize(
    "first",
    [
        Look(0.0, False, R1),
        Look(0.0, False),
        Look(-LONGEST_STEP_S, None),
        Look(0.0, True, R1, told=True),
        Look(0.0, True, Run("r1", "web-7.forward.web-1.1", ended=False)),
    ],
    ids=["failing", "failing, of unknown revision", "silent for long", "told", "in mid-operation"],
)
def test_any_other_host_has_to_show_its_health(first: Look) -> None:
    run = first.run or R1
    assert not streak(first).healthy(FOR_S)
    later = [Look(at_s, True, run) for at_s in (1.0, 6.0, 9.9)]
    assert not streak(first, *later).healthy(FOR_S)
    assert streak(first, *later, Look(11.0, True, run)).healthy(FOR_S)


@pytest.mark.parametrize(
    "change",
    [Look(100.0, True, R2), Look(100.0, True, Run("r1", "again")), Look(100.0, False, R1), Look(100.0, False)],
    ids=["revision", "operation", "failure", "failure, of unknown revision"],
)
def test_a_change_begins_the_wait_anew(change: Look) -> None:
    run = change.run or R1
    begun = (Look(0.0, True, R1), Look(99.0, True, R1), change, Look(101.0, True, run))
    assert not streak(*begun).healthy(FOR_S)
    assert not streak(*begun, Look(109.9, True, run)).healthy(FOR_S)
    assert streak(*begun, Look(111.0, True, run)).healthy(FOR_S)


def test_silence_neither_ends_nor_feeds_a_streak() -> None:
    begun = (Look(0.0, False, R1), Look(1.0, True, R1), Look(5.0, True, R1))
    hiccup = (Look(6.0, None), Look(10.0, None, R1), Look(11.0, True))
    now = streak(*begun, *hiccup)
    assert (now.passing, now.passed_s, now.settling) == (True, 4.0, True)
    assert streak(*begun, *hiccup, Look(12.0, True, R1)).passed_s == 5.0


def test_a_trusted_host_stays_healthy_through_a_short_silence_and_not_through_a_long_one() -> None:
    begun = (Look(0.0, True, R1), Look(5.0, None), Look(LONGEST_STEP_S, None))
    assert streak(*begun).healthy(FOR_S)
    assert streak(*begun, Look(LONGEST_STEP_S, True, R1)).healthy(FOR_S)
    long = streak(*begun, Look(LONGEST_STEP_S + 1, None))
    assert (long.healthy(FOR_S), long.settling) == (False, False)
    back = after(long, Look(LONGEST_STEP_S + 2, True, R1))
    assert (back.healthy(FOR_S), back.settling) == (False, True)
    assert after(back, Look(LONGEST_STEP_S + 2 + FOR_S, True, R1)).healthy(FOR_S)


def test_a_first_look_without_an_answer_leaves_the_first_sight_to_the_next() -> None:
    assert not streak(Look(0.0, None)).healthy(FOR_S)
    assert streak(Look(0.0, None), Look(5.0, True, R1)).healthy(FOR_S)
    assert streak(Look(0.0, None, R1), Look(5.0, True, R1)).healthy(FOR_S)
    assert not streak(Look(0.0, None), Look(5.0, True, R1, told=True)).healthy(FOR_S)


def test_another_revision_that_is_seen_in_the_silence_has_to_show_its_health() -> None:
    assert not streak(Look(0.0, True, R1), Look(5.0, None, R2), Look(6.0, True, R2)).healthy(FOR_S)


def test_the_end_of_an_operation_begins_the_wait_anew() -> None:
    """A restart on the same revision may be too quick for any look to fail."""
    running, ended = Run("r1", "web-7.baseline.web-1.1", ended=False), Run("r1", "web-7.baseline.web-1.1")
    looks = (Look(0.0, True, R1), Look(1.0, True, running), Look(12.0, True, ended))
    assert not streak(*looks).healthy(FOR_S)


def test_a_gap_that_nobody_watched_counts_only_so_far() -> None:
    looks = (Look(0.0, False, R1), Look(1.0, True, R1), Look(5_000.0, True, R1))
    assert streak(*looks).passed_s == LONGEST_STEP_S


runs = st.sampled_from([None, R1, R2, Run("r2", "web-7.forward.web-1.1", ended=False)])
answered = st.builds(Look, at_s=st.floats(0.0, 1_000.0), passed=st.booleans(), run=runs, told=st.booleans()).filter(
    lambda look: not look.silent
)
looks = st.lists(answered, min_size=1)
any_looks = st.lists(answered | st.builds(Look, at_s=st.floats(0.0, 1_000.0), passed=st.none(), run=runs), min_size=1)


@given(looks, st.floats(0.0, 100.0))
def test_health_is_an_unbroken_run_of_passes_long_enough_or_from_the_first_look_on(seen: list[Look], for_s) -> None:
    seen = sorted(seen, key=lambda look: look.at_s)
    last = seen[-1]
    tail: list[Look] = []
    for look in reversed(seen):
        if not look.passed or look.run is None or look.run != last.run:
            break
        tail.append(look)
    from_the_first = len(tail) == len(seen) and not seen[0].told and bool(last.run and last.run.ended)
    steps = [min(b.at_s - a.at_s, LONGEST_STEP_S) for b, a in pairwise(tail)]
    now = streak(*seen)
    assert now.passed_s == pytest.approx(sum(steps))
    if abs(now.passed_s - for_s) > 1e-6:
        assert now.healthy(for_s) == bool(tail and (from_the_first or sum(steps) >= for_s))


@given(any_looks, st.floats(0.0, 100.0))
def test_no_silence_makes_a_host_healthier(seen: list[Look], for_s: float) -> None:
    seen = sorted(seen, key=lambda look: look.at_s)
    healthy = [streak(*seen[: at + 1]).healthy(for_s) for at in range(len(seen))]
    for at, look in enumerate(seen):
        if look.silent and healthy[at]:
            assert at > 0
            assert healthy[at - 1]


@given(any_looks)
def test_looks_out_of_order_never_count_more_time_than_has_passed(seen: list[Look]) -> None:
    times = [look.at_s for look in seen]
    now = streak(*seen)
    assert now.at_s == max(times)
    assert 0.0 <= now.passed_s <= max(times) - min(times) + 1e-6
    heard = [look for look in seen if not look.silent]
    assert not now.healthy(0.0) or heard[-1].passed
