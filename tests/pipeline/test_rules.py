from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.checks import CheckKind, CheckRule
from pipeline.docket import Docket
from pipeline.gates import Answer, Gate, first_closed, open_
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.lifecycle import CheckResult, Pause, Phase, Rollout, Served
from pipeline.model import Freeze, FrequencyRules, TrafficCycle
from pipeline.policy.freeze import freeze
from pipeline.policy.frequency import frequency
from pipeline.policy.staging_checks import staging_checks
from pipeline.policy.verdict import verdict
from pipeline.text import LONGEST, is_identifier, plain
from pipeline.traffic_cycle import serving, traffic_cycle
from pipeline.words import duration

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CYCLE = TrafficCycle(duration_s=100, requests=50, peak_ratio=0.8)


@pytest.mark.parametrize(
    ("served", "answer"),
    [
        (Served(100, 50, 8, 10), Answer.PASS),
        (Served(99, 50, 8, 10), Answer.HOLD),
        (Served(100, 49, 8, 10), Answer.HOLD),
        (Served(100, 50, 7.9, 10), Answer.HOLD),
        (Served(100, 50, 0, 0), Answer.HOLD),
    ],
)
def test_a_traffic_cycle_is_duration_and_requests_and_the_peak(served: Served, answer: Answer) -> None:
    assert traffic_cycle(CYCLE, served, NOW).answer is answer


def test_a_quiet_night_is_no_full_cycle() -> None:
    served = Served(busiest_rps=100.0)
    for _ in range(200):
        served = serving(served, 1.0, 5.0, 20.0)
    gate = traffic_cycle(CYCLE, served, NOW)
    assert gate.answer is Answer.HOLD
    assert "peak not seen" in gate.why


def test_a_freeze_holds_in_its_window_alone_and_says_whose_it_is() -> None:
    window = Freeze("ops", "Black Friday", NOW, NOW + timedelta(hours=1))
    assert freeze([window], NOW - timedelta(seconds=1)).answer is Answer.PASS
    held = freeze([window], NOW)
    assert held.answer is Answer.HOLD
    assert "ops" in held.why
    assert held.until == window.end
    assert freeze([window], window.end).answer is Answer.PASS


def test_so_many_a_day_and_a_gap_between_two() -> None:
    rules = FrequencyRules(per_day=2, min_gap_s=3600)
    started = [NOW - timedelta(hours=2), NOW - timedelta(hours=5)]
    held = frequency(rules, started, NOW)
    assert held.answer is Answer.HOLD
    assert held.until == started[1] + timedelta(days=1)
    assert frequency(rules, started[:1], NOW).answer is Answer.PASS
    assert frequency(rules, [NOW - timedelta(minutes=30)], NOW).until == NOW + timedelta(minutes=30)


def test_a_check_that_has_not_ended_is_under_way_and_holds_until_its_deadline_at_the_latest() -> None:
    rules = [CheckRule("a", CheckKind.PROBE), CheckRule("b", CheckKind.PROBE)]
    rollout = Rollout("s-1", "s", "r2", "r1", Phase.STAGING_CHECKS, NOW, 1, "mira", NOW, 1)
    rollout = replace(rollout, checks=(CheckResult("a", True, "200", NOW),))
    gates = staging_checks(rules, rollout, Docket(), NOW)
    assert [gate.answer for gate in gates] == [Answer.PASS, Answer.HOLD]
    assert gates[1].why == "under way since 12:00:00 UTC, until 12:01:00 UTC at the latest"
    assert gates[1].until == NOW + timedelta(minutes=1)
    assert not open_(gates)
    anew = staging_checks(rules, rollout, Docket(), NOW + timedelta(minutes=1))[1]
    assert (anew.answer, anew.why, anew.until) == (Answer.HOLD, "not ended since 12:00:00 UTC: begun anew", None)
    paused = staging_checks(rules, replace(rollout, pause=Pause("mira", NOW, "")), Docket(), NOW)[1]
    assert (paused.answer, paused.until) == (Answer.HOLD, None)


def test_data_that_are_few_as_yet_hold_and_those_that_are_missing_are_unknown() -> None:
    few, gone = (Judgement(Verdict.NO_DATA, "12 of 500 requests", missing=missing) for missing in (False, True))
    assert [verdict(said, 0.0, 30.0).answer for said in (few, gone)] == [Answer.HOLD, Answer.UNKNOWN]
    assert [verdict(None, waited_s, 30.0).answer for waited_s in (30.0, 31.0)] == [Answer.HOLD, Answer.UNKNOWN]


def test_the_gate_that_is_named_is_a_failing_one_first() -> None:
    gates = [
        Gate("a", Answer.PASS, ""),
        Gate("b", Answer.HOLD, ""),
        Gate("c", Answer.FAIL, ""),
        Gate("d", Answer.UNKNOWN, ""),
    ]
    closed = first_closed(gates)
    assert closed is not None
    assert closed.name == "c"
    assert first_closed(gates[:1]) is None


@given(st.text(max_size=700))
def test_plain_text_is_one_bounded_line_without_control_characters(raw: str) -> None:
    said = plain(raw)
    assert len(said) <= LONGEST
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in said)
    assert plain(said) == said


@given(st.binary(max_size=300))
def test_any_bytes_can_be_made_plain(raw: bytes) -> None:
    assert "\x1b" not in plain(raw)


def test_plain_text_keeps_ordinary_words_and_defuses_sequences() -> None:
    assert plain("naïve café, 東京") == "naïve café, 東京"
    assert plain("a\x1b]52;c;eA==\x07b\u202ec") == "a\ufffd]52;c;eA==\ufffdb\ufffdc"
    assert plain("one\ntwo\tthree") == "one two three"
    assert len(plain("x" * 100_000)) == LONGEST


@pytest.mark.parametrize("name", ["r1", "1.2.3-rc.1", "a" * 100, "_x", ".x"])
def test_identifiers(name: str) -> None:
    assert is_identifier(name)


@pytest.mark.parametrize("name", ["", "-r1", "a b", "a/b", "a" * 101, "é", "a\n", "[/x]"])
def test_not_identifiers(name: str) -> None:
    assert not is_identifier(name)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (41.9, "41 s"),
        (60, "1 min"),
        (2460, "41 min"),
        (54480, "15 h 08 min"),
        (266400, "3 d 02 h"),
        (86400, "1 d"),
    ],
)
def test_durations_are_truncated_never_rounded_up(seconds: float, said: str) -> None:
    assert duration(seconds) == said
