"""Recorded looks judged again."""

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judge.look import LookRecord
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import TrialRecord
from pipeline.judge.verdict import Verdict
from pipeline.model import JudgeRules
from pipeline.rehearsal.fault import FAULTS
from pipeline.rehearsal.profile import METRICS, MID
from pipeline.rehearsal.replay import Replay, again, changed
from pipeline.rehearsal.reshape import look_of
from pipeline.rehearsal.traffic import BEGIN, scenario
from pipeline.text import plain

RULES = JudgeRules(METRICS)
SMALL = replace(MID, hosts=12, canaries=2, looks=20, rps=40.0)


@cache
def kept(fault: str = "x5") -> tuple[TrialRecord, tuple[LookRecord, ...]]:
    """A canary as the controller would have recorded it."""
    judge, case = SequentialJudge(), scenario(SMALL, FAULTS[fault], 3, RULES)
    prior = judge.prior(case.trial, case.past)
    evidence, records = judge.begin(case.trial, prior), []
    for number, columns in enumerate(case.columns(), start=1):
        look = look_of(columns, case.trial)
        evidence, judgement = judge.look(evidence, look)
        records.append(LookRecord(case.trial.release, 0, number, BEGIN, look, judgement))
    return TrialRecord(case.trial, prior), tuple(records)


def replayed(rules: JudgeRules = RULES, looks: slice = slice(None)) -> Replay:
    record, records = kept()
    judge, shown = SequentialJudge(), Replay()
    evidence = judge.begin(replace(record.trial, rules=rules), record.prior)
    for each in records[looks]:
        evidence, step = again(judge, evidence, each)
        shown = shown.after(step)
    return shown


def test_the_same_settings_give_the_same_judgement_at_every_look() -> None:
    shown = replayed()
    assert (shown.looks, shown.different, shown.missing, shown.first_different) == (20, 0, 0, None)
    assert shown.recorded_fail is not None
    assert shown.recorded_fail == shown.replayed_fail
    assert shown.seconds == pytest.approx(20 * SMALL.tick_s)


def test_a_tolerance_that_allows_the_fault_would_not_have_rolled_it_back() -> None:
    shown = replayed(changed(RULES, {"errors.tolerance": "0.5", "guard_burn": "0"}))
    assert shown.recorded_fail is not None
    assert shown.replayed_fail is None
    assert shown.first_different is not None
    assert shown.last is not None
    assert shown.last.replayed.verdict is not Verdict.FAIL


def test_looks_that_the_history_has_lost_are_counted() -> None:
    shown = replayed(looks=slice(4, None, 2))
    assert (shown.looks, shown.missing) == (8, 11)


def test_every_setting_that_can_be_replayed_is_set() -> None:
    wishes = {
        "false_rollback": "0.05",
        "guard_burn": "0",
        "warmup_s": "60",
        "errors.tolerance": "0.002",
        "p99.min_samples": "7",
        "cpu.critical": "false",
        "memory.judged": "false",
    }
    rules = changed(RULES, wishes)
    metrics = {metric.key: metric for metric in rules.metrics}
    assert (rules.false_rollback, rules.guard_burn, rules.cold_s) == (0.05, 0.0, 60.0)
    assert (metrics["errors"].tolerance, metrics["p99"].min_samples) == (0.002, 7)
    assert (metrics["cpu"].critical, metrics["memory"].judged) == (False, False)
    assert [metric.key for metric in rules.metrics] == [metric.key for metric in RULES.metrics]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("false_rollback", "0.5", "expected 0.0001 to 0.2, got 0.5"),
        ("false_rollback", "nan", "expected 0.0001 to 0.2"),
        ("errors.tolerance", "-1", "expected 0 to 1000"),
        ("errors.critical", "yes", "expected true or false"),
        ("errors.min_samples", "0", "expected 1 to 1000000"),
        ("errors.q", "0.5", "not a setting that can be replayed"),
        ("control", "baseline", "not a setting that can be replayed"),
        ("error.tolerance", "1", "no metric error: there are errors, p99"),
    ],
)
def test_a_setting_that_cannot_be_says_what_was_expected(key: str, value: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        changed(RULES, {key: value})


def test_without_any_judged_metric_there_is_nothing_to_replay() -> None:
    with pytest.raises(ValueError, match="no metric would be judged"):
        changed(RULES, {f"{metric.key}.judged": "false" for metric in METRICS})


@given(st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_typed_is_a_setting_or_a_plain_error(key: str, value: str) -> None:
    for name in (key, f"errors.{key}", "errors.tolerance"):
        try:
            changed(RULES, {name: value})
        except ValueError as told:
            assert plain(str(told), 1_000) == str(told)
