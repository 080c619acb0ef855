import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from pipeline.judge.columns import Buckets, Columns
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Verdict
from pipeline.model import JudgeRules
from tests.bench.judge.kayenta import DEFAULTS, GATED, Direction, Found, KayentaJudge, Label, compare, score
from tests.bench.judge.steps import EMPTY
from tests.bench.judge.thresholds import ARGO, FLAGGER, RATIO, ThresholdJudge
from tests.bench.judge.whitney import Z99, AllTied, shift

EDGES = (0.1, 0.5, 1.0, math.inf)
TRIAL = Trial("r", 0, JudgeRules(), 60.0, 180, dict.fromkeys("abc", "fra1"), ("a",), ("b",), ("c",))
WATCHED = Verdict.WATCH


def look(errors: float = 0.0, requests: float = 1_000.0, slow: float = 0.0, others: float = 0.0) -> Columns:
    """One minute of the canary, with the others' errors for comparison."""
    table = np.array([[requests - slow, 0.0, slow, 0.0], [1_000.0, 0, 0, 0], [1_000.0, 0, 0, 0]])
    counters = {
        "requests": np.array([requests, 1_000.0, 1_000.0]),
        "errors": np.array([errors, others, others]),
        "cpu": np.full(3, 30.0),
    }
    gauges = {"memory": np.full(3, 2.0**28)}
    ages = np.full(3, np.inf)
    return Columns(60.0, np.full(3, 60.0), ages, np.zeros(3), counters, gauges, {"latency": (Buckets(EDGES, table),)})


def ends_at(judge: ThresholdJudge | KayentaJudge, looks: int, of: Callable[[int], Columns]) -> tuple[int, Verdict]:
    evidence = judge.begin(TRIAL, Prior())
    for number in range(1, looks + 1):
        evidence, judgement = judge.weigh(evidence, of(number))  # type: ignore[arg-type]
        if judgement.verdict in (Verdict.FAIL, Verdict.PASS):
            return number, judgement.verdict
    return looks, judgement.verdict


def z(mu: float, experiment: np.ndarray, control: np.ndarray) -> float:
    """As Kayenta's source has it: average ranks, ties corrected, continuity corrected."""
    moved = np.concatenate([experiment - mu, control])
    m, n = experiment.size, control.size
    ranks = np.array([(moved < value).sum() + ((moved == value).sum() + 1) / 2 for value in moved])
    _, ties = np.unique(moved, return_counts=True)
    away = ranks[:m].sum() - m * (m + 1) / 2 - m * n / 2
    variance = m * n / 12 * ((m + n + 1) - (ties**3 - ties).sum() / ((m + n) * (m + n - 1)))
    return float((away - 0.5 * np.sign(away)) / math.sqrt(variance))


