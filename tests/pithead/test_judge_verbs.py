"""`pithead judge` on a controller in memory: what it prints, what it keeps, how it ends."""

import asyncio
import io
import json
import multiprocessing
import os
import subprocess
import sys
import time
from argparse import Namespace
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import pytest

from pipeline.commands import Refused
from pipeline.judge.look import LookRecord, Recorded
from pipeline.judge.sequential import SequentialJudge
from pipeline.judge.trial import Reference, TrialRecord, fingerprint
from pipeline.judge.verdict import Judgement, Verdict
from pipeline.model import BudgetRules, Host, JudgeRules, MetricKind, MetricRule, Pool, Rules, Service, TrafficCycle
from pipeline.rehearsal.fault import FAULTS, NONE
from pipeline.rehearsal.profile import METRICS, MID
from pipeline.rehearsal.replay import changed
from pipeline.rehearsal.reshape import look_of
from pipeline.rehearsal.traffic import BEGIN, scenario
from pipeline.signals import Histogram, Sample
from pithead.exits import Exit, Failure
from pithead.judging import charts, placebo, replay, simulate
from pithead.judging.crowd import each
from pithead.judging.means import Means
from pithead.judging.progress import Progress
from pithead.judging.sizing import judged, sized
from pithead.out import Out
from pithead.parser import parser
from pithead.verbs import judge
from tests.tui.fakes import FakeRoom
from tests.tui.samples import sample_fleet, sample_service

HOSTILE = "\x1b]0;owned\x07 \x9b2J \u202eevil \x7f"
SERVICE = sample_fleet().services[0].name
RULES = JudgeRules(METRICS)
SMALL = replace(MID, name=SERVICE, hosts=12, canaries=1, looks=20, rps=40.0, history_s=4 * 3_600.0)


class Heard(Out):
    """`Out` that remembers."""

    def __init__(self) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        super().__init__(self.stdout, self.stderr)

    @property
    def lines(self) -> list[str]:
        return self.stdout.getvalue().splitlines()

    @property
    def text(self) -> str:
        return self.stdout.getvalue()


@pytest.fixture
def out() -> Heard:
    return Heard()


def typed(*words: str) -> Namespace:
    return parser().parse_args(("judge", *words))


def means(*, cores: int = 1, blocks: bool = True, end: datetime = BEGIN) -> Means:
    return Means(Progress(io.StringIO(), lambda: 0.0), cores, blocks, time.monotonic, lambda: end)


@cache
def recorded() -> tuple[Recorded, ...]:
    return scenario(SMALL, NONE, 1, RULES).past


def configured(cycle_s: float = 900.0) -> Service:
    places = scenario(SMALL, NONE, 1, RULES).trial.datacenters
    hosts = tuple(Host(name, f"{name}:1", Pool.PRODUCTION, places[name]) for name in sorted(places))
    return Service(SERVICE, hosts, "r1", rules=Rules(judge=RULES, cycle=TrafficCycle(cycle_s)))


@cache
def judged_canary(fault: str = "x5") -> tuple[TrialRecord, tuple[LookRecord, ...]]:
    """A canary as the controller would have recorded it."""
    the, case = SequentialJudge(), scenario(replace(SMALL, canaries=2), FAULTS[fault], 3, RULES)
    prior = the.prior(case.trial, case.past)
    trial = replace(case.trial, release=f"{SERVICE}-7")
    evidence, records = the.begin(trial, prior), []
    for number, columns in enumerate(case.columns(), start=1):
        look = look_of(columns, trial)
        evidence, judgement = the.look(evidence, look)
        at = BEGIN + timedelta(seconds=SMALL.tick_s * number)
        records.append(LookRecord(trial.release, 0, number, at, look, judgement))
    return TrialRecord(trial, prior), tuple(records)


