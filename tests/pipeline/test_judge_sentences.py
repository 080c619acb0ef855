"""What a judge's sentence says of a quantile and of restarts, and what all who show its numbers say alike."""

import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge import sentences
from pipeline.judge.bounds import Effect
from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.quantities import Pooled
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Prior, Reference, Trial
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.judge.wording import confidence, evidence, is_read_off
from pipeline.model import JudgeRules, MetricKind, MetricRule, Worse
from pipeline.showing.present import differences
from pipeline.signals import Histogram, Sample
from pipeline.words import amount

EDGES = (0.1, 0.25, 1.0, math.inf)
P99 = MetricRule("p99", "latency p99", MetricKind.QUANTILE, of="latency", unit="s")
RESTARTS = MetricRule("restarts", "restarts", MetricKind.RESTARTS, tolerance=2.0)
HOSTS = ("c0", "c1", "c2", *(f"p{n}" for n in range(9)))
CANARY = HOSTS[:3]


def histogram(name: str, slow: float) -> Sample:
    """200 requests, of which `slow` took longer than 250 ms."""
    return Sample(5.0, {"requests": 200.0}, {}, {"latency": Histogram(EDGES, (100.0, 100.0 - slow, slow, 0.0))})


def judged(slow: float, looks: int, metric: MetricRule = P99, restarts: float = 0.0) -> MetricVerdict:
    """The metric in the last look, where the canary has `slow` slow requests a look and others 2."""
    return judgement(slow, looks, metric, restarts).metrics[0]


def judgement(slow: float, looks: int, metric: MetricRule, restarts: float = 0.0) -> Judgement:
    rules = JudgeRules((metric,), warmup_s=0.0, guard_burn=0.0)
    trial = Trial("s-1", 0, rules, 5.0, 60, dict.fromkeys(HOSTS, "dc"), CANARY, (), HOSTS[3:])
    judge = SequentialJudge()
    seen = judge.begin(trial, Prior())
    for _ in range(looks):
        samples = {
            name: replace(histogram(name, slow if name in CANARY else 2.0), restarts=restarts * (name in CANARY))
            for name in HOSTS
        }
        groups = {name: Group.CANARY if name in CANARY else Group.PRODUCTION for name in HOSTS}
        hosts = {name: HostLook(groups[name], sample, None) for name, sample in samples.items()}
        seen, said = judge.look(seen, Look(5.0, hosts, len(CANARY)))
    return said


def test_a_quantile_that_fails_says_what_was_counted_and_what_is_read_off() -> None:
    said = judged(8.0, 30)
    assert said.verdict is Verdict.FAIL
    counted, aside = said.why.split("; p99 ")
    assert counted == (
        "latency p99: canary 4.00 % of 18,000 requests above 250 ms, production 1.00 % of 54,000, limit +0.20pp"
    )
    assert aside.startswith("read off buckets: canary ")
    assert (said.difference, said.limit) == ("+3.00pp slow", "0.20")
    assert is_read_off(said.difference)


def test_a_pass_names_what_is_beyond_its_limit_by_what_may_be_chance() -> None:
    few = replace(P99, min_samples=1)
    beyond, inside = judgement(2.6, 2, few), judgement(2.0, 2, few)
    assert beyond.verdict is inside.verdict is Verdict.PASS
    assert beyond.why == "0 of 1 metrics inside limits; latency p99 beyond, which may be chance"
    assert inside.why == "1 of 1 metrics inside limits"
    assert differences(beyond) == "p99 +0.30pp slow (limit 0.20; may be chance)"
    assert differences(inside) == "p99 +0.00pp slow (limit 0.20)"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0092, "cores", "0.0092 cores"),
        (0.5, "cores", "0.50 cores"),
        (1_234.5, "/s", "1,234.50/s"),
        (0.0, "", "0.00"),
        (0.00042, "s", "0.42 ms"),
        (0.412, "s", "412 ms"),
        (51_000_000.0, "bytes", "49 MiB"),
        (500_000.0, "bytes", "0.48 MiB"),
        (math.inf, "s", "inf ms"),
    ],
)
def test_an_amount_has_two_digits_at_least(value: float, unit: str, said: str) -> None:
    assert amount(value, unit) == said


