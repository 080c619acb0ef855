"""`pithead explain` on a controller in memory: what is shown now, what was recorded, and how it ends."""

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands import Refused
from pipeline.events import AUTO, Event
from pipeline.judge.look import Group, HostLook, Look, LookRecord
from pipeline.judge.trial import Prior, Trial, TrialRecord
from pipeline.judge.verdict import Judgement, MetricVerdict, Verdict
from pipeline.model import JudgeRules, MetricKind, MetricRule
from pipeline.ports import ControllerLost
from pipeline.signals import Sample
from pipeline.view import State
from pithead import sheet
from pithead.exits import Exit, Failure
from pithead.sparks import HEIGHT, LINE, WIDTH, Bound, chart, gap
from pithead.verbs import explain
from pithead.why import value
from tests.pithead.test_verbs import HOSTILE, Heard, typed
from tests.tui.fakes import NOW, FakeRoom
from tests.tui.samples import COLD, row, sample_events, sample_fleet, sample_service

RULES = JudgeRules((MetricRule("errors", "error rate", MetricKind.RATIO, unit="ratio"),))
RELEASE = "cart-511"


class Counted(FakeRoom):
    """Counts the looks that it was asked for."""

    handed = 0
    asked = 0

    async def looks(self, release: str, wave: int, after: int = 0, limit: int = 500) -> tuple[LookRecord, ...]:
        page = await super().looks(release, wave, after, limit)
        self.handed += len(page)
        self.asked += 1
        return page


@pytest.fixture
def out() -> Heard:
    return Heard()


def trial(wave: int = 0) -> TrialRecord:
    return TrialRecord(Trial(RELEASE, wave, RULES, 5.0, 720, {}, ("a",)), Prior())


def look(number: int, wave: int = 0, *, verdict: Verdict = Verdict.PASS, why: str = "") -> LookRecord:
    effect = 0.011 * number / 500
    metric = MetricVerdict(
        "errors", verdict, 0.0042 + effect, 0.0042, 9_812, why or f"errors: told at look {number}",
        effect=effect, low=None if number < 10 else effect - 0.003, high=effect + 0.003, limit_at=0.001,
        evidence=number / 500, alpha_spent=0.0003, window="the last 45 s",
    )  # fmt: skip
    said = Judgement(
        verdict, metric.why, (metric,), control="3 baseline hosts", looks=number, evidence=number / 500,
        alpha=0.01, alpha_spent=0.004, caveats=("one canary host",), alerts=("a is sick",),
    )  # fmt: skip
    hosts = {"a": HostLook(Group.CANARY, Sample(5.0, {"requests": 10.0}))}
    return LookRecord(RELEASE, wave, number, NOW + timedelta(seconds=5 * number), Look(5.0, hosts, 1), said)


def company(looks: int = 500, waves: int = 1) -> Counted:
    live = replace(sample_service("checkout-api"), judge=COLD)
    cart = replace(
        sample_service("cart"),
        row=row("cart", State.LOCK, "r511 was rolled back to r510; submit a newer revision"),
        judge=None,
    )
    back = Event(NOW, AUTO, "cart", RELEASE, "r511", "rollback", "FAIL x2 err +1.10pp -> r510", (), 99)
    room = Counted(sample_fleet(), {"checkout-api": live, "cart": cart}, (back, *sample_events()))
    for wave in range(waves):
        room.trials[RELEASE, wave] = trial(wave)
        room.looked[RELEASE, wave] = tuple(look(number, wave) for number in range(1, looks + 1))
    return room


async def told(room: FakeRoom, out: Heard, *words: str, at: datetime = NOW) -> int:
    return await explain.run(typed("explain", *words), room, out, lambda: at, lambda: False)


# a live release


async def test_a_live_release_is_told_with_gates_judge_and_metrics(out: Heard) -> None:
    assert await told(company(), out, "checkout-api") == Exit.DONE
    page = "\n".join(out.lines)
    assert out.lines[0].startswith("checkout-api  BAKE  WATCH  bake 41/60 min")
    for said in (
        "  ~ traffic cycle: 41/60 min; lifts by itself, once a full cycle is served",
        "judged against 3 baseline hosts restarted beside it, 16 production hosts",
        "  12 looks, evidence 43 % of what rolls a release back",
        "  false rollbacks: 0.4 of 1 % spent",
        "  uncalibrated: nobody has tried these settings on this service",
        "  warm-up 3 of 10 min: only gross faults are judged yet",
        "  alert: fra1-07 restarts",
        "  note: 4 control hosts: how hosts differ is hardly known",
        "WATCH   errors: canary 0.29 % of 9,812, production 0.21 % of 131,440, limit +0.10 pp",
        "  difference +0.059pp, with 95 % confidence between +0.045pp and +0.073pp; limit +0.10pp",
        "strongest over the last 45 s; 0.21 % of false rollbacks spent on it",
        "  error rate, canary less control, over 2 h:",
    ):
        assert said in page
    assert "unit+contract tests" not in page
    assert page.count("limit +0.10pp |---") == 1