def room(*, read_only: bool = False, past: tuple[Recorded, ...] | None = None, cycle_s: float = 900.0) -> FakeRoom:
    view = replace(sample_service(), tick_s=15.0)
    made = FakeRoom(sample_fleet(), {SERVICE: view}, read_only=read_only)
    made.configuration[SERVICE] = configured(cycle_s)
    made.past[SERVICE] = recorded() if past is None else past
    record, looks = judged_canary()
    made.trials[record.trial.release, 0] = record
    made.looked[record.trial.release, 0] = looks
    made.page = 7
    return made


# placebo


async def test_placebos_are_counted_and_what_shows_too_little_is_not_kept(out: Heard) -> None:
    asked = room()
    code = await placebo.run(typed("placebo", SERVICE, "--canaries", "5", "--looks", "5"), asked, out, means())
    assert code == Exit.UNKNOWN
    assert out.lines[0].startswith(f"{SERVICE}: 0 of 5 placebo canaries were rolled back, 0.00 %; at most 52.18 %")
    assert "1 of 12 hosts" in out.text
    assert "5 looks 3 min apart, 15 min: a whole traffic cycle" in out.text
    assert "that share no moment 0 rolled back" in out.text
    assert "TOO FEW CANARIES: not shown with so few: add --canaries 368" in out.text
    assert out.lines[-1] == "not kept: too few canaries"
    assert asked.calibrations == []


def lenient(rate: float = 0.2) -> Service:
    """A service whose rate a few dozen canaries can show."""
    of = configured()
    return replace(of, rules=replace(of.rules, judge=replace(RULES, false_rollback=rate)))


SHOWING = ("placebo", SERVICE, "--canaries", "20", "--looks", "5")


async def test_the_controller_keeps_what_enough_placebos_showed(out: Heard) -> None:
    asked = room()
    asked.configuration[SERVICE] = of = lenient()
    assert await placebo.run(typed(*SHOWING), asked, out, means()) == Exit.DONE
    assert out.lines[-2].startswith("CALIBRATED: ")
    assert out.lines[-1] == f"{SERVICE}: calibration kept"
    (kept,) = asked.calibrations
    assert (kept.service, kept.canaries, kept.false, kept.step_s) == (SERVICE, 20, 0, 180.0)
    assert kept.settings == fingerprint(of.rules.judge)
    assert kept.days == pytest.approx(4 / 24)


async def test_placebos_in_json_hold_all_numbers_and_the_same_seed_gives_the_same(out: Heard) -> None:
    words = ("placebo", SERVICE, "--canaries", "3", "--looks", "5", "--json", "--seed", "9")
    again = Heard()
    await placebo.run(typed(*words), room(), out, means())
    await placebo.run(typed(*words), room(), again, means())
    told = json.loads(out.text)
    assert (told["canaries"], told["seed"], told["conclusion"], told["hosts"]) == (3, 9, "too few canaries", 12)
    assert out.text == again.text


@pytest.mark.parametrize("refused", [False, True])
async def test_what_may_not_be_kept_is_printed_and_said_not_to_be(refused: bool, out: Heard) -> None:
    asked = room(read_only=not refused)
    asked.refusal = Refused("calibrate", "another controller has taken over", "ask that one") if refused else None
    asked.configuration[SERVICE] = lenient()
    await placebo.run(typed(*SHOWING), asked, out, means())
    assert asked.calibrations == []
    assert out.lines[0].startswith(f"{SERVICE}: 0 of 20 placebo canaries")
    assert "not kept: " in out.lines[-1]
    assert ("read-only" in out.lines[-1]) is not refused


async def test_without_history_it_says_how_long_to_wait(out: Heard) -> None:
    asked = room(past=())
    view = asked.services[SERVICE]
    asked.services[SERVICE] = replace(view, row=replace(view.row, release=""))
    with pytest.raises(Failure, match="nothing is recorded yet: leave the controller running") as told:
        await placebo.run(typed("placebo", SERVICE), asked, out, means())
    assert told.value.code == Exit.UNKNOWN
    assert "in 20 min" in str(told.value)


async def test_while_a_release_is_on_its_way_it_says_that_no_history_is_kept(out: Heard) -> None:
    asked = room(past=())
    view = asked.services[SERVICE]
    asked.services[SERVICE] = replace(view, row=replace(view.row, release=f"{SERVICE}-8"))
    with pytest.raises(Failure, match="no history is kept while a release is judged: finish or cancel it, or try ano"):
        await placebo.run(typed("placebo", SERVICE), asked, out, means())


