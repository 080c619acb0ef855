"""The judge on looks of a few hosts: what it must never do, whatever it is shown."""

import math
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from world import Behaviour, Company, Verb

from pipeline.judge.evidence import Evidence
from pipeline.judge.look import Group, HostLook, Look
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Prior, Reference, Trial
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import JudgeRules, MetricKind, MetricRule, Worse
from pipeline.signals import Histogram, Sample

EDGES = (0.05, 0.1, 0.25, 1.0, math.inf)
METRICS = (
    MetricRule("errors", "errors", MetricKind.RATIO, bad="errors", total="requests", unit="ratio", tolerance=0.005),
    MetricRule("p99", "p99", MetricKind.QUANTILE, of="latency", unit="s", tolerance=0.25),
    MetricRule("rps", "rps", MetricKind.RATE, of="requests", unit="/s", worse=Worse.LOWER, tolerance=0.3),
    MetricRule("memory", "memory", MetricKind.GAUGE, of="memory", unit="bytes", tolerance=0.25),
)
CANARY = ("c0", "c1", "c2")
OTHERS = tuple(f"p{n}" for n in range(9))
PLACES = {name: f"dc{at % 3}" for at, name in enumerate((*CANARY, *OTHERS))}
JUDGE = SequentialJudge()


def trial(looks: int = 60, metrics: tuple[MetricRule, ...] = METRICS) -> Trial:
    return Trial("s-1", 0, JudgeRules(metrics, warmup_s=0.0, guard_burn=0.0), 5.0, looks, PLACES, CANARY, (), OTHERS)


def sample(requests: float, errors: float, memory: float = 1e8) -> Sample:
    latency = Histogram(EDGES, (requests, 0.0, 0.0, 0.0, 0.0))
    return Sample(5.0, {"requests": requests, "errors": errors}, {"memory": memory}, {"latency": latency})


def look(of: dict[str, Sample]) -> Look:
    hosts = {
        name: HostLook(Group.CANARY if name in CANARY else Group.PRODUCTION, its, None) for name, its in of.items()
    }
    return Look(5.0, hosts, len(CANARY))


def drawn(rng: Random, share: float) -> Look:
    """All hosts alike, but that the canary fails `share` of its requests."""
    found = {}
    for name in (*CANARY, *OTHERS):
        requests = rng.randint(150, 250)
        chance = share if name in CANARY else 0.004
        errors = sum(rng.random() < chance for _ in range(requests))
        found[name] = sample(requests, errors, 1e8 * rng.uniform(0.97, 1.03))
    return look(found)


def judged(looks: list[Look], evidence: Evidence | None = None) -> list[Judgement]:
    evidence = evidence or JUDGE.begin(trial(), Prior())
    said = []
    for one in looks:
        evidence, judgement = JUDGE.look(evidence, one)
        said.append(judgement)
    return said


def test_a_gross_fault_fails_within_two_looks_and_the_sentence_has_both_groups() -> None:
    rng = Random(1)
    said = judged([drawn(rng, 0.2) for _ in range(2)])
    assert said[-1].verdict is Verdict.FAIL
    assert "errors" in said[-1].why
    assert "production" in said[-1].why


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 40)), min_size=1, max_size=25))
@settings(max_examples=40, deadline=None)
def test_hosts_that_all_do_the_same_never_fail(moments: list[tuple[int, int]]) -> None:
    looks = [
        look({name: sample(float(total), float(min(bad, total))) for name in (*CANARY, *OTHERS)})
        for total, bad in moments
    ]
    allowed = {Verdict.PASS, Verdict.NO_DATA}
    assert {one.verdict for one in judged(looks)} <= allowed


def test_a_difference_below_the_tolerance_never_fails() -> None:
    each = {name: sample(1_000.0, 8.0 if name in CANARY else 4.0) for name in (*CANARY, *OTHERS)}
    assert all(one.verdict is not Verdict.FAIL for one in judged([look(each)] * 150))