@pytest.mark.parametrize(
    "few", ["2 production hosts are too few to compare with", "no production host is left beside it"]
)
async def test_a_control_from_before_is_told_after_why_it_is_needed(few: str, out: Heard) -> None:
    judge = replace(COLD, control=f"{few}: held against production before")
    view = replace(sample_service("checkout-api"), judge=judge)
    await told(FakeRoom(sample_fleet(), {"checkout-api": view}), out, "checkout-api")
    assert f"{few}: judged against production before" in out.lines
    assert f"  {few}: judged against production before, warm-up 3 of 10 min, uncalibrated" in sheet.page(view)


async def test_production_hosts_that_nobody_knows_are_left_out(out: Heard) -> None:
    view = sample_service("checkout-api")
    errors = replace(view.panes[0], low=(None,), high=(math.nan,))
    await told(FakeRoom(sample_fleet(), {"checkout-api": replace(view, panes=(errors,))}), out, "checkout-api")
    (line,) = [line for line in out.lines if line.startswith("  newest: ")]
    assert line == f"  newest: canary {value(errors.canary[-1], errors.unit)}"


async def test_a_live_release_may_be_named_itself(out: Heard) -> None:
    assert await told(company(), out, "checkout-api-1203") == Exit.DONE
    assert out.lines[0].startswith("checkout-api  BAKE  WATCH")


async def test_json_has_the_values(out: Heard) -> None:
    await told(company(), out, "checkout-api", "--json")
    (line,) = out.lines
    values = json.loads(line)
    assert (values["state"], values["verdict"], values["judge"]["alpha_spent"]) == ("BAKE", "watch", 0.004)
    errors = values["metrics"][0]
    assert errors["limit_at"] == 0.001
    assert errors["low"] < errors["effect"] < errors["high"]
    assert len(errors["bounds"]) == 120
    assert errors["bounds"][0] is None


async def test_a_view_that_is_old_is_not_taken_for_a_fresh_one(out: Heard) -> None:
    assert await told(company(), out, "checkout-api", at=NOW + timedelta(minutes=2)) == Exit.UNKNOWN
    assert "silent for 2 min" in out.errors[0]


async def test_in_staging_nothing_is_judged_and_no_older_release_stands_in(out: Heard) -> None:
    room = company()
    view = room.services["checkout-api"]
    room.services["checkout-api"] = replace(view, row=replace(view.row, verdict=None), judge=None)
    await told(room, out, "checkout-api")
    assert out.lines[-1] == "  nothing is judged now"


# records


async def test_an_ended_release_is_told_from_its_newest_look_with_what_became_of_it(out: Heard) -> None:
    assert await told(company(), out, RELEASE) == Exit.DONE
    assert out.lines[0].startswith("cart-511  canary, look 500 of 500 at 2026-01-09 14:49:11Z  PASS  errors: told at")
    assert out.lines[1].endswith("cart r511  rollback: FAIL x2 err +1.10pp -> r510")
    page = "\n".join(out.lines)
    assert "canary 1.52 %, control 0.42 %" in page
    assert "difference +1.1pp, with 95 % confidence between +0.80pp and +1.4pp; limit +0.10pp" in page
    assert "error rate, canary less control, over 41 min" in page
    assert "calibrated" not in page


async def test_one_look_is_told_as_it_was(out: Heard) -> None:
    assert await told(company(), out, RELEASE, "--look", "7") == Exit.DONE
    assert out.lines[0].startswith("cart-511  canary, look 7 of 500")
    assert "with 95 % confidence at most +0.32pp" in "\n".join(out.lines)


async def test_metrics_of_records_come_in_the_order_that_they_are_configured_in(out: Heard) -> None:
    room = company(looks=1)
    record = room.trials[RELEASE, 0]
    rules = record.trial.rules
    cpu = replace(rules.metrics[0], key="cpu", title="CPU")
    trial = replace(record.trial, rules=replace(rules, metrics=(cpu, *rules.metrics)))
    room.trials[RELEASE, 0] = replace(record, trial=trial)
    (one,) = room.looked[RELEASE, 0]
    metric = one.judgement.metrics[0]
    metrics = (metric, replace(metric, key="cpu", why="CPU: told last"))
    room.looked[RELEASE, 0] = (replace(one, judgement=replace(one.judgement, metrics=metrics)),)
    await told(room, out, RELEASE, "--json")
    assert [each["key"] for each in json.loads(out.lines[-1])["metrics"]] == ["cpu", "errors"]


