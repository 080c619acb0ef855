"""What the judge keeps, any of it: strategies, and a plain one of each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from adapters.exact import to_json
from pipeline.judge.look import Calibration, Group, HostLook, Look, LookRecord, Recorded
from pipeline.judge.trial import Kept, MetricPrior, Prior, Reference, Trial, TrialRecord
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.model import Control, JudgeRules, MetricKind, MetricRule
from pipeline.signals import Histogram, Sample

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
EDGES = (0.1, 0.5, float("inf"))

TIMES = st.integers(-(10**15), 10**16).map(lambda us: START + timedelta(microseconds=us))
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
MANY_WORDS = st.lists(WORDS, max_size=3).map(tuple)
WHOLE = st.integers(0, 2**53)
NUMBERS = WHOLE.map(float) | st.floats()
MAYBE = st.none() | NUMBERS
SIGNALS = st.dictionaries(WORDS, NUMBERS, max_size=3)
RUNS = st.lists(NUMBERS, max_size=3).map(tuple)
HISTOGRAMS = st.dictionaries(WORDS, st.builds(Histogram, RUNS | st.just(EDGES), RUNS), max_size=2)
SAMPLES = st.builds(Sample, NUMBERS, SIGNALS, SIGNALS, HISTOGRAMS, NUMBERS)
HOSTS = st.dictionaries(WORDS, st.builds(HostLook, st.sampled_from(Group), SAMPLES, MAYBE), max_size=4)
LOOKS = st.builds(Look, NUMBERS, HOSTS, WHOLE, MANY_WORDS)
VERDICTS = st.sampled_from(Verdict)
METRIC_VERDICTS = st.builds(
    MetricVerdict,
    key=WORDS,
    verdict=VERDICTS,
    candidate=MAYBE,
    control=MAYBE,
    samples=NUMBERS,
    why=WORDS,
    missing=st.booleans(),
    effect=MAYBE,
    low=MAYBE,
    high=MAYBE,
    limit_at=MAYBE,
    evidence=NUMBERS,
    alpha_spent=NUMBERS,
    window=WORDS,
)
JUDGEMENTS = st.builds(
    Judgement,
    verdict=VERDICTS,
    why=WORDS,
    metrics=st.lists(METRIC_VERDICTS, max_size=2).map(tuple),
    missing=st.booleans(),
    guard=WORDS,
    control=WORDS,
    caveats=MANY_WORDS,
    alerts=MANY_WORDS,
    warmup=WORDS,
    looks=WHOLE,
    evidence=NUMBERS,
    alpha=NUMBERS,
    alpha_spent=NUMBERS,
)
LOOK_RECORDS = st.builds(LookRecord, st.just("pricing-1"), st.just(0), st.just(1), TIMES, LOOKS, JUDGEMENTS)
RECORDED = st.builds(Recorded, st.just("pricing"), TIMES, LOOKS)
RULES = st.builds(
    JudgeRules,
    metrics=st.lists(
        st.builds(MetricRule, WORDS, WORDS, st.sampled_from(MetricKind), tolerance=NUMBERS), max_size=2
    ).map(tuple),
    control=st.sampled_from(Control),
    false_rollback=NUMBERS,
    warmup_s=MAYBE,
)
TRIALS = st.builds(
    Trial,
    release=st.just("pricing-1"),
    wave=st.just(0),
    rules=RULES,
    tick_s=NUMBERS,
    looks=WHOLE,
    datacenters=st.dictionaries(WORDS, WORDS, max_size=3),
    canary=MANY_WORDS,
    baseline=MANY_WORDS,
    production=MANY_WORDS,
    objective=NUMBERS,
    share=NUMBERS,
    reference=st.dictionaries(WORDS, st.builds(Reference, NUMBERS, MAYBE, NUMBERS), max_size=2),
)
METRIC_PRIORS = st.builds(
    MetricPrior, effects=SIGNALS, lengths_s=RUNS, dispersion=RUNS, freedom=RUNS, edge=MAYBE, allowance=NUMBERS
)
PRIORS = st.builds(Prior, st.dictionaries(WORDS, METRIC_PRIORS, max_size=2), NUMBERS)
TRIAL_RECORDS = st.builds(TrialRecord, TRIALS, PRIORS)
KEPT = st.builds(Kept, st.just("pricing-1"), st.just(0), WHOLE, WORDS, st.binary(max_size=40))
CALIBRATIONS = st.builds(Calibration, st.just("pricing"), TIMES, WORDS, WHOLE, WHOLE, NUMBERS, WORDS, NUMBERS, NUMBERS)


def said(value: object) -> Any:
    """`value` as plain lists and dicts with NaN as a word, which unlike NaN is equal to itself."""
    return msgspec.json.decode(to_json(value))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def host(requests: float = 200.0, group: Group = Group.PRODUCTION) -> HostLook:
    histogram = Histogram(EDGES, (requests - 9, 8.0, 1.0))
    return HostLook(
        group, Sample(5.003, {"requests": requests, "errors": 2.0}, {"memory": 1.5e8 + 0.5}, {"latency": histogram})
    )


def look(hosts: int = 2) -> Look:
    return Look(5.0, {f"fra1-{number:02d}": host(200.0 + number) for number in range(hosts)}, expected=1)


def look_record(
    number: int = 1, release: str = "pricing-1", wave: int = 0, seconds: float = 0.0, hosts: int = 2
) -> LookRecord:
    metric = MetricVerdict("errors", Verdict.PASS, 0.01, None, 400.0, "errors: canary 1 %", effect=0.001, low=-0.1)
    judgement = Judgement(Verdict.PASS, "1 of 1 metrics inside limits", (metric,), looks=number, alpha=0.01)
    return LookRecord(release, wave, number, at(seconds or number), look(hosts), judgement)


def trial_record(release: str = "pricing-1", wave: int = 0, looks: int = 720) -> TrialRecord:
    rules = JudgeRules((MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests"),))
    trial = Trial(release, wave, rules, 5.0, looks, {"fra1-00": "fra1", "fra1-01": "fra1"}, ("fra1-00",))
    prior = Prior({"errors": MetricPrior({"fra1-00": 1.25}, (5.0, float("inf")), (1.5, 2.0), (99.0, 3.0))}, 3_600.0)
    return TrialRecord(replace(trial, production=("fra1-01",)), prior)


def kept(release: str = "pricing-1", wave: int = 0, looks: int = 7) -> Kept:
    return Kept(release, wave, looks, "0123456789abcdef", b"\x00\xffsums")


def recorded(seconds: float = 0.0, service: str = "pricing") -> Recorded:
    return Recorded(service, at(seconds), look())


def calibration(seconds: float = 0.0, service: str = "pricing") -> Calibration:
    return Calibration(service, at(seconds), "ana", 400, 1, 0.0118, "0123456789abcdef", 2.5, 60.0)