def test_more_of_the_same_evidence_never_turns_fail_into_pass() -> None:
    bad = look({name: sample(200.0, 12.0 if name in CANARY else 1.0) for name in (*CANARY, *OTHERS)})
    said = [one.verdict for one in judged([bad] * 60)]
    first = said.index(Verdict.FAIL)
    assert set(said[first:]) == {Verdict.FAIL}


def test_the_order_of_hosts_in_a_look_changes_nothing() -> None:
    rng = Random(3)
    looks = [drawn(rng, 0.01) for _ in range(30)]
    turned = [Look(one.seconds, dict(reversed(list(one.hosts.items()))), one.expected) for one in looks]
    assert judged(looks) == judged(turned)


@pytest.mark.parametrize("at", [1, 7, 29])
def test_a_restart_in_the_middle_changes_nothing(at: int) -> None:
    rng = Random(5)
    looks = [drawn(rng, 0.012) for _ in range(30)]
    whole = judged(looks)
    evidence = JUDGE.begin(trial(), Prior())
    for one in looks[:at]:
        evidence, _ = JUDGE.look(evidence, one)
    again = JUDGE.unpack(trial(), Prior(), JUDGE.pack(evidence))
    assert again is not None
    assert judged(looks[at:], again) == whole[at:]


def test_evidence_of_other_settings_is_not_taken_up() -> None:
    evidence, _ = JUDGE.look(JUDGE.begin(trial(), Prior()), drawn(Random(1), 0.004))
    assert JUDGE.unpack(trial(metrics=METRICS[:2]), Prior(), JUDGE.pack(evidence)) is None


def test_evidence_is_bounded_whatever_the_length_of_the_trial() -> None:
    one, evidence, sizes = drawn(Random(9), 0.004), JUDGE.begin(trial(64), Prior()), []
    for _ in range(300):
        evidence, _ = JUDGE.look(evidence, one)
        sizes.append(len(evidence.marks))
    assert max(sizes) <= 2 * 7 + 2


ODD = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-5, 500).map(float)


@given(st.lists(st.dictionaries(st.sampled_from((*CANARY, *OTHERS, "stranger")), st.tuples(ODD, ODD, ODD)), max_size=6))
@settings(max_examples=80, deadline=None)
def test_rubbish_from_hosts_never_raises_and_empty_groups_never_pass(rubbish: list[dict[str, tuple]]) -> None:
    looks = [look({name: sample(*numbers) for name, numbers in moment.items()}) for moment in rubbish]
    for moment, said in zip(looks, judged(looks), strict=True):
        if not any(name in CANARY for name in moment.hosts) or not any(name in OTHERS for name in moment.hosts):
            assert said.verdict is not Verdict.PASS
        assert said.why


def test_one_sick_host_of_three_alerts_and_rolls_nothing_back() -> None:
    rng = Random(11)
    looks = []
    for _ in range(60):
        one = drawn(rng, 0.004)
        worse = HostLook(Group.CANARY, sample(200.0, 30.0), None)
        looks.append(Look(one.seconds, {**one.hosts, "c1": worse}, one.expected))
    guarded = replace(trial(), rules=JudgeRules(METRICS, warmup_s=0.0))
    evidence = JUDGE.begin(guarded, Prior())
    said = judged(looks, evidence)
    assert all(one.verdict is not Verdict.FAIL for one in said)
    assert any("c1" in alert for alert in said[-1].alerts)


def test_the_order_of_hosts_in_a_trial_changes_no_verdict() -> None:
    rng = Random(4)
    looks = [drawn(rng, 0.02) for _ in range(30)]
    turned = replace(trial(), canary=CANARY[::-1], production=OTHERS[::-1])
    one, other = judged(looks), judged(looks, JUDGE.begin(turned, Prior()))
    assert [said.verdict for said in one] == [said.verdict for said in other]
    assert [said.evidence for said in one] == pytest.approx([said.evidence for said in other], abs=1e-6)


def test_groups_whose_parts_are_exchanged_never_fail_on_either_side() -> None:
    rng = Random(8)
    for _ in range(20):
        looks = [drawn(rng, 0.004) for _ in range(20)]
        assert all(said.verdict is not Verdict.FAIL for said in judged(looks))


