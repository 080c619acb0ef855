"""A quantile's tolerance is that of the moment: it holds where production is slow, cold or quick, and no further."""

import math
from dataclasses import replace
from itertools import accumulate, pairwise
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.quantities import above, at_most
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import MetricPrior, Prior, Trial
from pipeline.judge.verdict import Verdict
from pipeline.model import Control, JudgeRules, MetricKind, MetricRule
from pipeline.rehearsal.fault import Fault
from pipeline.rehearsal.profile import METRICS, PROFILES
from pipeline.rehearsal.rehearse import rehearse
from pipeline.rehearsal.traffic import scenario
from pipeline.signals import Histogram, Sample

EDGES = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, math.inf)
CANARY, OTHERS = ("c0", "c1", "c2"), tuple(f"p{n}" for n in range(9))
PLACES = {name: f"dc{at % 3}" for at, name in enumerate((*CANARY, *OTHERS))}
SPREAD = NormalDist(0.0, 0.6)
JUDGE = SequentialJudge()


def took(median_s: float, requests: float) -> Sample:
    """Requests whose latencies are lognormal about a median."""
    below = [SPREAD.cdf(math.log(edge / median_s)) if edge < math.inf else 1.0 for edge in EDGES]
    counts = tuple(requests * (high - low) for low, high in pairwise((0.0, *below)))
    return Sample(5.0, {"requests": requests}, {}, {"latency": Histogram(EDGES, counts)})


def trial(tolerance: float, q: float = 0.99) -> Trial:
    p99 = MetricRule("p99", "p99", MetricKind.QUANTILE, of="latency", q=q, unit="s", tolerance=tolerance)
    return Trial("s-1", 0, JudgeRules((p99,), warmup_s=0.0, guard_burn=0.0), 5.0, 60, PLACES, CANARY, (), OTHERS)


def look(production_s: float, slower: float, requests: float = 400.0) -> Look:
    return Look(
        5.0,
        {
            **{name: HostLook(Group.CANARY, took(production_s * slower, requests), None) for name in CANARY},
            **{name: HostLook(Group.PRODUCTION, took(production_s, requests), None) for name in OTHERS},
        },
        len(CANARY),
    )


def verdicts(the: Trial, looks: list[Look], prior: Prior) -> list[Verdict]:
    evidence, said = JUDGE.begin(the, prior), []
    for one in looks:
        evidence, judgement = JUDGE.look(evidence, one)
        said.append(judgement.verdict)
    return said


@given(
    st.sampled_from([0.1, 0.25, 0.5, 0.7, 1.0]),
    st.floats(0.0, 0.9),
    st.lists(st.floats(0.03, 0.6), min_size=1, max_size=6),
    st.sampled_from([None, 0.15, 0.5, 1.5]),
    st.sampled_from([0.9, 0.95, 0.99]),
)
@settings(max_examples=60, deadline=None)
def test_slower_by_less_than_the_tolerance_never_fails_whatever_production_does(
    tolerance: float, part: float, hours: list[float], edge: float | None, q: float
) -> None:
    prior = Prior() if edge is None else Prior({"p99": MetricPrior(edge=edge)})
    looks = [look(median_s, 1 + part * tolerance) for median_s in hours for _ in range(12)]
    assert Verdict.FAIL not in verdicts(trial(tolerance, q), looks, prior)


@pytest.mark.parametrize("median_s", [0.03, 0.08, 0.3])
def test_twice_as_slow_fails_at_once_at_every_hour(median_s: float) -> None:
    assert Verdict.FAIL in verdicts(trial(0.25), [look(median_s, 2.0)] * 3, Prior())


def test_a_bound_that_a_slow_day_left_behind_hides_no_slow_canary() -> None:
    """Production now takes 90 ms at p99, the recorded bound is 1 s, and the canary takes three times as long."""
    slow_day = Prior({"p99": MetricPrior(edge=1.0, allowance=0.008)})
    assert Verdict.FAIL in verdicts(trial(0.25), [look(0.022, 3.0)] * 5, slow_day)


@pytest.mark.parametrize("seed", range(100, 104))
def test_a_cold_canary_within_a_wide_tolerance_is_not_rolled_back(seed: int) -> None:
    metrics = tuple(replace(rule, tolerance=0.7) if rule.kind is MetricKind.QUANTILE else rule for rule in METRICS)
    rules = JudgeRules(metrics=metrics, control=Control.BASELINE)
    profile = replace(PROFILES["high"], looks=12)
    assert rehearse(JUDGE, scenario(profile, Fault("slower", latency=1.6), seed, rules)).failed_at is None
    assert rehearse(JUDGE, scenario(profile, Fault("slow", latency=2.5), seed, rules)).failed_at is not None


@given(st.lists(st.integers(0, 500), min_size=len(EDGES), max_size=len(EDGES)), st.floats(0.001, 20.0))
def test_what_lies_above_a_latency_is_what_does_not_lie_below_it(counts: list[int], latency: float) -> None:
    cumulative = list(accumulate(map(float, counts)))
    higher = sum(part * count for part, count in zip(above(latency, EDGES), counts, strict=True))
    assert higher == pytest.approx(cumulative[-1] - at_most(latency, EDGES, cumulative), abs=1e-9)