def root(limit: float, experiment: np.ndarray, control: np.ndarray) -> float:
    """Where z falls through `limit`, by halving; the bracket's end where it never does."""
    low, high = experiment.min() - control.max(), experiment.max() - control.min()
    if z(low - 1e-9, experiment, control) < limit:
        return float(low)
    if z(high + 1e-9, experiment, control) > limit:
        return float(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if z(middle, experiment, control) > limit else (low, middle)
    return float(high)


@pytest.mark.parametrize("seed", range(30))
def test_the_interval_is_where_the_statistic_crosses_its_limits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, n = rng.integers(4, 25, 2)
    experiment, control = rng.normal(0.3, 1, m), rng.normal(0, 2, n)
    if seed % 3 == 0:
        experiment[: m // 2] = experiment[0]
    found = shift(experiment, control)
    assert found.low == pytest.approx(root(Z99, experiment, control), abs=1e-6)
    assert found.high == pytest.approx(root(-Z99, experiment, control), abs=1e-6)
    assert abs(z(found.estimate, experiment, control)) < 0.3


def test_a_small_interval_worked_by_hand() -> None:
    # 36 differences -5 to 5 around 3; sigma = sqrt(39) = 6.245, so U = 18 +- 15.03: the 3rd and the 34th of them.
    found = shift(np.arange(4.0, 10.0), np.arange(1.0, 7.0))
    assert (found.low, found.estimate, found.high) == (-1.0, 3.0, 7.0)


def test_too_few_values_give_the_whole_bracket_and_ties_alone_give_none() -> None:
    # sigma = sqrt(5.25): no U of 9 is 5.8 away from 4.5.
    found = shift(np.array([5.0, 6.0, 7.0]), np.array([1.0, 2.0, 3.0]))
    assert (found.low, found.estimate, found.high) == (2.0, 4.0, 6.0)
    with pytest.raises(AllTied):
        shift(np.array([2.0]), np.array([1.0]))


def test_the_defaults_call_a_lasting_difference_of_two_percent_high_and_the_gate_does_not() -> None:
    rng = np.random.default_rng(3)
    control, experiment = rng.normal(100, 1, 60), rng.normal(102, 1, 60)
    assert compare(experiment, control, Direction.INCREASE, DEFAULTS) == Found(Label.HIGH, True)
    assert compare(experiment, control, Direction.INCREASE, GATED) == Found(Label.PASS, False)
    assert compare(control, experiment, Direction.DECREASE, DEFAULTS) == Found(Label.LOW, True)
    assert compare(control, experiment, Direction.INCREASE, DEFAULTS).label is Label.PASS
    assert compare(1.3 * experiment, control, Direction.EITHER, GATED) == Found(Label.HIGH, False)
    assert compare(1.6 * experiment, control, Direction.EITHER, GATED) == Found(Label.HIGH, True)


def test_what_cannot_be_compared_has_a_label_of_its_own() -> None:
    some, nan = np.array([1.0, 2.0, 3.0]), np.full(3, math.nan)
    assert compare(nan, some, Direction.EITHER, DEFAULTS) == Found(Label.NO_DATA, True)
    assert compare(some[::-1], some, Direction.EITHER, DEFAULTS).label is Label.PASS
    assert compare(np.append(some, math.nan), some, Direction.EITHER, DEFAULTS).label is Label.PASS
    assert compare(np.full(30, 2.0), np.full(30, 2.0), Direction.EITHER, DEFAULTS).label is Label.PASS
    assert compare(np.array([3.0]), np.array([2.0]), Direction.EITHER, DEFAULTS) == Found(Label.ERROR, False)
    assert compare(np.full(30, 3.0), np.full(30, 2.0), Direction.INCREASE, DEFAULTS).label is Label.HIGH
    # No ratio of means where one is 0: the gate is left open.
    assert compare(np.linspace(1, 2, 30), np.zeros(30), Direction.INCREASE, GATED) == Found(Label.HIGH, True)


def labels(**given: Label) -> Mapping[str, Found]:
    return {key: Found(given.get(key, Label.PASS), True) for key in ("errors", "p99", "cpu", "memory", "traffic")}


def test_the_score_weighs_groups_alike_and_a_critical_metric_makes_it_nothing() -> None:
    assert score(labels()) == 100
    assert score(labels(cpu=Label.HIGH)) == 87.5
    assert score(labels(traffic=Label.LOW)) == 75
    assert score(labels(traffic=Label.LOW, memory=Label.HIGH)) == 62.5
    assert score(labels(errors=Label.HIGH)) == 0
    assert score({**labels(), "errors": Found(Label.HIGH, False)}) == 75
    assert score(labels(cpu=Label.NO_DATA, memory=Label.ERROR)) == 100
    assert score(labels(cpu=Label.NO_DATA, memory=Label.NO_DATA, traffic=Label.NO_DATA)) == 0


def test_kayenta_says_nothing_before_its_first_hour_and_fails_in_that_look() -> None:
    rng = np.random.default_rng(5)
    noise = rng.poisson(10, (200, 2))
    assert ends_at(KayentaJudge(), 180, lambda n: look(60 + noise[n, 0], others=noise[n, 1])) == (60, Verdict.FAIL)
    assert ends_at(KayentaJudge(), 59, lambda n: look(60 + noise[n, 0], others=noise[n, 1])) == (59, WATCHED)
    assert ends_at(KayentaJudge(300.0), 180, lambda n: look(60 + noise[n, 0], others=noise[n, 1]))[1] is Verdict.FAIL


def test_kayenta_passes_equal_groups_at_the_canarys_end() -> None:
    assert ends_at(KayentaJudge(), 180, lambda n: look(n % 7, others=n % 7)) == (180, Verdict.PASS)


def test_flagger_ends_the_canary_with_its_fifth_failed_check_however_far_apart() -> None:
    assert ends_at(FLAGGER, 180, lambda _: look(errors=11)) == (5, Verdict.FAIL)
    assert ends_at(FLAGGER, 180, lambda n: look(errors=11 if n % 20 == 0 else 0)) == (100, Verdict.FAIL)
    assert ends_at(FLAGGER, 180, lambda _: look(errors=10)) == (180, Verdict.PASS)
    assert ends_at(FLAGGER, 180, lambda _: look(slow=20)) == (5, Verdict.FAIL)
    assert ends_at(FLAGGER, 180, lambda _: look(requests=0)) == (5, Verdict.FAIL)


def test_argo_looks_every_five_minutes_and_fails_above_its_limit_of_three() -> None:
    assert ends_at(ARGO, 180, lambda _: look(errors=51)) == (20, Verdict.FAIL)
    assert ends_at(ARGO, 180, lambda n: look(errors=51 if n <= 15 else 0)) == (180, Verdict.PASS)
    assert ends_at(ARGO, 180, lambda _: look(requests=0)) == (25, Verdict.FAIL)


def test_the_ratio_judge_compares_with_production() -> None:
    assert ends_at(RATIO, 180, lambda _: look(errors=21, others=10)) == (5, Verdict.FAIL)
    assert ends_at(RATIO, 180, lambda _: look(errors=20, others=10)) == (180, Verdict.PASS)


def test_a_step_pools_its_hosts_and_leaves_out_those_without_data() -> None:
    gone = look(errors=5)
    gone.counters["requests"][1] = gone.counters["errors"][1] = gone.host_s[1] = math.nan
    both = EMPTY.with_look(gone, slice(0, 2)).with_look(look(errors=7), slice(0, 2))
    assert (both.requests, both.errors, both.host_s) == (3_000, 12, 180)
    assert both.rps == pytest.approx(3_000 / 180)
    assert math.isnan(EMPTY.error_ratio)
    assert math.isnan(EMPTY.latency_s(0.99))
