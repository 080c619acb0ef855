from collections.abc import Iterable
from dataclasses import replace
from itertools import islice, pairwise

import numpy as np
import pytest

from pipeline.judge.columns import Buckets, Columns, Floats, columns
from pipeline.judge.look import Group
from pipeline.model import Control, JudgeRules
from pipeline.rehearsal.counts import BUCKETS, ERRORS, REQUESTS, draw
from pipeline.rehearsal.fault import FAULTS, NONE, Fault
from pipeline.rehearsal.profile import HAZARDS, HIGH, HUGE, LOW, METRICS, MID, PROFILES, SICK, TINY, Profile, Spread
from pipeline.rehearsal.rates import Rates
from pipeline.rehearsal.reshape import coarser, look_of
from pipeline.rehearsal.traffic import Scenario, scenario
from pipeline.rehearsal.weather import TRAFFIC, drift

RULES = JudgeRules(METRICS, Control.BASELINE)
STILL = Spread(0.0, 0.0, 0.0, 0.0, 0.0)
CALM = replace(
    MID, host_spread=STILL, noise=STILL, jitter=0.0, bursts_an_hour=0.0, restarts_a_day=0.0, lost_ratio=0.0,
    outages_an_hour=0.0,
)  # fmt: skip
EVERY = [*PROFILES.values(), *HAZARDS.values()]


def of(profile: Profile, fault: Fault = NONE, seed: int = 7) -> Scenario:
    return scenario(profile, fault, seed, RULES)


def same(one: Columns, other: Columns) -> bool:
    def arrays(look: Columns) -> dict[object, Floats]:
        found: dict[object, Floats] = {"host_s": look.host_s, "age_s": look.age_s, "restarts": look.restarts}
        for signal, kinds in look.histograms.items():
            found |= {(signal, at, kind.edges): kind.counts for at, kind in enumerate(kinds)}
        for signals in (look.counters, look.gauges):
            found |= dict(signals.items())
        return found

    mine, theirs = arrays(one), arrays(other)
    return (
        mine.keys() == theirs.keys()
        and (one.seconds, one.expected, one.down) == (other.seconds, other.expected, other.down)
        and all(np.array_equal(mine[key], theirs[key], equal_nan=True) for key in mine)
    )


def total(looks: Iterable[Columns], signal: str) -> Floats:
    """(hosts,)"""
    counts = np.array([look.counters[signal] for look in looks if signal in look.counters])
    found: Floats = np.nansum(counts, axis=0)
    return found


def canary_rates(profile: Profile, fault: Fault) -> Rates:
    return of(profile, fault)._expected(fault)[0]


@pytest.mark.parametrize("profile", EVERY, ids=lambda profile: profile.name)
def test_the_same_seed_gives_the_same_looks_and_another_one_others(profile: Profile) -> None:
    first, again, other = (list(islice(of(profile, seed=seed).columns(), 40)) for seed in (7, 7, 8))
    assert all(same(one, two) for one, two in zip(first, again, strict=True))
    assert not all(same(one, two) for one, two in zip(first, other, strict=True))


@pytest.mark.parametrize("profile", EVERY, ids=lambda profile: profile.name)
def test_a_look_host_by_host_holds_what_its_columns_hold(profile: Profile) -> None:
    canary = of(replace(profile, lost_ratio=0.2, restarts_a_day=40.0), FAULTS["crash-loop"])
    trial = canary.trial
    parts = ((trial.canary, Group.CANARY), (trial.baseline, Group.BASELINE), (trial.production, Group.PRODUCTION))
    hosts = [name for names, _ in parts for name in names]
    groups = [group.value for names, group in parts for _ in names]
    for look in islice(canary.columns(), 60):
        assert same(columns(look_of(look, trial), hosts, groups), look)


def test_a_trial_has_every_host_once_and_a_baseline_in_the_canarys_datacenters() -> None:
    for profile in EVERY:
        trial = of(profile).trial
        hosts = (*trial.canary, *trial.baseline, *trial.production)
        assert len(set(hosts)) == len(hosts) == profile.hosts == len(trial.datacenters)
        assert len(trial.canary) == profile.canaries
        places = [sorted(trial.datacenters[name] for name in group) for group in (trial.canary, trial.baseline)]
        assert places[0] == places[1]


def test_without_a_baseline_only_the_canary_is_restarted() -> None:
    trial = (canary := scenario(HIGH, NONE, 7, replace(RULES, control=Control.PRODUCTION))).trial
    assert trial.baseline == ()
    age = next(canary.columns()).age_s
    assert (age[: HIGH.canaries] < 60 + HIGH.tick_s).all()
    assert (age[HIGH.canaries :] > 600).all()


def test_a_canary_of_every_host_or_a_histogram_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="mid: 40 canaries of 40 hosts leave no control"):
        of(replace(MID, canaries=40))
    with pytest.raises(ValueError, match="must have 10 edges"):
        of(replace(MID, canary_edges=(0.1, float("inf"))))