def test_canaries_that_begin_anew_and_fail_all_requests_are_not_waited_for() -> None:
    rules = JudgeRules(METRICS, warmup_s=600.0)
    evidence = JUDGE.begin(replace(trial(), rules=rules), Prior())
    rng = Random(2)
    for _ in range(10):
        evidence, said = JUDGE.look(evidence, drawn(rng, 0.004))
    one = drawn(rng, 1.0)
    anew = {name: replace(host, age_s=5.0) if name in CANARY else host for name, host in one.hosts.items()}
    said = JUDGE.look(evidence, replace(one, hosts=anew))[1]
    assert (said.verdict, said.guard) == (Verdict.FAIL, "burn")


def test_a_control_group_that_vanishes_ends_the_pass() -> None:
    rng = Random(6)
    evidence = JUDGE.begin(trial(), Prior())
    for _ in range(30):
        evidence, said = JUDGE.look(evidence, drawn(rng, 0.004))
    assert said.verdict is Verdict.PASS
    alone = drawn(rng, 0.004)
    only = {name: host for name, host in alone.hosts.items() if name in CANARY}
    said = JUDGE.look(evidence, replace(alone, hosts=only))[1]
    assert (said.verdict, said.missing) == (Verdict.NO_DATA, True)


def test_a_burst_in_the_canarys_datacenter_alone_is_no_fault_of_the_release() -> None:
    guarded = replace(trial(), rules=JudgeRules(METRICS, warmup_s=0.0))
    hit = {name: sample(200.0, 20.0 if PLACES[name] == "dc0" else 0.0) for name in (*CANARY, *OTHERS)}
    assert all(said.verdict is not Verdict.FAIL for said in judged([look(hit)] * 3, JUDGE.begin(guarded, Prior())))


def test_a_share_over_a_threshold_is_taken_at_a_bound_that_both_groups_have() -> None:
    share = MetricRule("slow", "slow", MetricKind.SHARE, of="latency", over=0.1, unit="ratio")
    fine, coarse = (0.05, 0.1, 0.25, math.inf), (0.05, 0.25, math.inf)
    latency = {True: Histogram(fine, (150.0, 20.0, 30.0, 0.0)), False: Histogram(coarse, (150.0, 50.0, 0.0))}
    each = {
        name: Sample(5.0, {"requests": 200.0, "errors": 0.0}, {}, {"latency": latency[name in CANARY]})
        for name in (*CANARY, *OTHERS)
    }
    said = judged([look(each)] * 20, JUDGE.begin(trial(metrics=(share,)), Prior()))
    assert {one.verdict for one in said} <= {Verdict.PASS, Verdict.NO_DATA}


def test_a_last_wave_is_held_against_production_that_never_failed() -> None:
    errors = replace(METRICS[0], tolerance=0.0)
    alone = Trial(
        "s-1",
        2,
        JudgeRules((errors,), warmup_s=0.0, guard_burn=0.0),
        5.0,
        60,
        PLACES,
        CANARY,
        reference={"errors": Reference(0.0)},
    )
    each = look({name: sample(200.0, 8.0) for name in CANARY})
    assert judged([each] * 20, JUDGE.begin(alone, Prior()))[-1].verdict is Verdict.FAIL


async def test_every_look_is_kept_and_the_decision_comes_out_the_same_from_the_history() -> None:
    company = Company()
    await company.ticks(3)
    company.world.behaviours["r2"] = Behaviour(error_ratio=0.05)
    company.ask(Verb.SUBMIT, "r2")
    await company.until("rolled-back")
    record = company.history.trials["checkout-1", 0]
    evidence = JUDGE.begin(record.trial, record.prior)
    kept = company.history.looked["checkout-1", 0]
    assert [one.number for one in kept] == list(range(1, len(kept) + 1))
    for one in kept:
        evidence, judgement = JUDGE.look(evidence, one.look)
        assert judgement == one.judgement
    assert kept[-1].judgement.verdict is Verdict.FAIL