def test_the_history_says_of_a_quantile_what_was_counted_too() -> None:
    said = judged(8.0, 30)
    assert differences(Judgement(Verdict.FAIL, said.why, (said,))) == "p99 +3.00pp slow (limit 0.20)"


def test_a_tail_whose_quantiles_look_alike_is_told_as_the_difference_that_it_is() -> None:
    """Both quantiles fall into one bucket at the end: only the counts differ."""
    edges = (0.25, math.inf)
    alike = Pooled(edges, (960.0, 1_000.0), (9_900.0, 10_000.0))
    tail = Effect(canary=0.04, control=0.01, limit=0.012, low=0.03, high=0.05, exposure=1_000, control_exposure=10_000)
    told = sentences.told(P99, tail, alike, "production", 0.25)
    assert told.effect == 0
    said = sentences.sentence(P99, told)
    assert "canary 4.00 % of 1,000 requests above 250 ms, production 1.00 % of 10,000, limit +0.20pp" in said
    assert said.endswith("; p99 read off buckets: canary 250 ms, production 250 ms")


def test_what_the_evidence_is_strongest_in_comes_before_what_is_read_off() -> None:
    tail = Effect(canary=0.04, control=0.01, limit=0.012, exposure=1_000, control_exposure=10_000)
    told = sentences.told(P99, tail, Pooled((0.25, math.inf), (960.0, 1_000.0), (9_900.0, 10_000.0)), "baseline", 0.25)
    first, lately, aside = sentences.sentence(P99, told, "in the last 45 s 9 where 2.0 were to be expected").split("; ")
    assert first.endswith("limit +0.20pp")
    assert lately.startswith("in the last 45 s")
    assert aside.startswith("p99 read off buckets: canary 250 ms, baseline")


def test_before_the_tail_is_settled_a_quantile_claims_no_difference() -> None:
    so_far = Pooled((0.25, math.inf), (10.0, 12.0), (40.0, 41.0))
    told = sentences.told(P99, Effect(), so_far, "production")
    assert (told.effect, told.difference, told.aside) == (None, "", "")
    assert not is_read_off(told.difference)


@given(st.floats(-1, 1), st.floats(0, 1))
def test_what_was_counted_and_its_limit_fit_the_edge_of_a_narrow_pane_with_any_verdict(
    share: float, limit: float
) -> None:
    tail = Effect(canary=share, control=0.0, limit=limit)
    told = sentences.told(P99, tail, None, "production", 0.25)
    assert len(f"{told.difference}  limit {told.limit}  NODATA") <= 32
    assert float(told.difference.removesuffix("pp slow")) == pytest.approx(100 * share, abs=0.5, rel=0.006)


@pytest.mark.parametrize(
    ("edge", "unit", "said", "word"),
    [
        (0.25, "s", "250 ms", "slow"),
        (2.5, "s", "2500 ms", "slow"),
        (0.0075, "s", "7.5 ms", "slow"),
        (2**26, "bytes", "64 MiB", "tail"),
    ],
)
def test_the_edge_is_in_the_sentence_and_what_is_beyond_it_has_a_word(
    edge: float, unit: str, said: str, word: str
) -> None:
    tail = Effect(canary=0.04, control=0.01, limit=0.012)
    told = sentences.told(replace(P99, unit=unit), tail, None, "production", edge)
    assert f" requests above {said}, " in told.groups
    assert told.difference == f"+3.00pp {word}"
    assert is_read_off(told.difference)


def test_restarts_are_told_by_the_hour_as_their_limit_is() -> None:
    once_an_hour = 1 / 3_600
    effect = Effect(canary=4 * once_an_hour, control=once_an_hour, limit=3 * once_an_hour, low=0.0, high=None)
    told = sentences.told(RESTARTS, effect, None, "production")
    assert sentences.sentence(RESTARTS, told) == (
        "restarts: canary 4.00 an hour and host, production 1.00 an hour and host, limit +2.00/h"
    )
    assert (told.difference, told.limit) == ("+3.00/h", "2.00/h")
    assert (told.effect, told.limit_at, told.low) == pytest.approx((3.0, 2.0, -1.0))