def test_drawn_counts_have_the_moments_that_they_should() -> None:
    shape = (400, 50)
    rng = np.random.default_rng(1)
    expected = Rates(*(np.full(shape, value) for value in (200.0, 0.02, 0.08, 5.0, 1.0)))
    profile = replace(MID, jitter=0.1)
    counts = draw(profile, expected, slice(0, 400), 15.0, (MID.edges,) * 50, rng)
    requests, errors = counts[..., REQUESTS], counts[..., ERRORS]
    assert requests.mean() == pytest.approx(200, rel=0.005)
    assert requests.var() == pytest.approx(200 + 0.1**2 * 200**2, rel=0.05)
    assert errors.sum() / requests.sum() == pytest.approx(0.02, rel=0.02)
    beyond = 1 - counts[..., BUCKETS:].cumsum(axis=-1)[..., :-1].sum(axis=(0, 1)) / requests.sum()
    medians = 1 / (1 + (np.array(MID.edges[:-1]) / 0.08) ** (1 / MID.latency_spread))
    assert beyond == pytest.approx(medians, rel=0.02, abs=2e-4)
    assert (counts[..., BUCKETS:].sum(axis=-1) == requests).all()


def test_noise_of_a_host_keeps_its_variance_and_forgets_as_fast_as_it_says() -> None:
    walk = drift(np.random.default_rng(2), 2_000, (50,), 15.0, 180.0)
    assert walk.var() == pytest.approx(1, rel=0.05)
    assert (walk[12:] * walk[:-12]).mean() == pytest.approx(np.exp(-1), rel=0.1)


def test_a_calm_service_serves_what_its_profile_says_up_to_the_hour_of_the_day() -> None:
    long = replace(CALM, looks=1_440, tick_s=60.0)
    looks = list(of(long).columns())
    served = total(looks, "requests")[2 * long.canaries :] / (long.rps * 86_400)
    datacenters = of(long).plant.effects[TRAFFIC, 2 * long.canaries :]
    assert served == pytest.approx(np.exp(datacenters), rel=0.08)


def test_a_process_that_began_anew_is_as_old_as_its_counts() -> None:
    looks = list(of(replace(HIGH, restarts_a_day=100.0, lost_ratio=0.1), FAULTS["crash-loop"]).columns())
    restarted = 0
    for before, after in pairwise(looks):
        anew = after.restarts > 0
        restarted += int(anew.sum())
        assert (after.age_s[anew] <= after.host_s[anew]).all()
        kept = ~anew & np.isfinite(before.age_s) & np.isfinite(after.age_s)
        assert after.age_s[kept] == pytest.approx(before.age_s[kept] + HIGH.tick_s)
    assert restarted > 300


def test_a_lost_reading_is_made_up_for_by_the_next_one() -> None:
    whole, patchy = (list(of(replace(CALM, lost_ratio=ratio)).columns()) for ratio in (0.0, 0.3))
    seen = ~np.isnan(patchy[-1].host_s)
    assert 0.5 < seen.mean() < 0.9
    for signal in ("requests", "errors", "cpu"):
        assert total(patchy, signal)[seen] == pytest.approx(total(whole, signal)[seen])
    spans = np.nansum([look.host_s for look in patchy], axis=0)
    assert spans[seen] == pytest.approx(CALM.looks * CALM.tick_s)


def test_an_outage_leaves_a_look_with_nobody_in_it() -> None:
    looks = list(of(replace(HIGH, datacenters=1, outages_an_hour=5.0)).columns())
    empty = [look for look in looks if np.isnan(look.host_s).all()]
    assert empty
    assert all(not look.counters and not look.histograms and np.isinf(look.age_s).all() for look in empty)


@pytest.mark.parametrize(
    ("fault", "quantity", "factor"),
    [
        ("x2", "error_ratio", 2.0),
        ("lat+25%", "latency_s", 1.25),
        ("cpu+20%", "cpu_s", 1.2),
        ("blackhole", "requests", 1 / 3),
    ],
)
def test_a_fault_acts_on_every_canary_host_and_on_no_other(fault: str, quantity: str, factor: float) -> None:
    good, bad = getattr(canary_rates(MID, NONE), quantity), getattr(canary_rates(MID, FAULTS[fault]), quantity)
    assert bad[:, : MID.canaries] == pytest.approx(factor * good[:, : MID.canaries])
    assert np.array_equal(bad[:, MID.canaries :], good[:, MID.canaries :])


def test_a_leak_grows_with_the_process() -> None:
    more = (canary_rates(MID, FAULTS["leak"]).memory_bytes - canary_rates(MID, NONE).memory_bytes)[:, 0]
    assert more[239] == pytest.approx(0.25 * MID.memory_bytes, rel=0.02)
    assert more[479] == pytest.approx(0.5 * MID.memory_bytes, rel=0.02)


def test_a_fault_of_one_datacenter_leaves_the_canarys_others_alone() -> None:
    worse = (canary_rates(HIGH, FAULTS["one-dc"]).error_ratio > canary_rates(HIGH, NONE).error_ratio)[0]
    trial = of(HIGH).trial
    assert 0 < worse.sum() < HIGH.canaries
    assert len({trial.datacenters[trial.canary[at]] for at in np.flatnonzero(worse)}) == 1


