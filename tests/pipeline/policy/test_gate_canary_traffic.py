"""A canary is held against its share of the traffic: datacenter by datacenter, beyond what chance does."""

from dataclasses import replace
from math import sqrt

import pytest
from given import NOW, a_service
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gates import Answer
from pipeline.lifecycle import Phase, Rollout, Served
from pipeline.model import CanaryRules, Host, OffShare, Pool, Rules, TrafficCycle
from pipeline.policy.canary_traffic import canary_traffic, share, shared
from pipeline.signals import Sample

BAKING = Rollout(
    "checkout-8", "checkout", "r878", "r877", Phase.CANARY_BAKE, NOW, 1, "ana", NOW, 1, canaries=("fra1-1", "fra1-2")
)
"""Two of twenty hosts."""
ASKS = ": weight or health of the canary hosts in the balancer?"


def served(own: float, due: float, of: float) -> Rollout:
    return replace(BAKING, served=Served(lately=own, due_lately=due, all_lately=of))


def did(requests: float, seconds: float = 5.0) -> Sample:
    return Sample(seconds, {"requests": requests})


def hosts(**places: int) -> list[Host]:
    return [
        Host(f"{place}-{n}", f"127.0.2.{n}:80", Pool.PRODUCTION, place)
        for place, number in places.items()
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("own", "answer", "why"),
    [
        (1_000, Answer.PASS, "canary serves 10 % of requests with 10 % of hosts"),
        (700, Answer.PASS, "canary serves 7 % of requests with 10 % of hosts"),
        (1_300, Answer.PASS, "canary serves 13 % of requests with 10 % of hosts"),
        (690, Answer.HOLD, f"canary serves 6.9 % of requests with 10 % of hosts{ASKS}"),
        (1_310, Answer.HOLD, f"canary serves 13.1 % of requests with 10 % of hosts{ASKS}"),
        (0, Answer.HOLD, f"canary serves 0 % of requests with 10 % of hosts{ASKS}"),
    ],
)
def test_thirty_per_cent_from_its_share_is_the_limit(own: float, answer: Answer, why: str) -> None:
    gate = canary_traffic(a_service(), served(own, 1_000, 10_000))
    assert (gate.name, gate.answer, gate.why) == ("canary-traffic", answer, why)
    assert gate.answer is Answer.PASS or gate.lifts == "by itself, once it serves its share within 30 % of it"


def test_a_canary_whose_hosts_are_gone_proves_nothing_by_what_it_served() -> None:
    gone = replace(served(1_000, 1_000, 10_000), canaries=("fra9-1",))
    gate = canary_traffic(a_service(), gone)
    assert gate.answer is Answer.HOLD
    assert gate.why.startswith("no canary host is among production's hosts any more")
    lenient = a_service(Rules(canary=CanaryRules(traffic=OffShare.WARN)))
    assert canary_traffic(lenient, gone).warns == gate.why


def test_too_few_requests_hold_and_say_how_many_will_tell() -> None:
    gate = canary_traffic(a_service(), served(0, 99.5, 995))
    assert (gate.answer, gate.why) == (Answer.HOLD, "99 requests are its share so far: 100 will tell")


def test_a_cycle_of_few_requests_needs_fewer() -> None:
    service = a_service(Rules(cycle=TrafficCycle(requests=20)))
    assert canary_traffic(service, served(10, 10, 100)).answer is Answer.PASS
    assert canary_traffic(service, served(0, 10, 100)).answer is Answer.HOLD
    assert canary_traffic(service, served(9, 9.9, 99)).why == "9 requests are its share so far: 10 will tell"
    assert canary_traffic(a_service(Rules(cycle=TrafficCycle(requests=0))), BAKING).answer is Answer.PASS


def test_who_says_so_is_warned_and_not_held() -> None:
    service = a_service(Rules(canary=CanaryRules(traffic=OffShare.WARN)))
    for rollout in (served(0, 1_000, 10_000), BAKING):
        gate = canary_traffic(service, rollout)
        assert gate.answer is Answer.PASS
        assert gate.warns == gate.why != ""


def test_a_share_that_its_datacenter_makes_another_is_told_beside_that_of_the_hosts() -> None:
    gate = canary_traffic(a_service(), served(400, 400, 10_000))
    assert gate.why == "canary serves 4 % of requests with 10 % of hosts (4 % by their datacenters)"


def test_a_canary_where_it_is_night_is_not_held_against_where_it_is_day() -> None:
    found = hosts(fra1=5, iad1=5)
    samples = {host.name: did(10 if host.datacenter == "fra1" else 100) for host in found}
    assert share(found, {"fra1-0"}, samples, "requests") == (10, 10, 550)


def test_where_only_the_canary_is_all_of_production_says_its_share() -> None:
    found = hosts(fra1=1, iad1=9)
    samples = {host.name: did(0 if host.datacenter == "fra1" else 100) for host in found}
    assert share(found, {"fra1-0"}, samples, "requests") == (0, 90, 900)


def test_hosts_without_a_sample_and_strangers_count_nowhere() -> None:
    found = hosts(fra1=4)
    samples = {"fra1-0": did(10), "fra1-1": did(10), "stg-1": did(999)}
    assert share(found, {"fra1-0", "fra1-2"}, samples, "requests") == (10, 10, 20)
    assert share(found, {"fra1-0"}, {}, "requests") == (0.0, 0.0, 0.0)


@given(
    st.integers(2, 12),
    st.integers(0, 12),
    st.lists(st.floats(0, 1e6), min_size=24, max_size=24),
    st.floats(0.1, 60.0),
    st.data(),
)
def test_equal_hosts_have_their_share_and_no_share_exceeds_the_whole(east, west, counts, seconds, data) -> None:
    found = hosts(east=east, west=west)
    names = [host.name for host in found]
    canaries = data.draw(st.sets(st.sampled_from(names), min_size=1))
    samples = {name: did(count, seconds) for name, count in zip(names, counts, strict=False)}
    own, due, of = share(found, canaries, samples, "requests")
    assert 0 <= own <= of * (1 + 1e-9)
    assert 0 <= due <= of * (1 + 1e-9)
    even = {name: did(7.0, seconds) for name in names}
    own, due, of = share(found, canaries, even, "requests")
    assert own == pytest.approx(due) == pytest.approx(of * len(canaries) / len(found))


@given(st.floats(200, 1e6), st.floats(-0.99, 3.0))
def test_the_gate_opens_within_the_limit_or_within_chance_and_nowhere_else(due: float, off: float) -> None:
    gate = canary_traffic(a_service(), served(due * (1 + off), due, 10 * due))
    within = max(0.3, 3 / sqrt(due))
    if abs(abs(off) - within) > 1e-6:
        assert (gate.answer is Answer.PASS) is (abs(off) < within)


def test_what_is_a_cycle_old_weighs_a_third_and_new_traffic_makes_up_for_it_within_a_cycle() -> None:
    lately = Served()
    for _ in range(24):
        lately = shared(lately, 0.0, 100.0, 1_000.0, 3_600.0, 86_400.0)
    hours = 0
    while canary_traffic(a_service(), replace(BAKING, served=lately)).answer is not Answer.PASS:
        lately = shared(lately, 100.0, 100.0, 1_000.0, 3_600.0, 86_400.0)
        hours += 1
    assert 12 < hours <= 24