async def test_placebos_of_a_part_of_the_cycle_are_not_kept(out: Heard) -> None:
    asked = room(cycle_s=86_400.0)
    words = ("placebo", SERVICE, "--canaries", "2", "--looks", "96")
    assert await placebo.run(typed(*words), asked, out, means()) == Exit.UNKNOWN
    assert "TOO LITTLE HISTORY" in out.text
    assert asked.calibrations == []


async def test_an_unknown_service_is_the_controllers_refusal(out: Heard) -> None:
    with pytest.raises(Refused, match="no such service"):
        await placebo.run(typed("placebo", "nobody"), room(), out, means())


# replay


@pytest.mark.parametrize("name", [SERVICE, f"{SERVICE}-7"])
async def test_a_recorded_canary_comes_out_the_same_at_every_look(name: str, out: Heard) -> None:
    assert await replay.run(typed("replay", name), room(), out, means()) == Exit.DONE
    assert "  the same at every look" in out.lines
    assert out.lines[0].startswith(f"{SERVICE}-7 canary: 20 looks over 5 min, hosts on the new revision 2, baseline 0,")
    assert [line.split()[0] for line in out.lines if line.startswith(("errors", "p99", "cpu"))] == [
        "errors",
        "p99",
        "cpu",
    ]
    then, now = (line for line in out.lines if line.startswith(("  then |", "  now  |")))
    assert then[6:] == now[6:]
    assert "\u2588" in then


async def test_other_settings_show_what_would_have_been(out: Heard) -> None:
    words = ("replay", SERVICE, "--set", "errors.tolerance=0.5", "--set", "guard_burn=0", "--json")
    assert await replay.run(typed(*words), room(), out, means()) == Exit.DONE
    told = json.loads(out.text)
    assert told["set"] == {"errors.tolerance": "0.5", "guard_burn": "0"}
    assert told["then"]["recorded"]["verdict"] == "fail"
    assert told["now"]["replayed"]["verdict"] != "fail"
    assert told["different"] > 0
    assert len(told["evidence"]) == 20


def test_another_tolerance_settles_the_tail_anew_and_other_settings_do_not() -> None:
    kept, _ = judged_canary()
    before = {"errors": Reference(0.01), "p99": Reference(0.02, edge=0.3, allowance=0.001)}
    kept = replace(kept, trial=replace(kept.trial, reference=before))
    rules = kept.trial.rules

    def tails(wish: str, value: str) -> dict[str, float | None]:
        other = replay.with_rules(kept, changed(rules, {wish: value}))
        evidence = SequentialJudge().begin(other.trial, other.prior)
        assert other.trial.reference["errors"] == before["errors"]
        return {metric.rule.key: metric.prior.edge for metric in evidence.plan.counts}

    asked = tails("p99.min_samples", "7")
    assert asked["p99"] is not None
    assert tails("p99.tolerance", "5") == {**asked, "p99": None}


async def test_a_history_that_says_otherwise_is_told_and_ends_with_1(out: Heard) -> None:
    asked = room()
    key = (f"{SERVICE}-7", 0)
    first, *rest = asked.looked[key]
    asked.looked[key] = (replace(first, judgement=Judgement(Verdict.PASS, HOSTILE)), *rest)
    assert await replay.run(typed("replay", SERVICE), asked, out, means(blocks=False)) == Exit.REFUSED
    assert "  different at 1 of 20 looks, first at look 1" in out.lines
    assert out.text.replace("\n", "").isprintable()
    assert out.text.isascii()


async def test_looks_that_are_gone_are_told(out: Heard) -> None:
    asked = room()
    key = (f"{SERVICE}-7", 0)
    asked.looked[key] = asked.looked[key][5:]
    await replay.run(typed("replay", SERVICE), asked, out, means())
    assert "the history has lost 5 looks" in out.text
    asked.looked[key] = ()
    with pytest.raises(Failure, match="holds none of its looks") as told:
        await replay.run(typed("replay", SERVICE), asked, out, means())
    assert told.value.code == Exit.UNKNOWN


