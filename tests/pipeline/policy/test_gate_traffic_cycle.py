from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.gates import Answer
from pipeline.lifecycle import Served
from pipeline.model import TrafficCycle
from pipeline.traffic_cycle import furthest_behind, traffic_cycle
from tests.pipeline.policy.given import NOW

DAY_CYCLE = TrafficCycle(duration_s=86_400, requests=1_000_000, peak_ratio=0.8)


def test_it_says_how_far_it_is_and_what_is_still_missing() -> None:
    gate = traffic_cycle(DAY_CYCLE, Served(54_480, 940_000, 95, 100), NOW)
    assert gate.answer is Answer.HOLD
    assert gate.why == ("15 h 08 m of 24 h, peak seen, 0.9 of 1.0 M requests; still missing: 8 h 52 m, 60,000 requests")
    assert gate.until == NOW + timedelta(seconds=86_400 - 54_480)


def test_once_the_time_is_over_nobody_knows_until_when() -> None:
    gate = traffic_cycle(DAY_CYCLE, Served(90_000, 400_000, 50, 100), NOW)
    assert gate.why == (
        "25 h of 24 h, peak not seen, 0.4 of 1.0 M requests; "
        "still missing: 0.6 M requests, the peak (50 of 80 requests/s)"
    )
    assert gate.until is None


def test_a_short_cycle_is_told_in_its_own_measures() -> None:
    gate = traffic_cycle(TrafficCycle(90, 500, 0.8), Served(30.5, 499.9, 0, 0), NOW)
    assert gate.why == ("30 s of 1 m 30 s, peak not seen, 499 of 500 requests; still missing: 1 m, 1 request, the peak")


def test_all_three_pass() -> None:
    gate = traffic_cycle(DAY_CYCLE, Served(86_400, 1_250_000, 80, 100), NOW)
    assert (gate.answer, gate.why) == (Answer.PASS, "24 h of 24 h, peak seen, 1.2 of 1.0 M requests")


def test_what_is_furthest_behind_is_its_progress() -> None:
    asked = TrafficCycle(40, 100_000, 0.5)
    assert furthest_behind(asked, Served(60, 299, 90, 100)) == (299, 100_000, "req")
    assert furthest_behind(asked, Served(10, 90_000, 90, 100)) == (10, 40, "s")
    assert furthest_behind(asked, Served(60, 100_000, 20, 100)) == (20, 50, "req/s")
    assert furthest_behind(TrafficCycle(40, 0, 0.0), Served(50, 0, 0, 0)) == (40, 40, "s")


@given(seconds=st.floats(0, 200_000), requests=st.floats(0, 3e6), peak=st.floats(0, 200), busiest=st.floats(0, 200))
def test_it_passes_only_on_all_three_and_else_says_what_is_missing(
    seconds: float, requests: float, peak: float, busiest: float
) -> None:
    gate = traffic_cycle(DAY_CYCLE, Served(seconds, requests, peak, busiest), NOW)
    full = seconds >= 86_400 and requests >= 1_000_000 and busiest > 0 and peak >= 0.8 * busiest
    assert (gate.answer is Answer.PASS) is full
    assert ("still missing: " in gate.why) is not full
    done, of, _ = furthest_behind(DAY_CYCLE, Served(seconds, requests, peak, busiest))
    assert (done >= of) is (full or (busiest == 0 and seconds >= 86_400 and requests >= 1_000_000))
