import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import METRICS

from pipeline.judge.evidence import Evidence, Look
from pipeline.judge.pooled import PooledJudge, tail
from pipeline.judge.verdict import Verdict
from pipeline.model import JudgeRules, MetricKind, MetricRule, Worse
from pipeline.signals import Histogram, Sample

EDGES = (0.1, 0.25, float("inf"))
ERRORS = METRICS[0]
THROUGHPUT = MetricRule("throughput", "throughput", MetricKind.RATE, of="requests", worse=Worse.LOWER, tolerance=0.3)


def sample(requests: float, errors: float, slow: float = 0.0, memory: float = 100.0) -> Sample:
    histogram = Histogram(EDGES, (requests - slow, slow, 0.0))
    return Sample(15.0, {"requests": requests, "errors": errors}, {"memory": memory}, {"latency": histogram})


def look(canary: Sample, *others: Sample) -> Look:
    return Look({"c": canary}, {f"p{n}": other for n, other in enumerate(others)}, expected=1)


def verdict(rules: JudgeRules, *looks: Look) -> Verdict:
    evidence = Evidence()
    for one in looks:
        evidence, judgement = PooledJudge().look(rules, evidence, one, Evidence())
    return judgement.verdict


def test_the_binomial_tail_is_exact() -> None:
    for n, p in ((10, 0.3), (50, 0.02), (400, 0.5)):
        for k in range(0, n + 1, max(n // 10, 1)):
            exact = sum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))
            assert tail(k, n, p) == pytest.approx(exact, rel=1e-6, abs=1e-12)
    assert tail(0, 10, 0.1) == 1.0
    assert tail(11, 10, 0.1) == 0.0


def test_eight_percent_errors_fail_within_a_hundred_requests() -> None:
    rules = JudgeRules((ERRORS,))
    assert verdict(rules, look(sample(100, 8), *[sample(100, 0)] * 9)) is Verdict.FAIL


def test_a_difference_below_the_tolerance_never_fails_however_many_requests() -> None:
    rules = JudgeRules((ERRORS,))
    assert verdict(rules, look(sample(1e6, 6_000), *[sample(1e6, 2_000)] * 9)) is Verdict.PASS


@given(st.integers(50, 5_000), st.integers(0, 50))
def test_equal_groups_never_fail(requests: int, errors: int) -> None:
    rules = JudgeRules((*METRICS, THROUGHPUT))
    same = sample(requests, min(errors, requests))
    assert verdict(rules, look(same, *[same] * 9)) is not Verdict.FAIL


def test_few_requests_are_no_verdict_and_no_pass() -> None:
    rules = JudgeRules((ERRORS,))
    assert verdict(rules, look(sample(49, 0), *[sample(100, 0)] * 9)) is Verdict.NO_DATA


def test_no_candidate_no_control_and_missing_signals_are_no_data() -> None:
    rules = JudgeRules((ERRORS,))
    assert verdict(rules, Look({}, {"p": sample(100, 0)}, 1)) is Verdict.NO_DATA
    assert verdict(rules, look(sample(100, 0))) is Verdict.NO_DATA
    assert verdict(rules, look(Sample(15.0), sample(100, 0))) is Verdict.NO_DATA
    assert verdict(JudgeRules(()), look(sample(100, 0), sample(100, 0))) is Verdict.NO_DATA


def test_most_canary_hosts_without_data_are_no_verdict() -> None:
    one = Look({"a": sample(500, 0)}, {"p": sample(500, 0)}, expected=3)
    assert verdict(JudgeRules((ERRORS,)), one) is Verdict.NO_DATA


def test_a_slow_tail_fails_and_a_canary_that_serves_nothing_fails() -> None:
    rules = JudgeRules((METRICS[1], THROUGHPUT))
    assert verdict(rules, look(sample(600, 0, slow=60), *[sample(600, 0, slow=1)] * 9)) is Verdict.FAIL
    rng = Random(1)
    others = [sample(600 + rng.randint(-30, 30), 0) for _ in range(9)]
    assert verdict(JudgeRules((THROUGHPUT,)), look(sample(5, 0), *others)) is Verdict.FAIL


def test_more_of_the_same_evidence_never_turns_fail_into_pass() -> None:
    bad = look(sample(100, 8), *[sample(100, 0)] * 9)
    for looks in range(1, 30):
        assert verdict(JudgeRules((ERRORS,)), *[bad] * looks) is Verdict.FAIL


def test_production_of_the_bake_stands_in_when_no_host_is_left_to_compare_with() -> None:
    rules = JudgeRules((ERRORS, THROUGHPUT))
    past = Evidence().with_look(look(sample(100, 0), *[sample(100, 0)] * 9))
    _, judgement = PooledJudge().look(rules, Evidence(), look(sample(200, 30)), past)
    assert judgement.verdict is Verdict.FAIL
    _, judgement = PooledJudge().look(rules, Evidence(), look(sample(200, 0)), past)
    assert judgement.verdict is Verdict.PASS
    assert [metric.key for metric in judgement.metrics if not metric.counts] == ["throughput"]


def test_good_releases_are_seldom_failed_at_any_of_many_looks() -> None:
    rng = Random(11)
    failed = 0
    for _ in range(150):
        evidence, bad, worst = Evidence(), 0, 0
        for _ in range(60):
            hosts = [sample(n := rng.randint(30, 60), sum(rng.random() < 0.003 for _ in range(n))) for _ in range(10)]
            evidence, judgement = PooledJudge().look(JudgeRules((ERRORS,)), evidence, look(*hosts), Evidence())
            bad = bad + 1 if judgement.verdict is Verdict.FAIL else 0
            worst = max(worst, bad)
        failed += worst >= 2
    assert failed <= 4, f"{failed} of 150 good releases would have been rolled back"