async def test_the_newest_wave_is_told_unless_one_is_named(out: Heard) -> None:
    room = company(looks=30, waves=3)
    await told(room, out, RELEASE)
    assert "wave 2, look 30 of 30" in out.lines[0]
    await told(room, out, RELEASE, "--wave", "0")
    assert any("canary, look 30 of 30" in line for line in out.lines)


async def test_a_service_at_rest_shows_itself_and_its_newest_release(out: Heard) -> None:
    assert await told(company(), out, "cart") == Exit.DONE
    assert out.lines[0].startswith("cart  LOCK  r511 was rolled back to r510")
    assert any(line.startswith("cart-511  canary, look 500 of 500") for line in out.lines)
    await told(company(), out, "cart", "--json")
    values = json.loads(out.lines[-1])
    assert (values["state"], values["release"], values["looks"]["number"]) == ("LOCK", RELEASE, 500)


async def test_a_service_that_never_had_a_release_is_told_all_the_same(out: Heard) -> None:
    room = company(waves=0)
    assert await told(room, out, "cart") == Exit.DONE
    assert out.lines[-1] == "  nothing is judged now"


@pytest.mark.parametrize("count", [1, 2, 3, 59, 60, 61, 63, 64, 65, 1_000, 20_000])
async def test_however_many_looks_there_are_few_are_fetched_and_the_newest_is_found(count: int, out: Heard) -> None:
    room = company(looks=0)
    one = look(1)
    room.looked[RELEASE, 0] = tuple(replace(one, number=number) for number in range(1, count + 1))
    await told(room, out, RELEASE, "--json")
    values = json.loads(out.lines[0])
    assert (values["looks"]["number"], values["looks"]["of"]) == (count, count)
    assert len(values["metrics"][0]["bounds"]) == min(count, WIDTH)
    assert room.handed <= WIDTH + 40
    assert room.asked <= WIDTH + 40


async def test_looks_of_which_the_first_were_cleared_away_are_told(out: Heard) -> None:
    room = company()
    room.looked[RELEASE, 0] = room.looked[RELEASE, 0][400:]
    assert await told(room, out, RELEASE) == Exit.DONE
    assert "look 500 of 500" in out.lines[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((RELEASE, "--look", "501"), "explain cart-511: look 501 is not kept: looks up to 500 are"),
        (("cart-510",), "cart-510: nothing was judged of it"),
        ((RELEASE, "--wave", "4"), "cart-511: nothing was judged of it"),
        (("nonesuch",), "nonesuch: no such service: pithead status lists the services; a release is SERVICE-N"),
    ],
)
async def test_what_there_is_not_is_refused_with_what_to_do(words: tuple[str, ...], said: str, out: Heard) -> None:
    with pytest.raises((Failure, Refused)) as refused:
        await told(company(), out, *words)
    assert str(refused.value).startswith(said)


async def test_a_trial_without_looks_says_so(out: Heard) -> None:
    with pytest.raises(Failure, match="no look is kept: none was recorded"):
        await told(company(looks=0), out, RELEASE)


async def test_a_name_that_is_none_is_usage(out: Heard) -> None:
    with pytest.raises(Failure) as refused:
        await told(company(), out, HOSTILE)
    assert refused.value.code == Exit.USAGE
    assert str(refused.value).isprintable()


async def test_a_lost_controller_is_lost(out: Heard) -> None:
    room = company()
    room.lose()
    with pytest.raises(ControllerLost):
        await told(room, out, "cart")


async def test_hostile_text_is_printed_harmlessly(out: Heard) -> None:
    room = company(looks=0)
    bad = look(1, why=HOSTILE)
    said = replace(bad.judgement, control=HOSTILE, caveats=(HOSTILE,), alerts=(HOSTILE,), warmup=HOSTILE)
    room.looked[RELEASE, 0] = (replace(bad, judgement=said),)
    await told(room, out, RELEASE)
    await told(room, out, RELEASE, "--json")
    assert all(line.isprintable() for line in out.lines)


# of a quantile, and of restarts


def quantile(number: int) -> LookRecord:
    one = look(number, verdict=Verdict.FAIL)
    (errors,) = one.judgement.metrics
    metric = replace(errors, key="p99", difference="+3.10pp slow", limit="0.20", low=None, high=None)
    restarts = replace(metric, key="restarts", difference="+3.00/h", limit="2.00/h")
    return replace(one, judgement=replace(one.judgement, metrics=(metric, restarts)))