def test_restarts_beside_a_production_that_has_none_have_a_limit_in_words_and_no_bounds_of_nought() -> None:
    said = judged(2.0, 10, RESTARTS, restarts=0.0)
    assert said.why.endswith("production 0.00 an hour and host, limit 3x production's")
    assert (said.limit, said.limit_at, said.low, said.high) == ("3x", None, None, None)
    told = judged(2.0, 10, RESTARTS, restarts=1.0)
    assert told.candidate == pytest.approx(720.0)
    assert "canary 720.00 an hour and host" in told.why


def test_a_limit_of_what_should_be_more_has_a_minus() -> None:
    rule = MetricRule("rps", "rps", MetricKind.RATE, of="requests", unit="/s", worse=Worse.LOWER, tolerance=0.3)
    told = sentences.told(rule, Effect(canary=8.0, control=10.0, limit=7.0), None, "production")
    assert sentences.sentence(rule, told).endswith(", limit -30%")


@given(st.floats(0, 50))
def test_evidence_is_cut_and_never_rounded_up(ratio: float) -> None:
    shown = Fraction(int(evidence(ratio).removesuffix(" %")), 100)
    assert shown <= Fraction(repr(ratio)) < shown + Fraction(1, 100)


@pytest.mark.parametrize(
    ("ratio", "said"),
    [(1.119, "111 %"), (0.29, "29 %"), (0.999, "99 %"), (-0.2, "0 %"), (math.nan, "?"), (math.inf, "?")],
)
def test_evidence_reads_the_same_wherever_it_is_shown(ratio: float, said: str) -> None:
    assert evidence(ratio) == said
    assert evidence(ratio, "") == said.replace(" ", "")


@pytest.mark.parametrize(
    ("low", "high", "unit", "said"),
    [
        ("-1pp", "+2pp", "ratio", "with 95 % confidence between -1pp and +2pp"),
        (None, "+2pp", "ratio", "with 95 % confidence at most +2pp"),
        ("-1pp", None, "ratio", "with 95 % confidence at least -1pp"),
        (None, None, "ratio", "no bounds yet: too few requests"),
        (None, None, "s", "no bounds yet: too few requests"),
        (None, None, "/h", "no bounds yet: too few restarts"),
        (None, None, "bytes", "no bounds yet: too few readings"),
    ],
)
def test_what_nothing_bounds_is_said_to_rest_on_too_little(
    low: str | None, high: str | None, unit: str, said: str
) -> None:
    assert confidence(low, high, unit) == said


@pytest.mark.parametrize(
    ("left", "few"),
    [(0, "no production host is left beside it"), (1, "1 production host is"), (2, "2 production hosts are")],
)
def test_too_few_hosts_to_compare_with_are_counted_and_no_requests_are_made_up(left: int, few: str) -> None:
    rule = MetricRule("errors", "error rate", MetricKind.RATIO, bad="errors", total="requests", unit="ratio")
    names = ("c0", *(f"p{n}" for n in range(left)))
    trial = Trial(
        "s-1",
        0,
        JudgeRules((rule, MetricRule("memory", "memory", MetricKind.GAUGE, of="memory")), warmup_s=0.0, guard_burn=0.0),
        5.0,
        60,
        dict.fromkeys(names, "dc"),
        ("c0",),
        (),
        names[1:],
        reference={"errors": Reference(0.0022)},
    )
    judge = SequentialJudge()
    seen = judge.begin(trial, Prior())
    for _ in range(40):
        sample = Sample(5.0, {"requests": 200.0, "errors": 1.0}, {"memory": 1e8})
        groups = {name: Group.CANARY if name == "c0" else Group.PRODUCTION for name in names}
        look = Look(5.0, {name: HostLook(group, sample, None) for name, group in groups.items()}, 1)
        seen, said = judge.look(seen, look)
    words = f"{few} too few to compare with" if left else few
    assert said.control == f"{words}: held against production before"
    assert f"{words}: held against production before, only what is twice as bad is judged" in said.caveats
    errors, memory = said.metrics
    assert errors.why.startswith("error rate: canary 0.50 % of 8,000, production before 0.22 %, limit ")
    assert memory.why == f"memory: not judged, {words}"