@pytest.mark.parametrize("wish", ["errors.tolerance", "=1", "nothing=1", "errors.tolerance=x", f"{HOSTILE}=1"])
async def test_a_setting_that_cannot_be_is_a_usage_error_in_plain_text(wish: str, out: Heard) -> None:
    with pytest.raises(Failure) as told:
        await replay.run(typed("replay", SERVICE, "--set", wish), room(), out, means())
    assert told.value.code == Exit.USAGE
    assert str(told.value).isprintable()
    assert out.text == ""


@pytest.mark.parametrize("name", ["nobody", "nobody-1", f"{SERVICE}-99"])
async def test_what_was_never_judged_is_the_controllers_refusal(name: str, out: Heard) -> None:
    with pytest.raises(Refused):
        await replay.run(typed("replay", name), room(), out, means())


def test_evidence_is_cut_as_everywhere_else_and_never_rounded_up() -> None:
    lines = list(replay.chart([(0.2, 0.999), (1.119, 0.5)], blocks=False))
    assert lines[1].endswith("highest 111 %")
    assert lines[2].endswith("highest 99 %")


# simulate

FEW = ("--runs", "2", "--faults", "x5,none,x5")


async def test_a_simulation_needs_no_service_and_no_controller(out: Heard) -> None:
    words = ("--hosts", "20", "--canaries", "2", "--rps", "40", "--errors", "0.5%", "--looks", "30")
    assert await simulate.run(typed("simulate", *words, *FEW), None, out, means()) == Exit.DONE
    assert "2 canaries of 20 hosts" in out.lines[0]
    assert "30 looks 15 s apart, 7 min 30 s" in out.lines[0]
    assert "40 requests a second and host, 0.50 % errors" in out.lines[1]
    assert any(line.startswith("good releases: 0 of 10 rolled back") for line in out.lines)
    (row,) = (line for line in out.lines if line.startswith("x5"))
    assert row.split()[1:3] == ["100", "%"]
    (bar,) = (line for line in out.lines if line.startswith("  x5 |"))
    assert bar.endswith("\u2588|")


async def test_a_services_size_traffic_and_settings_are_taken(out: Heard) -> None:
    end = recorded()[-1].at
    words = ("simulate", SERVICE, "--json", "--looks", "10", *FEW)
    assert await simulate.run(typed(*words), room(), out, means(end=end)) == Exit.DONE
    told = json.loads(out.text)
    assert (told["profile"]["hosts"], told["profile"]["canaries"], told["profile"]["tick_s"]) == (12, 1, 15.0)
    assert told["profile"]["rps"] == pytest.approx(SMALL.rps, rel=0.5)
    assert told["profile"]["error_ratio"] == pytest.approx(SMALL.error_ratio, rel=1.5)
    assert told["profile"]["latency_s"] == pytest.approx(SMALL.latency_s, rel=0.5)
    assert told["metrics"] == [metric.key for metric in METRICS]
    assert [fault["fault"] for fault in told["faults"]] == ["x5"]
    assert told["good"]["releases"] == 10


async def test_a_service_without_history_is_simulated_with_made_up_traffic_and_says_so(out: Heard) -> None:
    await simulate.run(typed("simulate", SERVICE, "--looks", "5", *FEW), room(past=()), out, means())
    assert "nothing usable is recorded yet: made up are" in out.text


async def test_a_fault_that_is_unknown_is_told_with_those_there_are(out: Heard) -> None:
    with pytest.raises(Failure, match=r"there are all, none, x1\.2") as told:
        await simulate.run(typed("simulate", "--faults", HOSTILE), None, out, means())
    assert told.value.code == Exit.USAGE
    assert str(told.value).isprintable()