def test_a_late_fault_begins_after_forty_minutes_or_halfway_through_a_short_canary() -> None:
    assert of(HIGH, FAULTS["late-x5"]).begins_at == 161
    assert of(HUGE, FAULTS["late-x5"]).begins_at == 241
    assert of(HIGH, FAULTS["x5"]).begins_at == 1
    assert of(HIGH).begins_at is None
    worse = canary_rates(HIGH, FAULTS["late-x5"]).error_ratio > canary_rates(HIGH, NONE).error_ratio
    assert not worse[:160].any()
    assert worse[160:, : HIGH.canaries].all()


def test_a_crash_loop_restarts_each_canary_host_about_every_five_minutes() -> None:
    looks = of(replace(HIGH, restarts_a_day=0.0), FAULTS["crash-loop"]).columns()
    restarts = np.sum([look.restarts for look in looks], axis=0)
    assert restarts[: HIGH.canaries] == pytest.approx(np.full(HIGH.canaries, 24), abs=5)
    assert not restarts[HIGH.canaries :].any()


def test_a_fresh_process_fails_more_and_settles_within_minutes() -> None:
    expected = of(CALM)._expected(NONE)[0]
    cold, warm = expected.error_ratio[0], expected.error_ratio[80]
    restarted = 2 * CALM.canaries
    assert (cold[:restarted] > 1.5 * warm[:restarted]).all()
    assert cold[restarted:] == pytest.approx(warm[restarted:], rel=1.0)
    assert expected.memory_bytes[0, :restarted].max() < 0.85 * expected.memory_bytes[0, restarted:].min()


def test_one_sick_host_is_ill_in_the_canary_and_was_well_before() -> None:
    expected = of(SICK)._expected(NONE)[0].error_ratio
    assert expected[:, 0].mean() > 2 * expected[:, 1 : SICK.canaries].mean()
    first = of(SICK).trial.canary[0]
    ill = [one.look.hosts[first].sample.counters for one in of(SICK).past if first in one.look.hosts]
    well = [one.look.hosts[first].sample.counters for one in of(HIGH).past if first in one.look.hosts]
    assert ill == well


def test_the_past_is_an_hour_of_production_and_the_same_hosts_stand_out_in_it() -> None:
    profile = replace(CALM, host_spread=replace(STILL, traffic=0.5))
    past, trial = of(profile).past, of(profile).trial
    assert len(past) == 60
    assert [round((b.at - a.at).total_seconds()) for a, b in pairwise(past)] == [60] * 59
    assert {host.group for one in past for host in one.look.hosts.values()} == {Group.PRODUCTION}
    then = [sum(one.look.hosts[name].sample.counters["requests"] for one in past) for name in trial.production]
    now = total(of(profile).columns(), "requests")[2 * profile.canaries :]
    assert np.corrcoef(then, now)[0, 1] > 0.95


def test_a_sparse_service_has_a_day_of_longer_stretches_and_new_hosts_have_none() -> None:
    assert [len(of(profile).past) for profile in (LOW, TINY, replace(LOW, history_s=0.0))] == [288, 144, 0]
    assert {round(one.look.seconds) for one in of(LOW).past} == {300}


def test_a_longer_tick_sees_the_same_counts_in_fewer_looks() -> None:
    fine = list(of(HIGH, FAULTS["crash-loop"]).columns())
    rough = list(coarser(fine, 4))
    assert len(rough) == 120
    assert {look.seconds for look in rough} == {60.0}
    for signal in ("requests", "errors", "cpu"):
        # Only what a process counted before it began anew is lost to the longer tick.
        assert total(rough, signal).sum() == pytest.approx(total(fine, signal).sum(), rel=0.02)
        assert (total(rough, signal) <= total(fine, signal) + 1e-6).all()
    assert all(same(one, other) for one, other in zip(coarser(fine, 1), fine, strict=True))


def test_a_new_builds_other_buckets_are_kept_apart_from_the_old_ones() -> None:
    look = next(of(replace(HAZARDS["edges"], lost_ratio=0.0)).columns())
    new, old = look.histograms["latency"]
    assert isinstance(new, Buckets)
    assert len(set(new.edges) & set(old.edges)) == 6
    assert (~np.isnan(new.counts[:, 0])).sum() == HIGH.canaries
    assert (np.isnan(new.counts[:, 0]) ^ np.isnan(old.counts[:, 0])).all()


def test_the_toll_counts_the_canarys_requests_and_what_the_fault_added() -> None:
    assert of(MID).toll().sum() == 0
    x5 = of(MID, FAULTS["x5"])
    rates = canary_rates(MID, FAULTS["x5"])
    errors = (rates.requests * rates.error_ratio)[:, : MID.canaries].sum()
    assert x5.toll().sum(axis=0) == pytest.approx([rates.requests[:, : MID.canaries].sum(), 0.8 * errors])
    late = of(MID, FAULTS["late-x5"]).toll()
    assert not late[:160].any()
    assert late[160:].all()
