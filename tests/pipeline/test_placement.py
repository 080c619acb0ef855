import math
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import CanaryRules, Host, Pool, Wave
from pipeline.placement import canary_size, draw_baseline, draw_canaries, in_waves, sample

REGIONS = {"fra1": "eu", "ams2": "eu", "iad1": "us", "sin1": "ap"}


def hosts(counts: dict[str, int], providers: int = 2) -> list[Host]:
    return [
        Host(f"{dc}-{n:03}", f"{dc}:{n}", Pool.PRODUCTION, dc, REGIONS[dc], REGIONS[dc], f"p{n % providers}")
        for dc, count in counts.items()
        for n in range(count)
    ]


fleets = st.fixed_dictionaries({dc: st.integers(0, 40) for dc in REGIONS}).filter(lambda c: sum(c.values()) > 0)


@given(st.integers(1, 2_000), st.floats(0.05, 0.10))
def test_a_canary_is_5_to_10_percent_and_never_nothing(count: int, share: float) -> None:
    size = canary_size(count, share)
    assert 1 <= size <= count
    if count >= 10:
        assert 0.05 <= size / count <= 0.10


@given(fleets, st.floats(0.05, 0.10), st.integers(0, 2**32))
def test_the_draw_is_stratified_by_datacenter_within_one_host_and_replayable(
    counts: dict[str, int], share: float, seed: int
) -> None:
    fleet = hosts(counts)
    rules = CanaryRules(share)
    drawn = draw_canaries(fleet, rules, seed)
    assert drawn == draw_canaries(list(reversed(fleet)), rules, seed)
    assert len(set(drawn)) == len(drawn) == canary_size(len(fleet), share)
    by_dc = Counter(name.split("-")[0] for name in drawn)
    for dc, count in counts.items():
        share_of_dc = count * len(drawn) / len(fleet)
        assert math.floor(share_of_dc - 1e-9) <= by_dc[dc] <= math.ceil(share_of_dc + 1e-9)


@given(fleets, st.integers(0, 2**32), st.data())
def test_regions_and_providers_within_a_datacenter_get_their_share_too(
    counts: dict[str, int], seed: int, data: st.DataObject
) -> None:
    fleet = hosts(counts)
    size = data.draw(st.integers(1, len(fleet)))
    drawn = sample(fleet, size, ("region", "datacenter", "provider"), Random(seed))
    for field in ("region", "datacenter"):
        for place in {getattr(host, field) for host in fleet}:
            share = sum(getattr(host, field) == place for host in fleet) * size / len(fleet)
            got = sum(getattr(host, field) == place for host in drawn)
            assert math.floor(share - 1e-9) <= got <= math.ceil(share + 1e-9)


def test_over_seeds_every_host_is_drawn_equally_often() -> None:
    fleet = hosts({"fra1": 4, "ams2": 3, "iad1": 3})
    draws = 6_000
    drawn = Counter(name for seed in range(draws) for name in draw_canaries(fleet, CanaryRules(0.1), seed))
    expected = draws / len(fleet)
    chi_square = sum((drawn[host.name] - expected) ** 2 / expected for host in fleet)
    assert chi_square < 27.9, "p < 0.001 for 9 degrees of freedom"


def test_pairs_are_drawn_together_at_random_over_seeds() -> None:
    fleet = hosts({"fra1": 10, "ams2": 10}, providers=1)
    pairs = Counter(tuple(sorted(draw_canaries(fleet, CanaryRules(0.1), seed))) for seed in range(4_000))
    assert len(pairs) == 100, "each host of one datacenter with each of the other"


WAVES = (Wave("datacenter", "fra1", 1.0), Wave("region", "eu", 0.5), Wave("country", "us", 0.3), Wave("", "", 1.0))


@given(fleets, st.integers(0, 2**32))
def test_waves_only_grow_hold_what_they_promise_and_end_with_every_host(counts: dict[str, int], seed: int) -> None:
    fleet = hosts(counts)
    canaries = draw_canaries(fleet, CanaryRules(), seed)
    cuts = in_waves(fleet, WAVES, canaries, ("datacenter",), seed)
    before: set[str] = set(canaries)
    for wave, cut in zip(WAVES, cuts, strict=True):
        assert before <= set(cut)
        there = {host.name for host in fleet if not wave.kind or getattr(host, wave.kind) == wave.place}
        assert len(there & set(cut)) >= wave.share * len(there) - 1e-9
        assert set(cut) - before <= there
        before = set(cut)
    assert before == {host.name for host in fleet}


@pytest.mark.parametrize(("wave", "said"), [(WAVES[0], "fra1"), (WAVES[1], "region:eu 50%"), (WAVES[3], "100%")])
def test_a_wave_says_itself_as_it_is_configured(wave: Wave, said: str) -> None:
    assert str(wave) == said


@given(fleets, st.floats(0.05, 0.10), st.integers(0, 2**32))
def test_a_baseline_is_beside_the_canary_in_its_datacenters_and_leaves_one_host_there_alone(
    counts: dict[str, int], share: float, seed: int
) -> None:
    fleet = hosts(counts)
    canaries = draw_canaries(fleet, CanaryRules(share), seed)
    drawn = draw_baseline(fleet, canaries, ("datacenter", "provider"), seed)
    assert drawn == draw_baseline(list(reversed(fleet)), canaries, ("datacenter", "provider"), seed)
    assert len(set(drawn)) == len(drawn)
    assert not set(drawn) & set(canaries)
    canary_in, baseline_in = (Counter(name.split("-")[0] for name in names) for names in (canaries, drawn))
    for dc, count in counts.items():
        rest = count - canary_in[dc]
        assert baseline_in[dc] == min(canary_in[dc], max(rest - 1, 0))
        assert rest == 0 or baseline_in[dc] < rest


def test_over_seeds_every_host_is_in_the_baseline_equally_often() -> None:
    fleet = hosts({"fra1": 4, "ams2": 4})
    draws = 4_000
    drawn: Counter[str] = Counter()
    for seed in range(draws):
        drawn.update(draw_baseline(fleet, draw_canaries(fleet, CanaryRules(), seed), (), seed))
    expected = draws / len(fleet)
    chi_square = sum((drawn[host.name] - expected) ** 2 / expected for host in fleet)
    assert chi_square < 24.4, "p < 0.001 for 7 degrees of freedom"


def test_a_datacenter_of_two_restarts_only_its_canary() -> None:
    assert draw_baseline(hosts({"fra1": 2}), ["fra1-000"], (), 1) == ()


@given(st.integers(0, 2**32), st.dictionaries(st.sampled_from(sorted(REGIONS)), st.integers(6, 20), min_size=1))
def test_a_host_is_no_canary_twice_running_while_its_place_has_another(seed: int, counts: dict[str, int]) -> None:
    fleet = hosts(counts, providers=1)
    first = draw_canaries(fleet, CanaryRules(), seed)
    second = draw_canaries(fleet, CanaryRules(), seed, first)
    assert not set(first) & set(second)
    assert sorted(name.split("-")[0] for name in first) == sorted(name.split("-")[0] for name in second)
    assert len(set(second)) == len(second)


def test_a_place_with_no_other_host_gives_the_same_one_again() -> None:
    fleet = hosts({"fra1": 1})
    assert draw_canaries(fleet, CanaryRules(), 1, ("fra1-000",)) == ("fra1-000",)
