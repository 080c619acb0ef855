"""Canaries of no release."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge.columns import Columns
from pipeline.judge.look import Recorded
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Prior, Trial
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.model import BudgetRules, Control, Host, JudgeRules, Pool, Rules, Service, TrafficCycle
from pipeline.rehearsal.fault import NONE
from pipeline.rehearsal.findings import Conclusion, findings
from pipeline.rehearsal.past import Past, in_longer_steps, in_order, unbroken
from pipeline.rehearsal.placebo import Ending, Placebo, Stage, TooShort, apart, draw, known_before, play, stage
from pipeline.rehearsal.profile import METRICS, MID
from pipeline.rehearsal.traffic import Scenario, scenario

HOURS = 4
CYCLE_S = 1_800.0


@cache
def recorded(seed: int = 1, hosts: int = 20) -> tuple[Scenario, tuple[Recorded, ...]]:
    """Hours of a synthetic service in which nothing was released, a look a minute."""
    profile = replace(MID, name="cart", hosts=hosts, canaries=2, history_s=HOURS * 3_600.0)
    case = scenario(profile, NONE, seed, JudgeRules(METRICS))
    return case, case.past


def service(case: Scenario, cycle_s: float = CYCLE_S, control: Control = Control.PRODUCTION) -> Service:
    hosts = tuple(
        Host(name, f"{name}:1", Pool.PRODUCTION, case.trial.datacenters[name])
        for name in sorted(case.trial.datacenters)
    )
    rules = Rules(judge=JudgeRules(METRICS, control=control), cycle=TrafficCycle(cycle_s))
    return Service("cart", hosts, "r1", rules=rules)


def on_stage(control: Control = Control.PRODUCTION, cycle_s: float = CYCLE_S, most_looks: int = 480) -> Stage:
    case, past = recorded()
    of = service(case, cycle_s, control)
    return stage(of, Past(of.production).then(past), most_looks)


@dataclass
class Told:
    """A judge that says `verdict` at look `at`, and remembers what it was shown."""

    verdict: Verdict = Verdict.WATCH
    at: int = 3
    trials: list[Trial] = field(default_factory=list)
    priors: list[Prior] = field(default_factory=list)
    looks: list[Columns] = field(default_factory=list)

    def begin(self, trial: Trial, prior: Prior) -> int:
        self.trials.append(trial)
        self.priors.append(prior)
        return 0

    def weigh(self, evidence: int, look: Columns) -> tuple[int, Judgement]:
        self.looks.append(look)
        metrics = (
            MetricVerdict("cpu", Verdict.WATCH, 0.4, 0.4, 1, "", effect=0.01, evidence=0.2),
            MetricVerdict("p99", Verdict.FAIL, 0.3, 0.2, 1, "p99 is slower", effect=0.1, evidence=1.2),
        )
        return evidence + 1, Judgement(self.verdict if evidence + 1 >= self.at else Verdict.WATCH, "", metrics)


def test_the_same_seed_draws_the_same_placebos_and_another_draws_others() -> None:
    on = on_stage()
    assert [draw(on, number, 7) for number in range(20)] == [draw(on, number, 7) for number in range(20)]
    assert [draw(on, number, 7) for number in range(20)] != [draw(on, number, 8) for number in range(20)]


@pytest.mark.parametrize("control", Control)
def test_a_placebo_is_a_canarys_size_with_a_baseline_only_where_one_is_configured(control: Control) -> None:
    on = on_stage(control)
    for number in range(30):
        placebo = draw(on, number, 1)
        assert len(set(placebo.canary)) == 2
        assert not set(placebo.canary) & set(placebo.baseline)
        assert len(placebo.baseline) == (2 if control is Control.BASELINE else 0)


def test_the_judge_sees_the_drawn_hosts_first_and_only_what_came_before_as_history() -> None:
    on, judge = on_stage(Control.BASELINE), Told()
    placebo = draw(on, 5, 1)
    assert play(judge, on, placebo) == Ending(placebo, None)
    (trial,), (prior,) = judge.trials, judge.priors
    assert trial.canary + trial.baseline + trial.production != tuple(host.name for host in on.past.hosts)
    assert sorted(trial.canary + trial.baseline + trial.production) == sorted(host.name for host in on.past.hosts)
    assert prior.seconds == pytest.approx(60.0 * len(known_before(on, placebo.first)))
    assert len(judge.looks) == trial.looks == on.looks == on.planned == 30
    first = on.past.looks[placebo.first]
    place = {host.name: at for at, host in enumerate(on.past.hosts)}
    assert judge.looks[0].expected == 2
    wanted = [first.counters["requests"][place[name]] for name in trial.canary]
    assert np.array_equal(judge.looks[0].counters["requests"][:2], wanted, equal_nan=True)


def test_what_is_known_before_is_an_hour_or_all_of_a_day_where_errors_are_few() -> None:
    on = on_stage()
    assert known_before(on, 200) == on.past.looks[140:200]
    few = replace(on, service=replace(on.service, rules=replace(on.service.rules, budget=BudgetRules(bad="none"))))
    assert known_before(few, 200) == on.past.looks[:200]
    assert known_before(few, 0) == ()


def test_a_placebo_that_fails_says_when_by_what_and_by_how_much_of_production() -> None:
    on = on_stage()
    ending = play(Told(Verdict.FAIL), on, draw(on, 0, 1))
    assert (ending.failed_at, ending.metric, ending.why) == (3, "p99", "p99 is slower")
    assert ending.effect == pytest.approx(0.5)


def test_good_history_is_not_rolled_back_by_the_judge_itself() -> None:
    on = on_stage()
    endings = [play(SequentialJudge(), on, draw(on, number, 1)) for number in range(8)]
    assert [ending.failed_at for ending in endings] == [None] * 8


# where they play


def test_a_whole_traffic_cycle_is_played_where_the_history_has_one() -> None:
    on = on_stage()
    assert (on.looks, on.planned, on.step_s) == (30, 30, 60.0)
    assert min(on.starts) == 60
    assert max(on.starts) == HOURS * 60 - 30


def test_a_history_shorter_than_the_cycle_plays_what_there_is_after_an_hour() -> None:
    on = on_stage(cycle_s=86_400.0, most_looks=10_000)
    assert (on.looks, on.planned) == (HOURS * 60 - 60, 1_440)
    assert on.starts == (60,)


def test_steps_are_made_longer_until_a_cycle_has_no_more_looks_than_asked() -> None:
    on = on_stage(most_looks=10)
    assert (on.step_s, on.recorded_s, on.planned, on.looks) == (180.0, 60.0, 10, 10)
    case, past = recorded()
    of = service(case)
    fine = Past(of.production).then(past)
    total = sum(float(np.nansum(look.host_s)) for look in on.past.looks)
    assert total == pytest.approx(sum(float(np.nansum(look.host_s)) for look in fine.looks), rel=0.02)


def test_nothing_recorded_says_how_long_to_wait() -> None:
    of = service(recorded()[0])
    with pytest.raises(TooShort, match="nothing is recorded") as told:
        stage(of, Past(of.production), 480)
    assert told.value.wait_s == CYCLE_S * 4 / 3


def test_a_few_minutes_of_history_are_too_little() -> None:
    case, past = recorded()
    of = service(case)
    with pytest.raises(TooShort, match="longest stretch without a gap is 9 looks"):
        stage(of, Past(of.production).then(past[:9]), 480)


def test_the_step_of_a_history_that_is_too_short_is_told_round() -> None:
    case, past = recorded()
    of = service(case)
    began, step_s = past[0].at, 1.97682
    uneven = tuple(
        replace(each, at=began + timedelta(seconds=step_s * at), look=replace(each.look, seconds=step_s))
        for at, each in enumerate(past[:7])
    )
    with pytest.raises(TooShort, match=r"is 7 looks of 2 s\Z"):
        stage(of, Past(of.production).then(uneven), 10_000)


def test_a_host_that_the_history_hardly_knows_does_not_play() -> None:
    case, past = recorded()
    of = service(case)
    new = Host("cart-new", "cart-new:1", Pool.PRODUCTION, "ams1")
    of = replace(of, hosts=(*of.hosts, new))
    on = stage(of, Past(of.production).then(past), 480)
    assert new not in on.past.hosts
    assert len(on.past.hosts) == 20


@given(st.sets(st.integers(1, 239), max_size=6), st.integers(1, 4))
def test_no_placebo_reaches_over_a_gap(gaps: set[int], times: int) -> None:
    past = _with_gaps(gaps)
    spans = unbroken(past)
    assert [first for first, _ in spans] == [0, *sorted(gaps)]
    longer = in_longer_steps(past, times)
    assert len(longer.looks) == len(longer.ends) == sum((end - first) // times for first, end in spans)
    assert all(look.seconds == 60.0 * times for look in longer.looks)


@cache
def _whole() -> Past:
    case, past = recorded()
    names = service(case).production[:3]
    return Past(names).then(past)


def _with_gaps(gaps: set[int]) -> Past:
    past = _whole()
    late = [timedelta(minutes=5 * sum(gap <= at for gap in gaps)) for at in range(len(past.ends))]
    return replace(past, ends=tuple(end + more for end, more in zip(past.ends, late, strict=True)))


def test_hosts_in_another_order_are_the_same_hosts() -> None:
    look = _whole().looks[0]
    back = in_order(in_order(look, [2, 0, 1]), [1, 2, 0])
    assert np.array_equal(back.host_s, look.host_s, equal_nan=True)
    assert np.array_equal(back.counters["errors"], look.counters["errors"], equal_nan=True)
    assert np.array_equal(back.histograms["latency"][0].counts, look.histograms["latency"][0].counts, equal_nan=True)


# what they show


def ended(on: Stage, false: int, of: int, metric: str = "errors", effect: float | None = 0.004) -> Sequence[Ending]:
    placebos = [draw(on, number, 1) for number in range(of)]
    return [
        Ending(placebo, 4 if number < false else None, metric, effect, "too many")
        for number, placebo in enumerate(placebos)
    ]


def test_enough_canaries_without_a_rollback_are_calibrated() -> None:
    found = findings(on := on_stage(), ended(on, 0, 400), 1)
    assert found.conclusion is Conclusion.CALIBRATED
    assert (found.false, found.configured) == (0, 0.01)
    assert found.bound == pytest.approx(0.00918, abs=1e-5)


def test_too_many_rollbacks_name_the_tolerance_to_raise_and_to_what() -> None:
    found = findings(on := on_stage(), ended(on, 9, 400), 1)
    assert found.conclusion is Conclusion.TOO_OFTEN
    assert found.by == {"errors": 9}
    assert "metrics.errors.tolerance from 0 to 0.004" in found.advice


def test_a_guard_that_rolls_back_is_not_a_tolerance() -> None:
    found = findings(on := on_stage(), ended(on, 9, 400, metric="", effect=None), 1)
    assert found.by == {"guard": 9}
    assert "guard_burn" in found.advice


def test_few_canaries_show_nothing_and_it_says_how_many_would() -> None:
    found = findings(on := on_stage(), ended(on, 0, 100), 1)
    assert found.conclusion is Conclusion.TOO_FEW
    assert "--canaries 368" in found.advice


def test_placebos_shorter_than_a_canary_are_too_little_history() -> None:
    on = on_stage(cycle_s=86_400.0, most_looks=10_000)
    found = findings(on, ended(on, 0, 400), 1)
    assert found.conclusion is Conclusion.TOO_SHORT
    assert "try again in 21 h" in found.advice


def test_stretches_that_share_no_moment_are_counted_apart_with_their_own_bound() -> None:
    on = on_stage()
    endings = ended(on, 0, 400)
    found = findings(on, endings, 1)
    # 180 minutes of room hold six half hours.
    assert 5 <= found.apart <= 6
    assert found.apart_bound > 0.4 > found.bound


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60), st.integers(1, 80))
def test_no_two_stretches_apart_share_a_moment_and_none_more_would_fit(firsts: list[int], looks: int) -> None:
    placebos = [Placebo(number, first, (), ()) for number, first in enumerate(firsts)]
    taken = [placebo.first for placebo in apart(placebos, looks)]
    assert all(later - earlier >= looks for earlier, later in pairwise(taken))
    assert all(any(abs(first - other) < looks for other in taken) for first in firsts)


def test_ends_are_aware_times() -> None:
    assert all(isinstance(end, datetime) and end.tzinfo is not None for end in _whole().ends)