async def test_a_canary_of_all_hosts_is_refused_in_words(out: Heard) -> None:
    words = ("simulate", "--hosts", "4", "--canaries", "4", *FEW)
    with pytest.raises(Failure, match="4 canaries of 4 hosts leave no control"):
        await simulate.run(typed(*words), None, out, means())


async def test_more_datacenters_than_hosts_are_refused_in_words(out: Heard) -> None:
    words = ("simulate", "--hosts", "4", "--canaries", "1", "--datacenters", "9", *FEW)
    with pytest.raises(Failure, match="9 datacenters of 4 hosts leave some empty: more hosts"):
        await simulate.run(typed(*words), None, out, means())


def test_metrics_are_simulated_with_the_generators_signals_and_the_rest_is_left_out() -> None:
    rules = JudgeRules(
        (
            MetricRule("errors", "errors", MetricKind.RATIO, bad="bad", total="all"),
            MetricRule("slow", "slow", MetricKind.SHARE, of="took", over=0.25),
            MetricRule("cpu", "CPU", MetricKind.GAUGE, of="process_cpu"),
            MetricRule("heap", "heap", MetricKind.GAUGE, of="jvm_mem"),
            MetricRule("queue", "queue", MetricKind.GAUGE, of="queue_length"),
            MetricRule("odd", "odd", MetricKind.EXPRESSION, expression="queue_length / all"),
        )
    )
    service = replace(configured(), rules=Rules(judge=rules, budget=BudgetRules(total="all", bad="bad")))
    kept, left_out = judged(service)
    assert [(metric.key, metric.of or metric.bad) for metric in kept.metrics] == [
        ("errors", "errors"),
        ("slow", "latency"),
        ("cpu", "cpu"),
        ("heap", "memory"),
    ]
    assert left_out == ["queue", "odd"]


def test_a_long_cycle_is_cut_and_says_so_and_odd_histograms_do_no_harm() -> None:
    service = replace(configured(), rules=Rules(judge=RULES))
    histogram = Histogram((0.1, float("inf")), (0.0, 5.0))
    traffic = Sample(100.0, {"requests": 1_000.0, "errors": 0.0}, {}, {"latency": histogram})
    like = sized(service, 5.0, traffic)
    assert (like.profile.looks, like.profile.rps) == (480, 10.0)
    assert 0 < like.profile.error_ratio < 0.001
    assert "a canary has 17,280 looks; 480 of them are simulated" in like.notes[0]


# the command


def test_a_judge_without_a_part_is_a_usage_error() -> None:
    with pytest.raises(Failure) as told:
        typed()
    assert told.value.code == Exit.USAGE


@pytest.mark.parametrize(
    "words",
    [
        ("placebo",),
        ("placebo", "cart", "--canaries", "0"),
        ("placebo", "cart", "--seed", "-1"),
        ("simulate", "--errors", "1"),
        ("simulate", "--errors", HOSTILE),
        ("simulate", "--rps", "nan"),
        ("replay", "cart", "--wave", "x"),
    ],
)
def test_what_was_typed_wrong_is_told(words: tuple[str, ...]) -> None:
    with pytest.raises(Failure) as told:
        typed(*words)
    assert told.value.code == Exit.USAGE
    assert str(told.value).isprintable()


def test_a_wave_that_there_cannot_be_is_told_with_0_which_is_the_canary() -> None:
    assert typed("replay", "cart", "--wave", "0").wave == 0
    with pytest.raises(Failure, match="expected 0 to 1000000, got -1"):
        typed("replay", "cart", "--wave", "-1")


def test_a_ratio_may_be_typed_in_per_cent() -> None:
    assert typed("simulate", "--errors", "0.5%").errors == typed("simulate", "--errors", "0.005").errors == 0.005


def test_a_simulation_runs_from_the_command_line(out: Heard) -> None:
    words = ("simulate", "--hosts", "8", "--canaries", "1", "--looks", "3", "--runs", "1", "--faults", "none")
    assert judge.run(typed(*words), out) == Exit.DONE
    assert any(line.startswith("good releases: 0 of 5") for line in out.lines)


def test_the_verb_alone_loads_no_numbers_library() -> None:
    code = "import sys, pithead.cli, pithead.verbs.judge; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "False\n"