def of_kinds() -> Counted:
    rules = JudgeRules(
        (
            MetricRule("p99", "latency p99", MetricKind.QUANTILE, of="latency", unit="s"),
            MetricRule("restarts", "restarts", MetricKind.RESTARTS),
        )
    )
    room = company(looks=0)
    record = trial()
    room.trials[RELEASE, 0] = replace(record, trial=replace(record.trial, rules=rules))
    room.looked[RELEASE, 0] = (quantile(1), quantile(2))
    return room


async def test_what_is_read_off_buckets_is_known_from_records_and_from_what_is_shown_now(out: Heard) -> None:
    await told(of_kinds(), out, RELEASE, "--json")
    assert [metric["read_off"] for metric in json.loads(out.lines[-1])["metrics"]] == [True, False]
    room = company()
    view = room.services["checkout-api"]
    errors, latency, *others = view.panes
    room.services["checkout-api"] = replace(view, panes=(errors, replace(latency, difference="+3.10pp slow"), *others))
    await told(room, out, "checkout-api", "--json")
    assert [metric["read_off"] for metric in json.loads(out.lines[-1])["metrics"]] == [False, True, *[False] * 4]


async def test_bounds_are_told_as_read_off_and_what_nothing_bounds_as_too_little(out: Heard) -> None:
    await told(of_kinds(), out, RELEASE)
    page = "\n".join(out.lines)
    assert "  read off buckets: difference +0.044 ms, no bounds yet: too few requests; limit +1.0 ms" in page
    assert "  latency p99, canary less control, over 5 s, read off buckets:" in page
    assert "  difference +0.000044/h, no bounds yet: too few restarts; limit +0.0010/h" in page
    assert "anywhere" not in page


async def test_restarts_in_records_are_by_the_hour(out: Heard) -> None:
    await told(of_kinds(), out, RELEASE, "--json")
    assert [metric["unit"] for metric in json.loads(out.lines[-1])["metrics"]] == ["s", "/h"]


# the chart

NUMBER = st.none() | st.floats() | st.floats(-1, 1)
POINTS = st.lists(st.none() | st.tuples(NUMBER, NUMBER, NUMBER), max_size=150)


@settings(max_examples=60, deadline=None)
@given(POINTS, NUMBER, st.sampled_from(["ratio", "s", "bytes", "/s", "cores", ""]), st.booleans())
def test_whatever_the_numbers_a_chart_has_its_size_or_is_not_there(
    points: list[Bound | None], limit: float | None, unit: str, blocks: bool
) -> None:
    lines = chart(points, limit, unit, blocks=blocks)
    assert len(lines) in (0, HEIGHT)
    side = "│" if blocks else "|"
    assert len({line.index(side) for line in lines}) <= 1
    assert all(len(line) - line.index(side) <= WIDTH + 1 for line in lines)
    assert all(line.isascii() for line in lines) or blocks


def test_a_chart_has_nought_limit_bounds_and_difference() -> None:
    lines = chart([(0.001, 0.003, 0.005)] * 30, 0.01, "ratio", blocks=False)
    assert lines[0] == "limit +1.0pp |" + "-" * WIDTH
    assert lines[-1].strip() == "0 |" + "." * WIDTH
    assert sum("*" * WIDTH in line for line in lines) == 1
    assert sum(":" * WIDTH in line for line in lines) == 2


@pytest.mark.parametrize("unit", ["ratio", "s", "bytes", "/s", "cores", ""])
def test_a_chart_has_room_in_a_terminal_of_80_columns_whatever_its_unit(unit: str) -> None:
    lines = chart([(-0.0039, 0.0031, 0.0246)] * 30, 0.00451, unit, blocks=True)
    assert max(map(len, lines)) <= LINE


def test_an_end_without_bound_reaches_the_edge() -> None:
    lines = chart([(None, 0.003, 0.005)] * 30, 0.01, "ratio", blocks=False)
    assert [":" in line or "*" in line for line in lines][4:-1] == [True] * (HEIGHT - 5)


def test_without_a_difference_there_is_no_chart() -> None:
    assert chart([None, (None, None, None), (1.0, math.nan, 2.0)], 0.01, "ratio", blocks=False) == []


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0031, "ratio", "+0.31pp"),
        (-0.012, "s", "-12 ms"),
        (3 * 2**20, "bytes", "+3.0 MiB"),
        (0.0, "s", "0 ms"),
        (-2.6, "/s", "-2.6/s"),
        (0.01, "cores", "+0.010 cores"),
        (math.inf, "", "?"),
        (None, "", "?"),
    ],
)
def test_a_difference_has_a_sign_and_its_unit(value: float | None, unit: str, said: str) -> None:
    assert gap(value, unit) == said