# what they use


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass
class Watch:
    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def test_on_a_terminal_progress_is_one_line_that_is_cleared_in_the_end() -> None:
    stream, watch = Terminal(), Watch()
    progress = Progress(stream, watch)
    for done in range(1, 11):
        watch.at = 0.125 * done
        progress.tell(f"things{HOSTILE}", done, 10)
    progress.over()
    said = stream.getvalue()
    assert "\n" not in said
    assert said.count("\r") == 6
    assert said.endswith("\r\x1b[K")
    assert "\x07" not in said


def test_elsewhere_progress_is_a_line_every_five_seconds() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch)
    for second in range(1, 31):
        watch.at = float(second)
        progress.tell("things", second, 60)
    progress.over()
    assert stream.getvalue().splitlines() == [
        "things: 5 of 60, about 55 s left",
        "things: 10 of 60, about 50 s left",
        "things: 15 of 60, about 45 s left",
        "things: 20 of 60, about 40 s left",
        "things: 25 of 60, about 35 s left",
        "things: 30 of 60, about 30 s left",
    ]


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def one_second_each() -> float:
    """A clock on which every call takes a second."""
    one_second_each.at += 1.0  # type: ignore[attr-defined]
    return one_second_each.at  # type: ignore[attr-defined,no-any-return]


one_second_each.at = 0.0  # type: ignore[attr-defined]


async def test_long_work_is_shared_among_processes_and_stays_in_order() -> None:
    done: list[int] = []
    results = await each(square, range(20), done.append, cores=2, clock=one_second_each)
    assert [number for number, _ in results] == [number * number for number in range(20)]
    assert sorted(done) == list(range(1, 21))
    assert len({process for _, process in results} - {os.getpid()}) >= 1
    assert multiprocessing.active_children() == []


async def test_short_work_is_done_in_this_process() -> None:
    results = await each(square, range(20), lambda _: None, cores=2, clock=lambda: 0.0)
    assert {process for _, process in results} == {os.getpid()}


def forever(number: int) -> int:
    if number:
        time.sleep(600)
    return number


async def test_ending_the_command_ends_its_workers() -> None:
    started = asyncio.Event()
    task = asyncio.create_task(each(forever, range(5), lambda _: started.set(), cores=2, clock=one_second_each))
    await started.wait()
    while not multiprocessing.active_children():  # noqa: ASYNC110 - a process that begins tells nobody
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert multiprocessing.active_children() == []


def dies(number: int) -> int:
    if number:
        os._exit(9)
    return number


async def test_a_worker_that_dies_is_told_and_not_waited_for() -> None:
    with pytest.raises(Failure, match="a worker process died"):
        await each(dies, range(5), lambda _: None, cores=2, clock=one_second_each)


async def test_a_fault_in_the_work_is_the_callers() -> None:
    def fails(_: int) -> int:
        raise ValueError("no such profile")

    with pytest.raises(ValueError, match="no such profile"):
        await each(fails, range(5), lambda _: None, cores=2, clock=one_second_each)


def test_a_little_is_never_drawn_as_nothing_and_nothing_never_as_a_little() -> None:
    assert charts.heights([0.0, 0.001, 0.5, 1.0, 7.0, None, -1.0], blocks=True) == " \u2581\u2584\u2588\u2588? "
    assert charts.heights([0.0, 0.001, 1.0], blocks=False) == " .#"


def test_many_values_keep_their_highest() -> None:
    values = [0.0] * 1_000
    values[637] = 1.0
    assert max(charts.binned(values, 60)) == 1.0
    assert len(charts.binned(values, 60)) == 60
    assert charts.binned([1.0, 2.0], 60) == [1.0, 2.0]


@pytest.mark.parametrize(
    ("encoding", "can"), [("utf-8", True), ("ascii", False), ("latin-1", False), ("nonsense", False)]
)
def test_blocks_are_drawn_where_the_output_can_write_them(encoding: str, can: bool) -> None:
    assert charts.has_blocks(encoding) is can
